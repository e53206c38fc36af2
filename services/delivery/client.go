package delivery

import (
	"context"

	"tiffin/micro"
	"tiffin/shard"
)

// The service's name, version and verbs, as nats micro shows them.
const (
	ServiceName    = "delivery"
	ServiceVersion = "1.0.0"

	VerbAssignments  = "assignments"
	VerbMe           = "me"
	VerbAvailability = "availability"
	VerbAccept       = "accept"
	VerbDecline      = "decline"
	VerbCurrent      = "current"
	VerbPosition     = "position"
	VerbOverview     = "overview"
	VerbOffers       = "offers"
	VerbRiders       = "riders"
	VerbWake         = "wake"
)

// Subject returns the subject of one of the verbs above.
func Subject(verb string) string { return ServiceName + "." + verb }

// Client calls the delivery service. It is safe for concurrent use; all its methods return *micro.Error.
type Client struct{ micro *micro.Client }

// NewClient returns a client that sends over c.
func NewClient(c *micro.Client) *Client { return &Client{micro: c} }

// Assignments returns the actor's assignments: forbidden unless a rider.
func (c *Client) Assignments(ctx context.Context, req AssignmentsRequest) (AssignmentsResponse, error) {
	return micro.CallIdempotent[AssignmentsRequest, AssignmentsResponse](ctx, c.micro, Subject(VerbAssignments), req)
}

// Me returns the actor's partner record: forbidden unless a rider.
func (c *Client) Me(ctx context.Context) (Partner, error) {
	return micro.CallIdempotent[MeRequest, Partner](ctx, c.micro, Subject(VerbMe), MeRequest{})
}

// Availability says whether the rider wants to work: not_found for another rider's id.
func (c *Client) Availability(ctx context.Context, partnerID string, available bool) (Partner, error) {
	return micro.CallIdempotent[AvailabilityRequest, Partner](ctx, c.micro, Subject(VerbAvailability),
		AvailabilityRequest{ID: partnerID, IsAvailable: &available})
}

// Accept accepts the offer of an order, or with the actor's partner id the current offer: conflict when it is gone,
// not_found when it never was. Accepting again what one carries returns the same assignment.
func (c *Client) Accept(ctx context.Context, id string) (Assignment, error) {
	return micro.CallIdempotent[OfferRequest, Assignment](ctx, c.micro, Subject(VerbAccept), OfferRequest{ID: id})
}

// Decline declines an offer, addressed and refused as Accept. It is never retried: a second decline finds no offer.
func (c *Client) Decline(ctx context.Context, id string) (Assignment, error) {
	return micro.Call[OfferRequest, Assignment](ctx, c.micro, Subject(VerbDecline), OfferRequest{ID: id})
}

// Current returns the live assignment of a rider, nil when there is none: forbidden unless a service or an operator.
func (c *Client) Current(ctx context.Context, partnerID string) (*Assignment, error) {
	res, err := micro.CallIdempotent[CurrentRequest, CurrentResponse](ctx, c.micro, Subject(VerbCurrent),
		CurrentRequest{PartnerID: partnerID})
	return res.Assignment, err
}

// Position hands in the newest fixes of riders, at most MaxPositions: forbidden unless a service or an operator.
func (c *Client) Position(ctx context.Context, positions []Position) (PositionResponse, error) {
	return micro.CallIdempotent[PositionRequest, PositionResponse](ctx, c.micro, Subject(VerbPosition),
		PositionRequest{Positions: positions})
}

// Wake has dispatch look after a region at once: forbidden unless a service or an operator.
func (c *Client) Wake(ctx context.Context, region shard.Region) error {
	_, err := micro.Call[WakeRequest, WakeResponse](ctx, c.micro, Subject(VerbWake), WakeRequest{Region: string(region)})
	return err
}

// Overview returns the figures of the operations page: forbidden unless the actor is an administrator.
func (c *Client) Overview(ctx context.Context) (Overview, error) {
	return micro.CallIdempotent[OverviewRequest, Overview](ctx, c.micro, Subject(VerbOverview), OverviewRequest{})
}

// Offers returns every offer of an order, oldest first: forbidden unless the actor is an administrator.
func (c *Client) Offers(ctx context.Context, orderID string) (OffersResponse, error) {
	return micro.CallIdempotent[OffersRequest, OffersResponse](ctx, c.micro, Subject(VerbOffers), OffersRequest{OrderID: orderID})
}

// Riders returns a page of the riders at work: forbidden unless the actor is an administrator.
func (c *Client) Riders(ctx context.Context, req RidersRequest) (RidersResponse, error) {
	return micro.CallIdempotent[RidersRequest, RidersResponse](ctx, c.micro, Subject(VerbRiders), req)
}
