package rest

import (
	"net/http"

	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/edge/ops"
)

// adminRoutes are those of the operations page.
func adminRoutes() []Route {
	return []Route{{
		Method: http.MethodGet, Path: "/admin/overview", Tag: tagAdmin,
		Summary: "The state of the fleet",
		Detail: "Services and their instances, shards with their orders by state, orders that are stuck, riders by state, the " +
			"lag of the bridge to RabbitMQ, sockets. What did not answer is null and named in `unavailable`.",
		Who: only(auth.RoleAdmin), Limit: LimitGeneral,
		Status: http.StatusOK, Answer: typeOf[ops.Overview](),
		handler: (*call).overview,
	}}
}

// auditRoutes show who did what.
func auditRoutes() []Route {
	return []Route{Route{
		Method: http.MethodGet, Path: "/admin/audit", Tag: tagAdmin,
		Summary: "Who did what, newest first",
		Detail: "Accounts opened, sign-ins and those that were refused, sign-outs, refresh tokens used twice, changed " +
			"profiles, administrators and API keys made and ended; what administrators and operators do to orders and " +
			"restaurants. Nothing can be changed or taken out.",
		Who: only(auth.RoleAdmin), Limit: LimitGeneral,
		Params: append([]Param{
			query("actorId", Text, "By this actor."),
			query("action", Text, "Of this kind, such as `sign-in` or `order.status`."),
		}, page()...),
		Status: http.StatusOK, Answer: typeOf[auth.AuditResponse](),
	}.again(auth.Subject(auth.VerbAudit), typeOf[auth.AuditRequest]())}
}

// overview answers with what the board has gathered.
func (k *call) overview() error {
	o, err := k.api.cfg.Overview(k.ctx)
	if err != nil {
		return err
	}
	return k.answerValue(o)
}

// storyRoutes show the operations page single riders and orders. An order's
// transitions are at /orders/:id/history; what riders answered is for
// administrators alone.
func storyRoutes() []Route {
	admin := only(auth.RoleAdmin)
	return []Route{
		Route{
			Method: http.MethodGet, Path: "/admin/orders/:id/offers", Tag: tagAdmin,
			Summary: "How a rider was sought for an order",
			Detail:  "Every offer, oldest first: to whom, when, until when, and what came of it.",
			Who:     admin, Limit: LimitGeneral,
			Params: []Param{pathID("id", "orderId", UUID, "Id of the order.")},
			Status: http.StatusOK, Answer: typeOf[delivery.OffersResponse](),
		}.again(delivery.Subject(delivery.VerbOffers), typeOf[delivery.OffersRequest]()),
		Route{
			Method: http.MethodGet, Path: "/admin/riders", Tag: tagAdmin,
			Summary: "Where the riders at work are",
			Detail: "Those who want to work or are bound to an order, by id, each with the last known position. Shards that " +
				"did not answer are named.",
			Who: admin, Limit: LimitGeneral,
			Params: page(),
			Status: http.StatusOK, Answer: typeOf[delivery.RidersResponse](),
		}.again(delivery.Subject(delivery.VerbRiders), typeOf[delivery.RidersRequest]()),
	}
}
