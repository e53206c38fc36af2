package wholefleet

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"sync"

	"tiffin/services/auth"
	"tiffin/sim"
)

// ledger is the clients' own record, written as they play.
type ledger struct {
	mu          sync.Mutex
	attempts    []sim.Request     // without bodies
	signedIn    map[string]string // token by user id
	placed      map[string]*Placed
	acceptances []Acceptance
	open        map[socket]*Following
	closed      map[string][]Following // by account
}

// socket is one order on one connection.
type socket struct {
	connection uint64
	account    string
	order      string
}

var _ sim.Witness = (*ledger)(nil)

func newLedger() *ledger {
	return &ledger{signedIn: map[string]string{}, placed: map[string]*Placed{}, open: map[socket]*Following{}, closed: map[string][]Following{}}
}

// Asked notes a request, and what its answer promised.
func (l *ledger) Asked(r sim.Request) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if r.Placing() {
		l.place(r)
	}
	if strings.HasPrefix(r.Path, "/auth/") {
		l.signIn(r)
	}
	if id := r.Accepting(); id != "" && r.Status == http.StatusOK {
		l.acceptances = append(l.acceptances, Acceptance{Order: id, Rider: r.Account, Began: r.Began, Answered: r.Began.Add(r.Took)})
	}
	if !r.GaveUp {
		r.Body = nil
		l.attempts = append(l.attempts, r)
	}
}

// signIn notes whose token an answer is.
func (l *ledger) signIn(r sim.Request) {
	var session auth.Session
	if json.Unmarshal(r.Body, &session) == nil && session.Token != "" {
		l.signedIn[session.User.ID] = session.Token
	}
}

// place notes a wish, answered or not. The amount is kept as it was written,
// since money is no float.
func (l *ledger) place(r sim.Request) {
	p := l.placed[r.Account+" "+r.Key]
	if p == nil {
		p = &Placed{Key: r.Key, Customer: r.Account}
		l.placed[r.Account+" "+r.Key] = p
	}
	if r.Status != http.StatusCreated {
		return
	}
	var answer struct {
		ID          string      `json:"id"`
		TotalAmount json.Number `json:"totalAmount"`
	}
	if json.Unmarshal(r.Body, &answer) != nil {
		answer.ID = "an answer that is no order"
	}
	if p.Total = answer.TotalAmount.String(); !slices.Contains(p.IDs, answer.ID) {
		p.IDs = append(p.IDs, answer.ID)
	}
}

// Said follows the subscriptions of all sockets.
func (l *ledger) Said(f sim.Frame) {
	var data struct {
		OrderID string
		Since   int64
		Seq     int64
	}
	if f.Event == "" && f.Refused {
		data.OrderID = f.ID
	} else if json.Unmarshal(f.Data, &data) != nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	at := socket{f.Connection, f.Account, data.OrderID}
	switch following := l.open[at]; {
	case f.Sent && f.Event == "subscribe-order":
		l.end(at)
		l.open[at] = &Following{Connection: f.Connection, Order: data.OrderID, Since: data.Since}
	case f.Sent && f.Event == "unsubscribe-order", f.Refused:
		l.end(at)
	case following != nil && f.Event == "order-updated":
		following.Seqs = append(following.Seqs, data.Seq)
	}
}

// end closes a subscription. What still arrives of it is nobody's.
func (l *ledger) end(at socket) {
	if f := l.open[at]; f != nil {
		l.closed[at.account] = append(l.closed[at.account], *f)
		delete(l.open, at)
	}
}

// clients is what is known in the end. Riders leave an order's room with their
// offer and may come back into it, so it is customers whose updates have no
// gaps.
func (l *ledger) clients() Clients {
	l.mu.Lock()
	defer l.mu.Unlock()
	for at := range l.open {
		l.end(at)
	}
	var c Clients
	customers := map[string]bool{}
	for _, key := range slices.Sorted(maps.Keys(l.placed)) {
		c.Placed = append(c.Placed, *l.placed[key])
		customers[l.placed[key].Customer] = true
	}
	c.Acceptances = slices.Clone(l.acceptances)
	for _, customer := range slices.Sorted(maps.Keys(customers)) {
		c.Updates = append(c.Updates, l.closed[customer]...)
	}
	return c
}

// attemptsMade gives all requests, without bodies.
func (l *ledger) attemptsMade() []sim.Request {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.attempts)
}

// tokens are those that people were given last, by user id.
func (l *ledger) tokens() map[string]string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.signedIn)
}
