package rest_test

import (
	"maps"
	"net/http"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/services/edge/rest"
)

// members lists the JSON members of a struct, those of embedded structs among
// them.
func members(t reflect.Type) []string {
	var names []string
	for _, f := range reflect.VisibleFields(t) {
		if name, _, _ := strings.Cut(f.Tag.Get("json"), ","); name != "" && name != "-" {
			names = append(names, name)
		}
	}
	return names
}

// What a route reads must be something its endpoint takes, and path ids must
// not be settable through the body.
func TestRoutesFitTheirEndpoints(t *testing.T) {
	t.Parallel()
	for _, r := range rest.Routes() {
		subject, request := r.Target()
		if request == nil {
			continue
		}
		t.Run(r.Method+r.Path, func(t *testing.T) {
			t.Parallel()
			takes := members(request)
			var body []string
			if r.Body != nil {
				body = members(r.Body.Type)
				require.Subset(t, takes, body, "%s does not take all of the body", subject)
			}
			for _, p := range r.Params {
				if p.In == rest.InHeader || p.Local {
					continue
				}
				require.Contains(t, takes, p.FieldName(), subject)
				require.NotContains(t, body, p.FieldName(), "the body could override the path")
			}
		})
	}
}

func TestRoutesAreWellFormed(t *testing.T) {
	t.Parallel()
	seen, ids := map[string]bool{}, map[string]bool{}
	for _, r := range rest.Routes() {
		require.False(t, seen[r.Method+r.Path], "%s %s twice", r.Method, r.Path)
		require.False(t, ids[r.ID()], "%s twice", r.ID())
		seen[r.Method+r.Path], ids[r.ID()] = true, true
		require.NotEmpty(t, r.Summary)
		require.NotEmpty(t, r.Tag)
		require.NotEmpty(t, r.Limit)
		require.Regexp(t, `^[a-z][A-Za-z]+$`, r.ID())
		require.Equal(t, r.Status == 204, r.Answer == nil, r.Path)
		inPath := 0
		for _, p := range r.Params {
			require.NotEmpty(t, p.Doc, p.Name)
			if p.In == rest.InPath {
				inPath++
				require.Contains(t, r.Path, ":"+p.Name)
			}
		}
		require.Equal(t, strings.Count(r.Path, ":"), inPath, "every id is parsed")
	}
}

// The table is the contract's, line by line, and what the operations page reads besides.
func TestTheTableIsComplete(t *testing.T) {
	t.Parallel()
	want := strings.Fields(`
		POST/auth/register POST/auth/login POST/auth/refresh POST/auth/logout GET/auth/me
		GET/restaurants GET/restaurants/:id GET/restaurants/:id/menu POST/restaurants PATCH/restaurants/:id
		POST/restaurants/:id/menu PATCH/restaurants/:id/menu/:itemId DELETE/restaurants/:id/menu/:itemId
		POST/orders GET/orders/:id GET/orders PATCH/orders/:id/status GET/orders/:id/history
		GET/delivery/assignments GET/delivery/me PATCH/delivery/:id/location PATCH/delivery/:id/availability
		POST/delivery/:id/accept POST/delivery/:id/decline GET/tracking/:orderId GET/admin/overview GET/cities
		GET/admin/orders/:id/offers GET/admin/riders GET/admin/audit POST/admin/api-keys GET/admin/api-keys DELETE/admin/api-keys/:id`)
	var have []string
	for _, r := range rest.Routes() {
		have = append(have, r.Method+r.Path)
	}
	require.ElementsMatch(t, want, have)
}

func TestLimitsByPath(t *testing.T) {
	t.Parallel()
	for _, r := range rest.Routes() {
		want := rest.LimitGeneral
		switch {
		case strings.HasPrefix(r.Path, "/auth"):
			want = rest.LimitAuth
		case strings.HasPrefix(r.Path, "/orders"):
			want = rest.LimitOrders
		case strings.HasSuffix(r.Path, "/location"):
			want = rest.LimitLocation
		}
		require.Equal(t, want, r.Limit, r.Path)
	}
}

func TestRefusalsFollowFromTheDeclaration(t *testing.T) {
	t.Parallel()
	for _, r := range rest.Routes() {
		codes := r.Refusals()
		require.True(t, slices.IsSortedFunc(codes, func(a, b micro.Code) int { return a.HTTP() - b.HTTP() }))
		require.Contains(t, codes, micro.CodeLimited)
		require.Contains(t, codes, micro.CodeUnavailable)
		if r.Body != nil {
			require.Subset(t, codes, []micro.Code{micro.CodeMalformed, micro.CodeInvalid, micro.CodeTooLarge, micro.CodeUnsupported})
		}
		require.Contains(t, codes, micro.CodeUnauthenticated, "a bad key is refused everywhere")
		if strings.Contains(r.Path, ":") {
			require.Contains(t, codes, micro.CodeNotFound)
		}
	}
	require.Empty(t, rest.Route{Probe: true}.Refusals())
}

// Which scope a key needs is read off the route; nothing that changes accounts, sessions or keys can be had by one.
func TestScopesOfKeys(t *testing.T) {
	t.Parallel()
	needs := map[string]string{}
	for _, r := range rest.Routes() {
		needs[r.Method+r.Path] = r.Scope()
		if strings.HasPrefix(r.Path, "/auth") || strings.HasPrefix(r.Path, "/admin") {
			require.True(t, r.Method == http.MethodGet || r.Scope() == "", r.Path)
		}
	}
	require.Equal(t, "orders:write", needs["POST/orders"])
	require.Equal(t, "orders:write", needs["PATCH/orders/:id/status"])
	require.Equal(t, "orders:read", needs["GET/orders/:id/history"])
	require.Equal(t, "restaurants:write", needs["DELETE/restaurants/:id/menu/:itemId"])
	require.Equal(t, "tracking:read", needs["GET/tracking/:orderId"])
	require.Equal(t, "delivery:write", needs["POST/delivery/:id/accept"])
	require.Equal(t, "admin:read", needs["GET/admin/audit"])
	require.Empty(t, needs["GET/restaurants"], "everybody may")
	for _, scope := range auth.Scopes() {
		require.Contains(t, slices.Collect(maps.Values(needs)), scope, "a scope that opens nothing")
	}
}

func TestPrefix(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]string{"/orders": "/orders", "/orders/:id": "/orders", "/a/b/c": "/a"} {
		require.Equal(t, want, rest.Prefix(path))
	}
}

// Texts of the table end like sentences and name nothing internal.
func TestTextsAreForClients(t *testing.T) {
	t.Parallel()
	internal := regexp.MustCompile(`(?i)nats|postgres|mongo|redis|jetstream|sql\b|goroutine`)
	for _, r := range rest.Routes() {
		require.NotRegexp(t, internal, r.Summary+r.Detail, r.Path)
		require.NotRegexp(t, `\.$`, r.Summary)
		if r.Detail != "" {
			require.Regexp(t, `\.$`, r.Detail)
		}
	}
}

// An answer may only be shared where nobody has to say who they are, and nothing
// is changed.
func TestOnlyPublicReadsAreShared(t *testing.T) {
	t.Parallel()
	var shared []string
	for _, r := range rest.Routes() {
		if r.Alike() {
			shared = append(shared, r.Path)
			require.Equal(t, http.MethodGet, r.Method, r.Path)
			require.Equal(t, rest.Who{}, r.Who, r.Path)
		}
	}
	require.Equal(t, []string{"/restaurants", "/restaurants/:id", "/restaurants/:id/menu"}, shared)
}
