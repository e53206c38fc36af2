package fleet

import (
	"compress/gzip"
	"context"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	amqp "github.com/rabbitmq/amqp091-go"
	"github.com/stretchr/testify/require"
	collector "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	otlp "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"

	"tiffin/config"
	"tiffin/e2e/product"
)

// span is a recorded span and the service that recorded it.
type span struct {
	*otlp.Span
	service string
}

// id and parent are hexadecimal, as in a traceparent.
func (s span) id() string     { return hex.EncodeToString(s.SpanId) }
func (s span) parent() string { return hex.EncodeToString(s.ParentSpanId) }

// attribute gives an attribute as text, "" when there is none.
func (s span) attribute(key string) string {
	for _, a := range s.Attributes {
		if a.Key == key {
			return a.Value.GetStringValue()
		}
	}
	return ""
}

// receiver is a collector of traces: it speaks OTLP over HTTP and keeps all it
// gets.
type receiver struct {
	*httptest.Server
	mu    sync.Mutex
	spans map[string][]span // by trace id
	text  strings.Builder   // everything, for looking at what must not be there
	keys  map[string]bool   // values of the header x-key
}

func newReceiver(t *testing.T) *receiver {
	t.Helper()
	r := &receiver{spans: map[string][]span{}, keys: map[string]bool{}}
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		if err := r.take(req); err != nil {
			t.Errorf("export: %v", err)
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *receiver) take(req *http.Request) error {
	body, err := gzip.NewReader(req.Body)
	if err != nil {
		return err
	}
	data, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	var export collector.ExportTraceServiceRequest
	if err := proto.Unmarshal(data, &export); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.keys[req.URL.Path+" "+req.Header.Get("X-Key")] = true
	r.text.WriteString(export.String())
	for _, resource := range export.ResourceSpans {
		service := ""
		for _, a := range resource.Resource.Attributes {
			if a.Key == "service.name" {
				service = a.Value.GetStringValue()
			}
		}
		for _, scope := range resource.ScopeSpans {
			for _, s := range scope.Spans {
				id := hex.EncodeToString(s.TraceId)
				r.spans[id] = append(r.spans[id], span{s, service})
			}
		}
	}
	return nil
}

// find gives the one span of a trace by service, name and kind.
func (r *receiver) find(trace, service, name string, kind otlp.Span_SpanKind) (span, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, s := range r.spans[trace] {
		if s.service == service && s.Name == name && s.Kind == kind {
			return s, true
		}
	}
	return span{}, false
}

func (r *receiver) everything() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.text.String()
}

// await is find with patience: spans come in batches.
func (r *receiver) await(t *testing.T, trace, service, name string, kind otlp.Span_SpanKind) (s span) {
	t.Helper()
	require.Eventually(t, func() (found bool) {
		s, found = r.find(trace, service, name, kind)
		return found
	}, patience, tick, "%s of %s", name, service)
	return s
}

// traced starts every role in a process of its own, as far as a test can have
// that: each has connections, pools and an exporter of its own.
func traced(t *testing.T, r *receiver, change func(*config.Config)) (config.Config, []*running) {
	t.Helper()
	c, _ := configure(t)
	c.OTLPEndpoint, c.OTLPHeaders, c.TracesRatio = r.URL, "x-key=se%20cret", 1
	c.RateLimitGeneral, c.RateLimitAuth, c.RateLimitOrders = 0, 0, 0
	if change != nil {
		change(&c)
	}
	var fleet []*running
	for _, role := range Roles {
		own := c
		if role != "edge" {
			own.EdgePort, own.TrackingPort = 0, 0
		}
		fleet = append(fleet, start(t, Config{Config: own, Roles: []string{role}}))
	}
	require.Eventually(t, func() bool { return ready(c) }, patience, tick)
	return c, fleet
}

