package edge_test

import (
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth/token"
	"tiffin/services/edge"
	"tiffin/services/edge/openapi"
	"tiffin/services/edge/rest"
)

// sample is a good request of a route, made from its own documentation.
type sample struct {
	rest.Route
	role, path, body string
}

// name is what a subtest is called.
func (s sample) name() string { return s.Method + " " + s.Path }

// samples gives one for every route there is.
func samples(t *testing.T) []sample {
	t.Helper()
	doc := openapi.Build(edge.Version, rest.Routes())
	var all []sample
	for _, r := range rest.Routes() {
		s := sample{Route: r, path: r.Path}
		for _, p := range r.Params {
			s.path = strings.Replace(s.path, ":"+p.Name, goodID(p), 1)
		}
		if r.Who.SignedIn {
			s.role = "customer"
		}
		if len(r.Who.Roles) > 0 {
			s.role = r.Who.Roles[0]
		}
		if op := doc.Paths[openapi.Path(r.Path)][strings.ToLower(r.Method)]; op.RequestBody != nil {
			s.body = doc.Example(op.RequestBody.Content["application/json"].Schema)
		}
		all = append(all, s)
	}
	return all
}

func goodID(p rest.Param) string {
	switch {
	case p.Kind == rest.ObjectID && p.Name == "itemId":
		return itemID
	case p.Kind == rest.ObjectID:
		return restaurantID
	case strings.Contains(p.Field, "artner"):
		return userID
	default:
		return orderID
	}
}

// eachRoute runs fn for every route, as a subtest, against one edge.
func eachRoute(t *testing.T, fn func(t *testing.T, w *world, s sample)) {
	t.Helper()
	w := newWorld(t)
	for _, s := range samples(t) {
		t.Run(s.name(), func(t *testing.T) { fn(t, w, s) })
	}
}

func TestTheDocumentedRequestWorks(t *testing.T) {
	t.Parallel()
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		got := w.send(t, s.Method, s.path, s.body, w.as(t, s.role, "X-Request-Id", "sample-1")...)
		require.Equal(t, s.Status, got.status, got.body)
		require.Equal(t, "sample-1", got.header.Get("X-Request-Id"))
		require.Equal(t, "no-store", got.header.Get("Cache-Control"))
		if s.Answer == nil {
			require.Empty(t, got.body)
			return
		}
		require.Equal(t, "application/json", got.header.Get("Content-Type"))
		require.True(t, json.Valid([]byte(got.body)), got.body)
	})
}

func TestServicesLearnWhoAndWhy(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.get(t, "/orders/"+orderID, w.as(t, "customer", "X-Request-Id", "why-1", "traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")...)
	got := w.got("order.get")
	require.Equal(t, micro.Actor{ID: userID, Role: "customer"}, got.actor)
	require.Equal(t, "why-1", got.requestID)
	require.Contains(t, got.trace, "4bf92f3577b34da6a3ce929d0e0e4736")

	w.get(t, "/restaurants/"+restaurantID)
	require.Equal(t, micro.RoleAnonymous, w.got("restaurant.get").actor.Role, "never without an actor: that would be the operator")
	w.get(t, "/restaurants/"+restaurantID, "Authorization", "Bearer rubbish")
	require.Equal(t, micro.RoleAnonymous, w.got("restaurant.get").actor.Role)
	w.get(t, "/restaurants/"+restaurantID, w.as(t, "admin")...)
	require.Equal(t, "admin", w.got("restaurant.get").actor.Role)
	require.Contains(t, w.log.String(), `"request_id":"why-1"`)
}

