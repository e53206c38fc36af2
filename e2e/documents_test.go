package e2e_test

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	natsmicro "github.com/nats-io/nats.go/micro"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
)

// schema is as much of a JSON Schema as a table has room for.
type schema struct {
	Properties map[string]json.RawMessage `json:"properties"`
	Required   []string                   `json:"required"`
}

// fields lists the fields of a schema by name, those that may be left out with a question mark.
func (s schema) fields() string {
	names := slices.Sorted(maps.Keys(s.Properties))
	for i, name := range names {
		if !slices.Contains(s.Required, name) {
			names[i] += "?"
		}
	}
	if len(names) == 0 {
		return "–"
	}
	return "`" + strings.Join(names, ", ") + "`"
}

// TestSubjectsAreDocumented keeps docs/subjects.md as the running services and
// the description of events have it. UPDATE_DOCS=1 writes it anew.
func TestSubjectsAreDocumented(t *testing.T) {
	t.Parallel()
	const path = "../docs/subjects.md"
	want := describeSubjects(t)
	if os.Getenv("UPDATE_DOCS") != "" {
		require.NoError(t, os.WriteFile(path, []byte(want), 0o644))
	}
	have, err := os.ReadFile(path)
	require.NoError(t, err)
	require.Equal(t, want, string(have), "UPDATE_DOCS=1 go test -run TestSubjectsAreDocumented ./e2e writes docs/subjects.md anew")
}

func describeSubjects(t *testing.T) string {
	t.Helper()
	b := &strings.Builder{}
	b.WriteString("# Subjects and events\n\nGenerated from what a running fleet says of itself (`nats micro info`, `/asyncapi.json`); a test keeps it so.\n" +
		"The whole schemas are there. A question mark means that the field may be left out.\n\n## Requests\n\n" +
		"Errors carry `Nats-Service-Error-Code` (the HTTP status) and `Nats-Service-Error`. Who may ask what is judged by the user in the\n" +
		"request's actor header, and by the permissions of the asking role in `nats.conf`. Every service also has `health`, its readiness.\n")
	for _, service := range services(t) {
		fmt.Fprintf(b, "\n### %s\n\n%s.\n\n| subject | what it does | request | answer |\n|---|---|---|---|\n", service.Name, service.Description)
		for _, e := range service.Endpoints {
			var request, response schema
			require.NoError(t, json.Unmarshal([]byte(e.Metadata["request_schema"]), &request), e.Subject)
			require.NoError(t, json.Unmarshal([]byte(e.Metadata["response_schema"]), &response), e.Subject)
			fmt.Fprintf(b, "| `%s` | %s | %s | %s |\n", e.Subject, e.Metadata["description"], request.fields(), response.fields())
		}
	}
	describeEvents(t, b)
	return b.String()
}

// services asks every service what it is.
func services(t *testing.T) []natsmicro.Info {
	t.Helper()
	conn, err := micro.Connect(micro.ConnConfig{URL: fleet.Env["NATS_URL"], Role: "ops", Password: fleet.Env["NATS_OPS_PASSWORD"]})
	require.NoError(t, err)
	t.Cleanup(conn.Close)
	var all []natsmicro.Info
	for _, name := range []string{"auth", "order", "restaurant", "delivery", "tracking", "bridge"} {
		answer, err := conn.Request("$SRV.INFO."+name, nil, 10*time.Second)
		require.NoError(t, err, name)
		var info natsmicro.Info
		require.NoError(t, json.Unmarshal(answer.Data, &info))
		slices.SortFunc(info.Endpoints, func(a, b natsmicro.EndpointInfo) int { return strings.Compare(a.Subject, b.Subject) })
		all = append(all, info)
	}
	return all
}

