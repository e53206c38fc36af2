package rest_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"pgregory.net/rapid"

	"tiffin/services/edge/rest"
)

func TestSplice(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ fields, body, want string }{
		{"", "", "{}"},
		{`"id":"x"`, "", `{"id":"x"}`},
		{`"id":"x"`, "{}", `{"id":"x"}`},
		{`"id":"x"`, "{ \n}", `{"id":"x"}`},
		{"", `{"a":1}`, `{"a":1}`},
		{`"id":"x"`, "{\n \"a\": 1 }", `{"id":"x","a": 1}`},
	} {
		require.Equal(t, c.want, string(rest.Splice([]byte(c.fields), []byte(c.body))))
	}
}

// Members of both sides arrive, each exactly once and unchanged.
func TestSpliceKeepsEveryMember(t *testing.T) {
	t.Parallel()
	rapid.Check(t, func(t *rapid.T) {
		body := rapid.MapOf(rapid.StringMatching(`[a-z]{1,8}`), rapid.String()).Draw(t, "body")
		text, err := json.Marshal(body)
		require.NoError(t, err)
		var out map[string]string
		require.NoError(t, json.Unmarshal(rest.Splice([]byte(`"ID":"x"`), text), &out))
		require.Equal(t, "x", out["ID"])
		delete(out, "ID")
		if len(body) == 0 {
			require.Empty(t, out)
			return
		}
		require.Equal(t, body, out)
	})
}

// No body makes any route's decoder panic, and none that names an id gets
// through.
func FuzzBodies(f *testing.F) {
	for _, seed := range []string{"", "null", "[]", "{}", `{"status":"ready"}`, `{"latitude":1e999}`, `{"a":{"a":{"a":1}}}`, "{\"\xff\":1}", `{"id":"x"}`} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		for _, r := range rest.Routes() {
			if r.Body == nil {
				continue
			}
			err := r.Body.Check([]byte(text))
			if err == nil {
				require.NotContains(t, strings.ToLower(text), `"deliverypartnerid"`)
			}
		}
	})
}
