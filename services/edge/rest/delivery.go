package rest

import (
	"net/http"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/tracking"
	"tiffin/wire"
)

// locationBody is the body of PATCH /delivery/:id/location: what
// tracking.LocationRequest has without ids. The order is the one the rider
// carries.
type locationBody struct {
	Latitude  *float64   `json:"latitude"`           // degrees
	Longitude *float64   `json:"longitude"`          // degrees
	City      string     `json:"city,omitzero"`      // where the rider works now
	Heading   *float64   `json:"heading,omitzero"`   // degrees clockwise from north
	Speed     *float64   `json:"speed,omitzero"`     // metres per second
	Accuracy  *float64   `json:"accuracy,omitzero"`  // metres
	Timestamp *wire.Time `json:"timestamp,omitzero"` // when the device took the fix, now if not given
}

// availabilityBody is the body of PATCH /delivery/:id/availability: what
// delivery.AvailabilityRequest has without id.
type availabilityBody struct {
	IsAvailable *bool `json:"isAvailable"` // whether the rider wants to work
}

// deliveryRoutes are those of riders. Ids are in the path as the contract has
// them, and must be the caller's own: the services answer 404 to anybody else.
func deliveryRoutes() []Route {
	rider := only(auth.RoleRider)
	partnerID := func(field string) Param { return pathID("id", field, UUID, "The rider's own partner id.") }
	return []Route{
		Route{
			Method: http.MethodGet, Path: "/delivery/assignments", Tag: tagDelivery,
			Summary: "The rider's current assignment",
			Detail:  "With the order, the restaurant and the drop-off; or the past ones, newest first.",
			Who:     rider, Limit: LimitGeneral,
			Params: append([]Param{query("history", Boolean, "Past assignments instead of the current one.")}, page()...),
			Status: http.StatusOK, Answer: typeOf[delivery.AssignmentsResponse](),
		}.again(delivery.Subject(delivery.VerbAssignments), typeOf[delivery.AssignmentsRequest]()),
		Route{
			Method: http.MethodGet, Path: "/delivery/me", Tag: tagDelivery,
			Summary: "The rider's partner record",
			Who:     rider, Limit: LimitGeneral,
			Status: http.StatusOK, Answer: typeOf[delivery.Partner](),
			Codes: []micro.Code{micro.CodeNotFound},
		}.again(delivery.Subject(delivery.VerbMe), typeOf[delivery.MeRequest]()),
		Route{
			Method: http.MethodPatch, Path: "/delivery/:id/location", Tag: tagDelivery,
			Summary: "Report the rider's position",
			Detail:  "A late or implausible fix is answered with `accepted: false` and a `reason`; it is no error.",
			Who:     rider, Limit: LimitLocation,
			Params: []Param{partnerID("deliveryPartnerId")},
			Body:   bodyOf[locationBody](), Status: http.StatusOK, Answer: typeOf[tracking.LocationResponse](),
		}.once(tracking.Subject(tracking.VerbLocation), typeOf[tracking.LocationRequest]()),
		Route{
			Method: http.MethodPatch, Path: "/delivery/:id/availability", Tag: tagDelivery,
			Summary: "Begin or end the rider's shift",
			Detail:  "Ending it withdraws an open offer, never an accepted order.",
			Who:     rider, Limit: LimitGeneral,
			Params: []Param{partnerID("")},
			Body:   bodyOf[availabilityBody](), Status: http.StatusOK, Answer: typeOf[delivery.Partner](),
		}.again(delivery.Subject(delivery.VerbAvailability), typeOf[delivery.AvailabilityRequest]()),
	}
}

// offerRoutes are the rider's two answers to an offer. Accepting is repeatable,
// since the rider who holds the order gets it again; declining is not, since a
// second decline finds the offer gone.
func offerRoutes() []Route {
	rider := only(auth.RoleRider)
	offerID := pathID("id", "", UUID, "Id of the order, or the rider's own partner id for the current offer.")
	return []Route{
		Route{
			Method: http.MethodPost, Path: "/delivery/:id/accept", Tag: tagDelivery,
			Summary: "Accept an offer",
			Detail:  "Accepting again what one has accepted returns the same assignment.",
			Who:     rider, Limit: LimitGeneral,
			Params: []Param{offerID},
			Status: http.StatusOK, Answer: typeOf[delivery.Assignment](),
			Codes: []micro.Code{micro.CodeConflict},
		}.again(delivery.Subject(delivery.VerbAccept), typeOf[delivery.OfferRequest]()),
		Route{
			Method: http.MethodPost, Path: "/delivery/:id/decline", Tag: tagDelivery,
			Summary: "Decline an offer",
			Detail:  "The order goes to the next rider and is not offered to this one again.",
			Who:     rider, Limit: LimitGeneral,
			Params: []Param{offerID},
			Status: http.StatusOK, Answer: typeOf[delivery.Assignment](),
			Codes: []micro.Code{micro.CodeConflict},
		}.once(delivery.Subject(delivery.VerbDecline), typeOf[delivery.OfferRequest]()),
	}
}

// trackingRoutes are those for whoever waits for an order.
func trackingRoutes() []Route {
	return []Route{
		Route{
			Method: http.MethodGet, Path: "/tracking/:orderId", Tag: tagTracking,
			Summary: "Where an order is",
			Detail: "The rider's last known position, from acceptance to hand-over, with status and estimated time. To " +
				"follow it live, subscribe over `/ws` or Socket.IO.",
			Who: signedIn, Limit: LimitGeneral,
			Params: []Param{pathID("orderId", "", UUID, "Id of the order.")},
			Status: http.StatusOK, Answer: typeOf[tracking.View](),
		}.again(tracking.Subject(tracking.VerbGet), typeOf[tracking.GetRequest]()),
	}
}