// describeEvents adds the table of events, of which some go to RabbitMQ too.
func describeEvents(t *testing.T, b *strings.Builder) {
	t.Helper()
	var doc struct {
		Channels map[string]struct {
			Address  string
			Messages map[string]struct {
				Ref string `json:"$ref"`
			}
		}
		Components struct {
			Messages map[string]struct {
				Title, Summary, Description string
				Payload                     struct {
					Ref string `json:"$ref"`
				}
			}
			Schemas map[string]schema
		}
	}
	require.NoError(t, json.Unmarshal([]byte(fetch(t, "/asyncapi.json")), &doc))
	outside := map[string]bool{}
	for id, channel := range doc.Channels {
		outside[channel.Address] = strings.HasPrefix(id, "rabbitmq")
	}
	b.WriteString("\n## Events\n\nAt least once, in order for each order, by id: `Nats-Msg-Id` on NATS, `message_id` on RabbitMQ. The subject on NATS ends with\n" +
		"the order's region; the routing key on RabbitMQ, exchange `orders`, is the type.\n\n| subject | RabbitMQ | when | body |\n|---|---|---|---|\n")
	for _, id := range slices.SortedFunc(maps.Keys(doc.Channels), func(x, y string) int {
		return cmp.Compare(doc.Channels[x].Address, doc.Channels[y].Address)
	}) {
		if !strings.HasPrefix(id, "nats") {
			continue
		}
		message := doc.Components.Messages[id]
		key := "–"
		if outside[message.Title] {
			key = "`" + message.Title + "`"
		}
		body := doc.Components.Schemas[filepath.Base(message.Payload.Ref)]
		fmt.Fprintf(b, "| `%s` | %s | %s %s | %s |\n", doc.Channels[id].Address, key, message.Summary, message.Description, body.fields())
	}
}

// fetch reads a page of the edge.
func fetch(t *testing.T, path string) string {
	t.Helper()
	res, err := http.Get(fleet.Edge + path)
	require.NoError(t, err)
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	require.NoError(t, err)
	require.Equal(t, http.StatusOK, res.StatusCode, path)
	return string(body)
}

// TestWhatAlertsAndDashboardsLookAtIsThere: a rule on a figure that nobody has
// would never fire, and a panel of one stays empty.
func TestWhatAlertsAndDashboardsLookAtIsThere(t *testing.T) {
	t.Parallel()
	acceptedOrderOf(t) // some figures are there once somebody has been counted
	watched := watchedMetrics(t)
	require.Greater(t, len(watched), 30)
	var missing []string
	require.Eventually(t, func() bool {
		parsed := expfmt.NewTextParser(model.LegacyValidation)
		families, err := parsed.TextToMetricFamilies(strings.NewReader(fetch(t, "/metrics")))
		require.NoError(t, err)
		missing = slices.DeleteFunc(slices.Clone(watched), func(name string) bool {
			_, there := families[name]
			for _, suffix := range []string{"_bucket", "_count", "_sum"} {
				_, part := families[strings.TrimSuffix(name, suffix)]
				there = there || part
			}
			return there
		})
		return len(missing) == 0
	}, 20*time.Second, 200*time.Millisecond, "not there: %v", &missing)
}

// Figures of what tiffin up starts without: replicas, which a test of package shard looks for, and TLS, which one of
// package fleet does.
const (
	replicas = "tiffin_postgres_replica_"
	secure   = "tiffin_tls_"
)

// watchedMetrics are the names in the rules and on the dashboards.
func watchedMetrics(t *testing.T) []string {
	t.Helper()
	files, err := filepath.Glob("../deploy/prometheus/rules/*.yml")
	require.NoError(t, err)
	boards, err := filepath.Glob("../deploy/grafana/dashboards/*.json")
	require.NoError(t, err)
	names := map[string]bool{}
	for _, file := range append(files, boards...) {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, name := range regexp.MustCompile(`\btiffin_[a-z0-9_]+`).FindAllString(string(text), -1) {
			if !strings.HasPrefix(name, replicas) && !strings.HasPrefix(name, secure) {
				names[name] = true
			}
		}
	}
	return slices.Sorted(maps.Keys(names))
}

// acceptedOrderOf has a rider accept an order in a city of its own.
func acceptedOrderOf(t *testing.T) {
	t.Helper()
	where := place{"Spokane", "us-west", 47.6588, -117.426}
	owner, customer, rider := register(t, "restaurant_owner", where.city), register(t, "customer", where.city), register(t, "delivery_partner", where.city)
	restaurant, items := openRestaurant(owner, where)
	online(rider, where)
	order := customer.must(http.StatusCreated, "POST", "/orders", object{
		"restaurantId": restaurant, "deliveryAddress": "1 Riverside", "city": where.city, "latitude": where.lat + 0.01,
		"longitude": where.lon, "items": []object{{"menuItemId": items[0], "quantity": 1}},
	})["id"].(string)
	awaitHeld(t, rider, order)
	rider.must(http.StatusOK, "POST", "/delivery/"+order+"/accept", nil)
	move(customer, order, "cancelled")
}
