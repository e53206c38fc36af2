package rest

import (
	"net/http"
	"slices"

	"github.com/go-json-experiment/json"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/order"
)

// headerReplayed marks the answer to a repeated request: the order had been
// placed before.
const headerReplayed = "Idempotency-Replayed"

// statusBody is the body of PATCH /orders/:id/status: what order.StatusRequest
// has without the id.
type statusBody struct {
	Status order.Status `json:"status"`
	Reason string       `json:"reason,omitzero"` // shown in the history
	City   string       `json:"city,omitzero"`   // accepted and never needed
}

// Validate returns wire.Invalid as the service would; the id is not its affair.
func (b statusBody) Validate() error {
	return order.StatusRequest{Status: b.Status, Reason: b.Reason, City: b.City}.Validate()
}

// orderRoutes are those of orders.
func orderRoutes() []Route {
	return slices.Concat([]Route{placing()}, readingOrders(), []Route{moving()})
}

// orderID declares the order's id in the path.
func orderID() Param { return pathID("id", "", UUID, "Id of the order.") }

// placing is the one route whose answer the edge reads: the service says in a
// field of its own whether an earlier request placed the order, and clients learn
// it from a header. It is repeated only by clients, with an Idempotency-Key.
func placing() Route {
	return Route{
		Method: http.MethodPost, Path: "/orders", Tag: tagOrders,
		Summary: "Place an order",
		Detail: "Prices are the menu's, and the total is computed here. `city` must lie in the restaurant's region and " +
			"the drop-off within its delivery range. With an `Idempotency-Key` a repetition within 24 hours returns the " +
			"same order, marked `Idempotency-Replayed: true`; the same key with another body is refused.",
		Who: only(auth.RoleCustomer), Limit: LimitOrders,
		Params: []Param{{Name: order.HeaderIdempotencyKey, In: InHeader, Kind: Text,
			Doc: "Up to 255 characters, your own choice, one per order."}},
		Body: bodyOf[order.CreateRequest](), Status: http.StatusCreated, Answer: typeOf[order.Order](),
		Codes: []micro.Code{micro.CodeNotFound, micro.CodeConflict}, Adds: []string{headerReplayed, "Location"},
		target:  target{subject: order.Subject(order.VerbCreate), request: typeOf[order.CreateRequest]()},
		handler: (*call).createOrder,
	}
}

// readingOrders are the routes that change nothing. Who may see an order is known
// only to the order, so the edge lets every role try and the service answers 404.
func readingOrders() []Route {
	anyCity := query("city", Text, "Accepted for older clients, never needed: the id says where the order is.")
	anyCity.Local = true
	return []Route{
		Route{
			Method: http.MethodGet, Path: "/orders", Tag: tagOrders,
			Summary: "List orders, newest first",
			Detail: "Customers see their own, owners those of their restaurants, riders those they deliver, administrators " +
				"all of them, gathered from every region.",
			Who: signedIn, Limit: LimitOrders,
			Params: append([]Param{
				query("customerId", UUID, "Of this customer."),
				query("restaurantId", ObjectID, "Of this restaurant."),
				query("city", Text, "In this city's region."),
				{Name: "status", In: InQuery, Kind: Text, Enum: statuses(), Doc: "In this state."},
			}, page()...),
			Status: http.StatusOK, Answer: typeOf[order.ListResponse](),
			Codes: []micro.Code{micro.CodeForbidden},
		}.again(order.Subject(order.VerbList), typeOf[order.ListRequest]()),
		Route{
			Method: http.MethodGet, Path: "/orders/:id", Tag: tagOrders,
			Summary: "One order",
			Detail:  "For its customer, the restaurant's owner, its rider and administrators.",
			Who:     signedIn, Limit: LimitOrders,
			Params: []Param{orderID(), anyCity},
			Status: http.StatusOK, Answer: typeOf[order.Order](),
		}.again(order.Subject(order.VerbGet), typeOf[order.GetRequest]()),
		Route{
			Method: http.MethodGet, Path: "/orders/:id/history", Tag: tagOrders,
			Summary: "What happened to an order",
			Detail:  "Every transition, oldest first: who, when, from, to.",
			Who:     signedIn, Limit: LimitOrders,
			Params: []Param{orderID()},
			Status: http.StatusOK, Answer: typeOf[order.HistoryResponse](),
		}.again(order.Subject(order.VerbHistory), typeOf[order.HistoryRequest]()),
	}
}

// moving is how an order goes on. Asking twice for the same state is harmless, so
// it may be sent again when no answer came.
func moving() Route {
	return Route{
		Method: http.MethodPatch, Path: "/orders/:id/status", Tag: tagOrders,
		Summary: "Move an order to its next state",
		Detail: "The owner confirms or rejects, prepares and readies; the rider who accepted picks up and delivers; the " +
			"customer may cancel until the kitchen begins. A move that the state does not allow is a conflict, whose " +
			"`allowed` lists those open to the caller. Asking for the current state changes nothing.",
		Who: signedIn, Limit: LimitOrders,
		Params: []Param{orderID()},
		Body:   bodyOf[statusBody](), Status: http.StatusOK, Answer: typeOf[order.Order](),
		Codes: []micro.Code{micro.CodeForbidden, micro.CodeConflict},
	}.again(order.Subject(order.VerbStatus), typeOf[order.StatusRequest]())
}

// createOrder passes request and answer on, as forward does, and reads of the
// answer what the status line and the headers say. An order that an earlier
// request placed is marked by a field that is none of the order's.
func (k *call) createOrder() error {
	answer, err := k.api.orders.CreateJSON(k.ctx, k.body)
	if err != nil {
		return err
	}
	var created struct {
		ID       string `json:"id"`
		Replayed bool   `json:"replayed"`
	}
	if err := json.Unmarshal(answer, &created); err != nil {
		return err
	}
	k.c.Set("Location", "/orders/"+created.ID)
	if !created.Replayed {
		return k.answer(answer)
	}
	k.c.Set(headerReplayed, "true")
	var earlier order.Created
	if err := json.Unmarshal(answer, &earlier); err != nil {
		return err
	}
	return k.answerValue(earlier.Order)
}

// statuses lists the states as the words of a query.
func statuses() []string {
	words := make([]string, 0, len(order.Statuses()))
	for _, s := range order.Statuses() {
		words = append(words, string(s))
	}
	return words
}
