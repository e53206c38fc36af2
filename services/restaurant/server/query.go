package server

import (
	"cmp"
	"fmt"
	"iter"
	"math"
	"slices"
	"strconv"
	"strings"

	"go.mongodb.org/mongo-driver/v2/bson"

	"tiffin/services/geo"
	"tiffin/services/restaurant"
)

// query is a list request in the form in which rows are compared with it.
type query struct {
	words    []string // each must occur
	cuisine  string   // folded; "" is any
	owner    string   // user id; "" is anybody's
	isActive *bool
	near     bool
	at       geo.Point
	radiusKm float64 // +Inf: any distance
	limit    int
	after    *position // nil: from the beginning
}

// newQuery reads a validated request. It fails with wire.Invalid for a cursor of another list.
func newQuery(req restaurant.ListRequest) (query, error) {
	q := query{
		words: strings.Fields(fold(req.Q)), cuisine: fold(req.Cuisine), owner: req.OwnerUserID, isActive: req.IsActive,
		radiusKm: math.Inf(1), limit: cmp.Or(req.Limit, restaurant.DefaultLimit),
	}
	if req.Latitude != nil && req.Longitude != nil {
		q.near, q.at = true, geo.Point{Latitude: *req.Latitude, Longitude: *req.Longitude}
		if req.RadiusKm != nil {
			q.radiusKm = *req.RadiusKm
		}
	}
	if req.Cursor != "" {
		after, err := parseCursor(req.Cursor, q.near)
		if err != nil {
			return q, err
		}
		q.after = &after
	}
	return q, nil
}

// key is equal for queries with equal answers.
func (q query) key() string {
	active := "any"
	if q.isActive != nil {
		active = strconv.FormatBool(*q.isActive)
	}
	cursor := ""
	if q.after != nil {
		cursor = q.after.cursor()
	}
	return fmt.Sprintf("%q %q %q %s %v %v %v %d %s", q.words, q.cuisine, q.owner, active, q.near, q.at, q.radiusKm, q.limit, cursor)
}

// row is a restaurant with what queries compare.
type row struct {
	restaurant restaurant.Restaurant
	id         bson.ObjectID
	nameKey    string
	cuisineKey string
	search     string
}

// newRow makes the row of a restaurant from the cache, which has none of the derived fields.
func newRow(r restaurant.Restaurant) (row, error) {
	id, err := bson.ObjectIDFromHex(r.ID)
	return row{
		restaurant: r, id: id, nameKey: fold(r.Name), cuisineKey: fold(r.Cuisine),
		search: searchText(r.Name, r.Cuisine, r.Address),
	}, err
}

// matches compares everything but the distance.
func (q query) matches(r *row) bool {
	switch {
	case q.isActive != nil && r.restaurant.IsActive != *q.isActive,
		q.cuisine != "" && r.cuisineKey != q.cuisine,
		q.owner != "" && r.restaurant.OwnerUserID != q.owner:
		return false
	}
	for _, word := range q.words {
		if !strings.Contains(r.search, word) {
			return false
		}
	}
	return true
}

// place says where the row stands in the list, and whether it is in it at all.
func (q query) place(r *row) (position, bool) {
	p := position{near: q.near, id: r.id}
	if q.near {
		p.distance = geo.DistanceKm(q.at, geo.Point{Latitude: r.restaurant.Latitude, Longitude: r.restaurant.Longitude})
	} else {
		p.name = r.nameKey
	}
	return p, p.distance <= q.radiusKm && (q.after == nil || q.after.before(p))
}

// placed is a row with its place in the list.
type placed struct {
	at  position
	row *row
}

// page picks the query's page from rows, which come in any order. It keeps a few pages' worth of them at a time, so
// that rows may be the whole fleet.
func (q query) page(rows iter.Seq2[*row, error]) (restaurant.ListResponse, error) {
	var best []placed
	for r, err := range rows {
		if err != nil {
			return restaurant.ListResponse{}, err
		}
		if !q.matches(r) {
			continue
		}
		if at, in := q.place(r); in {
			best = append(best, placed{at, r})
		}
		if len(best) > 8*q.limit {
			best = q.first(best)
		}
	}
	return q.answer(q.first(best)), nil
}

// first sorts, and drops what cannot be on the page. It keeps one row more than the page has: there is a next page.
func (q query) first(list []placed) []placed {
	slices.SortFunc(list, func(a, b placed) int {
		if a.at.before(b.at) {
			return -1
		}
		return 1 // ids differ, so no two are equal
	})
	return list[:min(len(list), q.limit+1)]
}

// answer makes the page. Distances are rounded to metres, which is more than anybody's position is worth; places in the
// list, and cursors, use them exactly.
func (q query) answer(list []placed) restaurant.ListResponse {
	res := restaurant.ListResponse{Restaurants: []restaurant.Restaurant{}}
	if len(list) > q.limit {
		list = list[:q.limit]
		res.NextCursor = list[q.limit-1].at.cursor()
	}
	for _, p := range list {
		r := p.row.restaurant
		if q.near {
			km := math.Round(p.at.distance*1000) / 1000
			r.DistanceKm = &km
		}
		res.Restaurants = append(res.Restaurants, r)
	}
	return res
}