func TestOnlyGoodTokensCount(t *testing.T) {
	t.Parallel()
	stranger := token.NewSigner("another secret, just as long as the first", 1<<40)
	forged, _, err := stranger.Sign(userID, "admin", "f")
	require.NoError(t, err)
	expired, _, err := token.NewSigner(secret, -1<<40).Sign(userID, "admin", "f")
	require.NoError(t, err)
	operator, _, err := token.NewSigner(secret, 1<<40).Sign(userID, micro.RoleOperator, "f")
	require.NoError(t, err)
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		if !s.Who.SignedIn {
			return
		}
		good := w.token(t, s.role)
		for name, header := range map[string]string{
			"none": "", "no scheme": good, "basic": "Basic " + good, "rubbish": "Bearer x.y.z", "empty": "Bearer ",
			"another key": "Bearer " + forged, "expired": "Bearer " + expired, "a role nobody has": "Bearer " + operator,
			"unsigned":  "Bearer eyJhbGciOiJub25lIn0." + strings.Split(good, ".")[1] + ".",
			"truncated": "Bearer " + good[:len(good)-1],
		} {
			got := w.send(t, s.Method, s.path, s.body, "Content-Type", "application/json", "Authorization", header)
			require.Equal(t, http.StatusUnauthorized, got.status, name)
			require.Contains(t, got.problem(t)["type"], "unauthenticated")
			require.NotEmpty(t, got.header.Get("Www-Authenticate"))
		}
		got := w.send(t, s.Method, s.path, s.body, "Content-Type", "application/json", "Authorization", "bEaReR "+good)
		require.Equal(t, s.Status, got.status, "the scheme's case does not matter")
	})
}

func TestRolesPassOrAreForbidden(t *testing.T) {
	t.Parallel()
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		for _, role := range roles {
			got := w.send(t, s.Method, s.path, s.body, w.as(t, role)...)
			if s.Who.May(role) {
				require.Equal(t, s.Status, got.status, role+got.body)
				continue
			}
			require.Equal(t, http.StatusForbidden, got.status, role)
			require.Contains(t, got.problem(t)["type"], "forbidden")
		}
	})
}

func TestMalformedIDsAreNotFound(t *testing.T) {
	t.Parallel()
	bad := []string{"x", "*", ">", "a.b", "1", "%00", "%2e%2e", "null", orderID[:35], orderID + "0", "{" + orderID[1:],
		strings.ReplaceAll(orderID, "-", "_"), "urn:uuid:" + orderID, strings.Repeat("9", 500), restaurantID[:23], "G" + restaurantID[1:]}
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		for _, p := range s.Params {
			if p.In != rest.InPath {
				continue
			}
			for _, id := range bad {
				path := strings.Replace(s.path, goodID(p), id, 1)
				got := w.send(t, s.Method, path, s.body, w.as(t, s.role)...)
				require.Equal(t, http.StatusNotFound, got.status, path)
				require.Contains(t, got.problem(t)["type"], "not-found")
			}
		}
	})
}

func TestBodiesAreStrict(t *testing.T) {
	t.Parallel()
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		if s.Body == nil {
			return
		}
		inner := strings.TrimSpace(s.body[1:])
		firstKey := strings.SplitN(inner, `"`, 3)[1]
		cased := strings.Replace(s.body, `"`+firstKey, `"`+strings.ToUpper(firstKey), 1)
		for name, c := range map[string]struct {
			body   string
			status int
			field  string
		}{
			"nothing":           {"", 400, ""},
			"blank":             {"  ", 400, ""},
			"half":              {"{", 400, ""},
			"no JSON":           {"<xml/>", 400, ""},
			"trailing data":     {s.body + "{}", 400, ""},
			"duplicate key":     {`{"` + firstKey + `":1,` + inner, 400, ""},
			"not a number":      {`{"surprise":NaN}`, 400, ""},
			"too deep":          {strings.Repeat("[", 1000) + strings.Repeat("]", 1000), 400, ""},
			"bad UTF-8":         {"{\"surprise\":\"\xff\"}", 400, ""},
			"unknown field":     {`{"surprise":1,` + inner, 422, "surprise"},
			"an id":             {`{"orderIdd":"x",` + inner, 422, "orderIdd"},
			"prototype":         {`{"__proto__":{},` + inner, 422, "__proto__"},
			"another case":      {cased, 422, strings.ToUpper(firstKey)},
			"a list":            {"[]", 422, ""},
			"null":              {"null", 422, ""},
			"a text":            {`"x"`, 422, ""},
			"wrong type inside": {strings.Replace(`{"KEY":{"a":[]}}`, "KEY", firstKey, 1), 422, ""},
		} {
			got := w.send(t, s.Method, s.path, c.body, w.as(t, s.role)...)
			require.Equal(t, c.status, got.status, name+": "+got.body)
			p := got.problem(t)
			if c.status == 422 {
				require.NotEmpty(t, p["errors"], name)
			}
			if c.field != "" {
				require.Equal(t, c.field, p["errors"].([]any)[0].(map[string]any)["field"], name)
			}
		}
	})
}

