package rest

import (
	"net/http"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/restaurant"
)

// keepers may change restaurants: owners their own, administrators all.
var keepers = only(auth.RoleOwner, auth.RoleAdmin)

// restaurantID declares the restaurant's id in the path.
func restaurantID(field string) Param { return pathID("id", field, ObjectID, "Id of the restaurant.") }

// restaurantRoutes are those of restaurants. They are public, so changing
// somebody else's is forbidden rather than hidden.
func restaurantRoutes() []Route {
	return []Route{
		Route{
			Method: http.MethodGet, Path: "/restaurants", Tag: tagRestaurants,
			Summary: "Find restaurants",
			Detail:  "By name, or with a position the nearest first, each with `distanceKm`.",
			Who:     anyone, Limit: LimitGeneral,
			Params: append([]Param{
				query("city", Text, "A city in any spelling: `san-francisco`, `SF`, `Portland, ME`."),
				query("q", Text, "Words to find in name, cuisine or address, whatever their accents and case."),
				query("cuisine", Text, "One cuisine."),
				bounded(query("latitude", Number, "Degrees, together with `longitude`."), -90, 90),
				bounded(query("longitude", Number, "Degrees, together with `latitude`."), -180, 180),
				bounded(query("radiusKm", Number, "How far from the position, in kilometres."), 0, restaurant.MaxRadiusKm),
				query("isActive", Boolean, "Only those that take orders, or only those that do not."),
				personal(query("ownerUserId", UUID, "Only those of this owner. For the owner and for administrators.")),
			}, page()...),
			Status: http.StatusOK, Answer: typeOf[restaurant.ListResponse](),
			Codes: []micro.Code{micro.CodeUnauthenticated, micro.CodeForbidden},
		}.again(restaurant.Subject(restaurant.VerbList), typeOf[restaurant.ListRequest]()).alike(),
		Route{
			Method: http.MethodGet, Path: "/restaurants/:id", Tag: tagRestaurants,
			Summary: "One restaurant",
			Who:     anyone, Limit: LimitGeneral,
			Params: []Param{restaurantID("id")},
			Status: http.StatusOK, Answer: typeOf[restaurant.Restaurant](),
		}.again(restaurant.Subject(restaurant.VerbGet), typeOf[restaurant.GetRequest]()).alike(),
		Route{
			Method: http.MethodPost, Path: "/restaurants", Tag: tagRestaurants,
			Summary: "Open a restaurant",
			Detail:  "It belongs to the caller.",
			Who:     keepers, Limit: LimitGeneral,
			Body: bodyOf[restaurant.CreateRequest](), Status: http.StatusCreated, Answer: typeOf[restaurant.Restaurant](),
		}.once(restaurant.Subject(restaurant.VerbCreate), typeOf[restaurant.CreateRequest]()),
		Route{
			Method: http.MethodPatch, Path: "/restaurants/:id", Tag: tagRestaurants,
			Summary: "Change a restaurant",
			Detail:  "Its owner or an administrator; fields left out stay as they are.",
			Who:     keepers, Limit: LimitGeneral,
			Params: []Param{restaurantID("id")},
			Body:   bodyOf[restaurant.Changes](), Status: http.StatusOK, Answer: typeOf[restaurant.Restaurant](),
			Codes: []micro.Code{micro.CodeForbidden},
		}.again(restaurant.Subject(restaurant.VerbUpdate), typeOf[restaurant.UpdateRequest]()),
	}
}

// menuRoutes are those of dishes. Deleting is sent once: a second delete would
// say 404 about what the first one did.
func menuRoutes() []Route {
	itemID := pathID("itemId", "", ObjectID, "Id of the dish.")
	return []Route{
		Route{
			Method: http.MethodGet, Path: "/restaurants/:id/menu", Tag: tagRestaurants,
			Summary: "The menu of a restaurant",
			Detail:  "All of it, by category and name.",
			Who:     anyone, Limit: LimitGeneral,
			Params: []Param{restaurantID("restaurantId")},
			Status: http.StatusOK, Answer: typeOf[restaurant.MenuResponse](),
		}.again(restaurant.Subject(restaurant.VerbMenu), typeOf[restaurant.MenuRequest]()).alike(),
		Route{
			Method: http.MethodPost, Path: "/restaurants/:id/menu", Tag: tagRestaurants,
			Summary: "Add a dish",
			Who:     keepers, Limit: LimitGeneral,
			Params: []Param{restaurantID("restaurantId")},
			Body:   bodyOf[restaurant.ItemFields](), Status: http.StatusCreated, Answer: typeOf[restaurant.MenuItem](),
			Codes: []micro.Code{micro.CodeForbidden, micro.CodeConflict},
		}.once(restaurant.Subject(restaurant.VerbMenuAdd), typeOf[restaurant.MenuAddRequest]()),
		Route{
			Method: http.MethodPatch, Path: "/restaurants/:id/menu/:itemId", Tag: tagRestaurants,
			Summary: "Change a dish",
			Detail:  "Fields left out stay as they are. Orders keep the price they were placed at.",
			Who:     keepers, Limit: LimitGeneral,
			Params: []Param{restaurantID("restaurantId"), itemID},
			Body:   bodyOf[restaurant.ItemChanges](), Status: http.StatusOK, Answer: typeOf[restaurant.MenuItem](),
			Codes: []micro.Code{micro.CodeForbidden},
		}.again(restaurant.Subject(restaurant.VerbMenuUpdate), typeOf[restaurant.MenuUpdateRequest]()),
		Route{
			Method: http.MethodDelete, Path: "/restaurants/:id/menu/:itemId", Tag: tagRestaurants,
			Summary: "Take a dish off the menu",
			Who:     keepers, Limit: LimitGeneral,
			Params: []Param{restaurantID("restaurantId"), itemID},
			Status: http.StatusNoContent,
			Codes:  []micro.Code{micro.CodeForbidden},
		}.once(restaurant.Subject(restaurant.VerbMenuDelete), typeOf[restaurant.MenuDeleteRequest]()),
	}
}
