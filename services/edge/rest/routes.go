package rest

import (
	"reflect"
	"slices"
)

// The tags under which routes are documented.
const (
	tagAuth        = "Accounts"
	tagRestaurants = "Restaurants"
	tagOrders      = "Orders"
	tagDelivery    = "Delivery"
	tagTracking    = "Tracking"
	tagPlaces      = "Places"
	tagAdmin       = "Operations"
)

// Routes is the whole table, in the order in which it is documented.
func Routes() []Route {
	return slices.Concat(
		authRoutes(), restaurantRoutes(), menuRoutes(), orderRoutes(), deliveryRoutes(), offerRoutes(),
		trackingRoutes(), placeRoutes(), adminRoutes(), storyRoutes(), auditRoutes(), keyRoutes(),
	)
}

// typeOf shortens the rows of the table.
func typeOf[T any]() reflect.Type { return reflect.TypeFor[T]() }