// bind gives what RabbitMQ gets of order.created.
func bind(t *testing.T, url string) <-chan amqp.Delivery {
	t.Helper()
	conn, err := amqp.Dial(url)
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close()) })
	channel, err := conn.Channel()
	require.NoError(t, err)
	queue, err := channel.QueueDeclare("", false, true, true, false, nil)
	require.NoError(t, err)
	require.NoError(t, channel.QueueBind(queue.Name, "order.created", "orders", false, nil))
	deliveries, err := channel.Consume(queue.Name, "", true, true, false, false, nil)
	require.NoError(t, err)
	return deliveries
}

// What a browser sends along with its order.
const (
	browserTrace  = "4bf92f3577b34da6a3ce929d0e0e4736"
	browserSpan   = "00f067aa0ba902b7"
	browserOrder  = "browser-7"
	browserStreet = "1 Confidential Alley"
)

// placeOrder places an order as a browser with a trace would.
func placeOrder(t *testing.T, c config.Config) (owner, customer *product.Person) {
	t.Helper()
	p, ctx := &product.Product{Edge: urlOf(c)}, context.Background()
	owner, err := p.Register(ctx, "restaurant_owner", "San Francisco")
	require.NoError(t, err)
	customer, err = p.Register(ctx, "customer", "San Francisco")
	require.NoError(t, err)
	restaurant, err := owner.Want(ctx, http.StatusCreated, "POST", "/restaurants", product.Object{
		"name": "Dabba", "city": "San Francisco", "address": "5 Mission St", "latitude": 37.78, "longitude": -122.41,
		"phoneNumber": "+14155550111", "email": "dabba@example.com", "cuisine": "Indian"})
	require.NoError(t, err)
	dish, err := owner.Want(ctx, http.StatusCreated, "POST", "/restaurants/"+restaurant["id"].(string)+"/menu", product.Object{
		"name": "Thali", "description": "fresh", "price": 12.5, "category": "Lunch", "isAvailable": true})
	require.NoError(t, err)

	body, err := json.Marshal(product.Object{
		"restaurantId": restaurant["id"], "deliveryAddress": browserStreet, "city": "San Francisco", "latitude": 37.79, "longitude": -122.42,
		"items": []product.Object{{"menuItemId": dish["id"], "quantity": 2}}})
	require.NoError(t, err)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, urlOf(c)+"/orders", strings.NewReader(string(body)))
	require.NoError(t, err)
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("Authorization", "Bearer "+customer.Token)
	req.Header.Set("X-Request-Id", browserOrder)
	req.Header.Set("Traceparent", "00-"+browserTrace+"-"+browserSpan+"-01")
	res, err := http.DefaultClient.Do(req)
	require.NoError(t, err)
	require.NoError(t, res.Body.Close())
	require.Equal(t, http.StatusCreated, res.StatusCode)
	require.Contains(t, res.Header.Get("Traceparent"), browserTrace)
	return owner, customer
}

