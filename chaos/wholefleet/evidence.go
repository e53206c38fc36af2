package wholefleet

import (
	"time"

	"tiffin/chaos/consumer"
	"tiffin/services/order"
)

// Evidence is everything that is known in the end, from all sides.
type Evidence struct {
	Clients Clients

	// The shards. Log and Events are in the order of their rows.
	Orders []Order
	Log    []Change
	Offers []Offer
	Events []Event

	Stream []consumer.Message // JetStream, whole
	Queue  []consumer.Message // RabbitMQ, a queue bound to order.created and order.assigned
}

// Clients is what the clients know.
type Clients struct {
	Placed      []Placed
	Acceptances []Acceptance
	Updates     []Following
}

// Placed is one wish to order: one idempotency key, however often it was sent.
type Placed struct {
	Key      string
	Customer string
	IDs      []string // of the orders it was answered with: none when no answer ever came
	Total    string   // as answered
}

// Acceptance is an offer that a rider was told to have.
type Acceptance struct {
	Order, Rider    string
	Began, Answered time.Time
}

// Following is one subscription of a customer's socket to an order, from one
// subscribe-order to the end of the subscription or of the connection.
type Following struct {
	Connection uint64
	Order      string
	Since      int64
	Seqs       []int64 // of the order-updated frames, as they came
	Whole      bool    // it was waited for until the order's last one
}

// Order is a row of the shards.
type Order struct {
	ID, Key, Customer string // Key is "" when no key is known for it
	Total             string
	Status            order.Status
	Seq               int64
}

// Change is a row of an order's log.
type Change struct {
	Order   string
	Seq     int64
	Kind    string // transition or assignment
	From    order.Status
	To      order.Status
	Partner string // "" when nobody
	Role    string // who made it
	At      time.Time
}

// Offer is a row of the offers.
type Offer struct {
	Order, Partner string
	Seq            int64
	Live           bool // offered or carried now
	Accepted       bool // at some time
}

// Event is a row of the outbox.
type Event struct {
	ID, Order, Type string
	Seq             int64 // of the order, when it happened
	Body            string
}
