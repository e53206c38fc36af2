package wholefleet

import (
	"context"
	"fmt"
	"net/http"
	"strings"
	"time"

	"github.com/fasthttp/websocket"
	"golang.org/x/sync/errgroup"
)

const (
	// againTimeout is how long a customer may take to be told everything again.
	againTimeout = 60 * time.Second
	// againAtOnce is how many customers ask at the same time.
	againAtOnce = 4
)

// askAgain has every customer subscribe to all their orders once more, from the
// beginning, when all is quiet: what they are sent must be the whole log.
func askAgain(ctx context.Context, edge string, tokens map[string]string, orders []Order) ([]Following, error) {
	mine := byOrder(orders, func(o Order) string { return o.Customer })
	var group errgroup.Group
	group.SetLimit(againAtOnce)
	told := make(chan []Following, len(mine))
	for customer, orders := range mine {
		group.Go(func() error {
			followings, err := watchAgain(ctx, edge, tokens[customer], orders)
			told <- followings
			if err != nil {
				err = fmt.Errorf("customer %s: %w", customer, err)
			}
			return err
		})
	}
	err := group.Wait()
	close(told)
	var all []Following
	for followings := range told {
		all = append(all, followings...)
	}
	return all, err
}

// watchAgain is one customer's socket. What did not come in time is missing in
// the result, for Check to find.
func watchAgain(ctx context.Context, edge, token string, orders []Order) ([]Following, error) {
	dialer := websocket.Dialer{HandshakeTimeout: 10 * time.Second, Subprotocols: []string{"tiffin"}}
	url := "ws" + strings.TrimPrefix(edge, "http") + "/ws"
	conn, res, err := dialer.DialContext(ctx, url, http.Header{"Authorization": {"Bearer " + token}})
	if res != nil {
		defer res.Body.Close()
	}
	if err != nil {
		return nil, err
	}
	defer func() {
		_ = conn.Close() // all that was wanted has been read
	}()
	if err := conn.SetReadDeadline(time.Now().Add(againTimeout)); err != nil {
		return nil, err
	}
	var all []Following
	for _, o := range orders {
		f, err := readAgain(conn, o)
		all = append(all, f)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// readAgain follows one order from its beginning to its last update.
func readAgain(conn *websocket.Conn, o Order) (Following, error) {
	f := Following{Order: o.ID, Whole: true}
	subscribe := map[string]any{"event": "subscribe-order", "id": o.ID, "data": map[string]any{"orderId": o.ID, "since": 0}}
	if err := conn.WriteJSON(subscribe); err != nil {
		return f, err
	}
	for int64(len(f.Seqs)) < o.Seq {
		var m struct {
			Event string
			ID    string
			Data  struct {
				OrderID string
				Seq     int64
			}
			Error *struct{ Message string }
		}
		if err := conn.ReadJSON(&m); err != nil {
			return f, fmt.Errorf("order %s: %w", o.ID, err)
		}
		if m.Error != nil {
			return f, fmt.Errorf("order %s: %s", o.ID, m.Error.Message)
		}
		if m.Event == "order-updated" && m.Data.OrderID == o.ID {
			f.Seqs = append(f.Seqs, m.Data.Seq)
		}
	}
	return f, conn.WriteJSON(map[string]any{"event": "unsubscribe-order", "data": map[string]any{"orderId": o.ID}})
}