// TestOneTraceFromTheBrowserToRabbitMQ follows an order through every process it
// goes through.
func TestOneTraceFromTheBrowserToRabbitMQ(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	c, fleet := traced(t, r, nil)
	deliveries := bind(t, c.RabbitMQURL)
	owner, customer := placeOrder(t, c)

	edge := r.await(t, browserTrace, "edge", "POST /orders", otlp.Span_SPAN_KIND_SERVER)
	require.Equal(t, browserSpan, edge.parent())
	call := r.await(t, browserTrace, "edge", "order.create", otlp.Span_SPAN_KIND_CLIENT)
	require.Equal(t, edge.id(), call.parent())
	order := r.await(t, browserTrace, "order", "order.create", otlp.Span_SPAN_KIND_SERVER)
	require.Equal(t, call.id(), order.parent())
	require.Equal(t, "nats", order.attribute("rpc.system.name"))
	require.Equal(t, browserOrder, order.attribute("tiffin.request_id"))
	ask := r.await(t, browserTrace, "order", "restaurant.quote", otlp.Span_SPAN_KIND_CLIENT)
	require.Equal(t, order.id(), ask.parent())
	quote := r.await(t, browserTrace, "restaurant", "restaurant.quote", otlp.Span_SPAN_KIND_SERVER)
	require.Equal(t, ask.id(), quote.parent())

	commit := r.await(t, browserTrace, "order", "COMMIT", otlp.Span_SPAN_KIND_CLIENT)
	require.Equal(t, order.id(), commit.parent())
	batch := r.await(t, browserTrace, "order", "BATCH", otlp.Span_SPAN_KIND_CLIENT)
	require.Equal(t, commit.id(), batch.parent())
	require.Equal(t, "postgresql", batch.attribute("db.system.name"))
	require.Contains(t, batch.attribute("db.query.text"), "insert into orders.orders")
	require.Contains(t, batch.attribute("db.query.text"), "insert into outbox.events")

	relay := r.await(t, browserTrace, "relay", "publish events.order.created", otlp.Span_SPAN_KIND_PRODUCER)
	require.Equal(t, order.id(), relay.parent())
	require.Equal(t, "events.order.created.us-west", relay.attribute("messaging.destination.name"))
	bridge := r.await(t, browserTrace, "bridge", "publish orders", otlp.Span_SPAN_KIND_PRODUCER)
	require.Equal(t, relay.id(), bridge.parent())
	require.Equal(t, relay.attribute("messaging.message.id"), bridge.attribute("messaging.message.id"))
	handled := r.await(t, browserTrace, "delivery", "process events.order.created", otlp.Span_SPAN_KIND_CONSUMER)
	require.Equal(t, relay.id(), handled.parent())
	message := <-deliveries
	require.Equal(t, bridge.attribute("messaging.message.id"), message.MessageId)
	require.Equal(t, "00-"+browserTrace+"-"+bridge.id()+"-01", message.Headers["traceparent"])
	require.Equal(t, browserOrder, message.Headers["X-Request-Id"])

	require.Equal(t, map[string]bool{"/v1/traces se cret": true}, r.keys)
	requireNobodyIn(t, r.everything(), owner, customer)
	requireJoinedLines(t, fleet)
}

// requireNobodyIn checks that a text leads to nobody.
func requireNobodyIn(t *testing.T, text string, people ...*product.Person) {
	t.Helper()
	for _, p := range people {
		for _, field := range []string{"id", "email", "firstName", "phoneNumber"} {
			require.NotContains(t, text, p.User[field])
		}
	}
	for _, private := range []string{browserStreet, "127.0.0.1", "dabba@", "Mission", "37.7"} {
		require.NotContains(t, text, private)
	}
}

// requireJoinedLines checks that every line of a request says whose and of which
// trace it is.
func requireJoinedLines(t *testing.T, fleet []*running) {
	t.Helper()
	joined := 0
	for _, r := range fleet {
		for _, line := range strings.Split(strings.TrimSpace(r.log.String()), "\n") {
			var fields map[string]any
			require.NoError(t, json.Unmarshal([]byte(line), &fields), line)
			if fields["request_id"] == browserOrder {
				joined++
				require.Equal(t, browserTrace, fields["trace_id"], line)
				require.NotEmpty(t, fields["actor"], line)
			}
		}
	}
	require.Positive(t, joined)
}

// TestNothingIsRecordedThatWasNotDrawn: a browser's word that its trace be
// recorded is not enough.
func TestNothingIsRecordedThatWasNotDrawn(t *testing.T) {
	t.Parallel()
	r := newReceiver(t)
	c, fleet := traced(t, r, func(c *config.Config) { c.TracesRatio = 0 })
	deliveries := bind(t, c.RabbitMQURL)
	placeOrder(t, c)
	message := <-deliveries
	require.Regexp(t, "^00-"+browserTrace+"-[0-9a-f]{16}-00$", message.Headers["traceparent"], "ids travel all the same")
	for _, f := range fleet { // what is recorded is sent at the latest now
		f.stop()
		require.NoError(t, <-f.done)
		f.done <- nil
	}
	require.Empty(t, r.everything())
}
