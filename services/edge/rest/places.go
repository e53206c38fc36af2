package rest

import (
	"net/http"
	"strconv"
)

// defaultCities is how many suggestions there are without a limit: what fits
// under an input field.
const defaultCities = 8

// City is a suggestion for a city field.
type City struct {
	Name      string  `json:"name"`
	State     string  `json:"state"`   // state or province
	Country   string  `json:"country"` // US, CA or MX
	Latitude  float64 `json:"latitude"`
	Longitude float64 `json:"longitude"`
	Region    string  `json:"region"` // where its orders live, such as us-west
}

// CitiesResponse is a list of suggestions, the largest city first.
type CitiesResponse struct {
	Cities []City `json:"cities"`
}

// placeRoutes are those about the map itself, answered here without a service.
func placeRoutes() []Route {
	required := query("q", Text, "How the city's name begins.")
	limit := bounded(query("limit", Integer, "How many at most; 8 if not given."), 1, 50)
	return []Route{{
		Method: http.MethodGet, Path: "/cities", Tag: tagPlaces,
		Summary: "Suggest cities",
		Detail:  "Cities of the US, Canada and Mexico with 15 000 people and more, the largest first.",
		Who:     anyone, Limit: LimitGeneral,
		Params: []Param{required, limit},
		Status: http.StatusOK, Answer: typeOf[CitiesResponse](),
		handler: (*call).cities,
	}}
}

// cities answers from the file of cities that the edge has in memory.
func (k *call) cities() error {
	limit := defaultCities
	if given := k.c.Query("limit"); given != "" {
		n, err := strconv.Atoi(given)
		if err != nil { // read has accepted it already
			return err
		}
		limit = n
	}
	res := CitiesResponse{Cities: []City{}}
	for _, c := range k.api.cfg.Cities.Search(k.c.Query("q"), limit) {
		res.Cities = append(res.Cities, City{
			Name: c.Name, State: c.State, Country: c.Country, Latitude: c.Latitude, Longitude: c.Longitude, Region: string(c.Region)})
	}
	return k.answerValue(res)
}
