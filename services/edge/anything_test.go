package edge_test

import (
	"encoding/json"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/edge/rest"
)

// mutate makes a request that is nearly right, which gets further into the code
// than noise does.
func mutate(t *rapid.T, s sample) (path, body string) {
	path, body = s.path, s.body
	segments := strings.Split(path, "/")
	if rapid.Bool().Draw(t, "break the path") {
		i := rapid.IntRange(1, len(segments)-1).Draw(t, "segment")
		segments[i] = url.PathEscape(rapid.String().Draw(t, "text"))
		path = strings.Join(segments, "/")
	}
	query := url.Values{}
	for _, p := range s.Params {
		if p.In == rest.InQuery && rapid.Bool().Draw(t, "give "+p.Name) {
			query.Set(p.Name, rapid.OneOf(rapid.String(), rapid.StringMatching(`-?[0-9]{1,20}(\.[0-9]{1,5})?`), rapid.Just("true")).Draw(t, p.Name))
		}
	}
	if len(query) > 0 {
		path += "?" + query.Encode()
	}
	switch rapid.IntRange(0, 4).Draw(t, "break the body") {
	case 0:
		body = rapid.String().Draw(t, "body")
	case 1:
		if at := rapid.IntRange(0, len(body)).Draw(t, "cut"); at < len(body) {
			body = body[:at] + body[at+1:]
		}
	case 2:
		body = replaceMember(t, body)
	}
	return path, body
}

// replaceMember gives one member of the body another value, of any type.
func replaceMember(t *rapid.T, body string) string {
	var members map[string]any
	if json.Unmarshal([]byte(body), &members) != nil || len(members) == 0 {
		return body
	}
	names := make([]string, 0, len(members))
	for name := range members {
		names = append(names, name)
	}
	members[rapid.SampledFrom(names).Draw(t, "member")] = rapid.SampledFrom([]any{
		nil, true, -1, 0, 1e308, 99999999999999999, "", "\u0000", strings.Repeat("x", 5000), []any{}, []any{[]any{}}, map[string]any{"a": 1},
		"💥", "' OR 1=1 --", "$where", "{{7*7}}", "../../etc/passwd", "%00",
	}).Draw(t, "value")
	text, err := json.Marshal(members)
	require.NoError(t, err)
	return string(text)
}

// Whatever is sent, the answer is one the route declares: never a 500, always a
// problem when it is a refusal.
func TestNothingIsA500(t *testing.T) {
	t.Parallel()
	w, all := newWorld(t), samples(t)
	rapid.Check(t, func(rt *rapid.T) {
		s := rapid.SampledFrom(all).Draw(rt, "route")
		path, body := mutate(rt, s)
		req, err := http.NewRequest(s.Method, w.url+path, strings.NewReader(body))
		if err != nil {
			return // no client can send it
		}
		req.Header.Set("Content-Type", "application/json")
		req.Header.Set("Authorization", "Bearer "+w.token(t, s.role))
		got := w.do(t, req)
		require.NotEqual(rt, http.StatusInternalServerError, got.status, got.body)
		require.Less(rt, got.status, http.StatusInternalServerError)
		if got.status >= http.StatusBadRequest {
			got.problem(t)
		}
	})
}