func TestOnlyPlainJSONIsRead(t *testing.T) {
	t.Parallel()
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		bearer := w.as(t, s.role)[2:]
		if s.Body != nil {
			for _, media := range []string{"", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
				"application/xml", "application/json; charset=latin1", "application/jsonp", "application/json, text/html", ";;"} {
				got := w.send(t, s.Method, s.path, s.body, append(bearer, "Content-Type", media)...)
				require.Equal(t, http.StatusUnsupportedMediaType, got.status, media)
				require.Contains(t, got.problem(t)["type"], "unsupported")
			}
			got := w.send(t, s.Method, s.path, s.body, append(bearer, "Content-Type", "Application/JSON; Charset=UTF-8")...)
			require.Equal(t, s.Status, got.status, got.body)
		}
		if s.Method != http.MethodGet {
			got := w.send(t, s.Method, s.path, s.body, w.as(t, s.role, "Content-Encoding", "gzip")...)
			require.Equal(t, http.StatusUnsupportedMediaType, got.status)
			got = w.send(t, s.Method, s.path, `{"surprise":"`+strings.Repeat("x", rest.MaxBody)+`"}`, w.as(t, s.role)...)
			require.Equal(t, http.StatusRequestEntityTooLarge, got.status)
			require.Contains(t, got.problem(t)["type"], "too-large")
		}
	})
}

func TestQueriesAreChecked(t *testing.T) {
	t.Parallel()
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		got := w.send(t, s.Method, s.path+"?utm_source=mail&x=%zz", s.body, w.as(t, s.role)...)
		require.Equal(t, s.Status, got.status, "unknown parameters are ignored")
		for _, p := range s.Params {
			if p.In != rest.InQuery {
				continue
			}
			for _, value := range badValues(p) {
				got := w.send(t, s.Method, s.path+"?"+p.Name+"="+value, s.body, w.as(t, s.role)...)
				require.Equal(t, http.StatusUnprocessableEntity, got.status, p.Name+"="+value)
				errors := got.problem(t)["errors"].([]any)
				require.Equal(t, p.Name, errors[0].(map[string]any)["field"])
			}
			got := w.send(t, s.Method, s.path+"?"+p.Name+"=1&"+p.Name+"=1", s.body, w.as(t, s.role)...)
			require.Equal(t, http.StatusUnprocessableEntity, got.status, "given twice")
		}
	})
}

// badValues are some that the kind of the parameter does not allow.
func badValues(p rest.Param) []string {
	bad := []string{"%ff", "a%00b"}
	switch p.Kind {
	case rest.Integer:
		bad = append(bad, "", "x", "1.5", "%2B1", "1e2", "99999999999999999999")
	case rest.Number:
		bad = append(bad, "", "x", "NaN", "Inf", "0x10", "1_0", "1e999")
	case rest.Boolean:
		bad = append(bad, "", "yes", "1", "TRUE")
	case rest.UUID, rest.ObjectID:
		bad = append(bad, "", "x", orderID[:35])
	case rest.Text:
		bad = append(bad, strings.Repeat("x", 2000))
		if p.Enum != nil {
			bad = append(bad, "nonsense")
		}
	}
	for _, bound := range []*float64{p.Min, p.Max} {
		if bound != nil {
			outside := *bound + 1
			if bound == p.Min {
				outside = *bound - 1
			}
			bad = append(bad, strconv.FormatFloat(outside, 'f', -1, 64))
		}
	}
	return bad
}

func TestWrongMethodsSayWhichAreRight(t *testing.T) {
	t.Parallel()
	served := map[string]string{}
	for _, r := range rest.Routes() {
		served[r.Path] += r.Method + " "
	}
	eachRoute(t, func(t *testing.T, w *world, s sample) {
		for _, method := range []string{"PUT", "DELETE", "PATCH", "POST", "TRACE", "FROBNICATE"} {
			if strings.Contains(served[s.Path], method) {
				continue
			}
			got := w.send(t, method, s.path, "", w.as(t, "admin")...)
			require.Equal(t, http.StatusMethodNotAllowed, got.status, method)
			require.NotEmpty(t, got.header.Get("Allow"))
			got.problem(t)
		}
	})
}
