package openapi_test

import (
	"encoding/json"
	"maps"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/services/edge/openapi"
	"tiffin/services/edge/rest"
)

// text is the document as clients get it, decoded without our types.
func text(t testing.TB) map[string]any {
	t.Helper()
	data, err := openapi.Build("1.2.3", rest.Routes()).JSON()
	require.NoError(t, err)
	var doc map[string]any
	require.NoError(t, json.Unmarshal(data, &doc))
	return doc
}

// walk visits every object of a JSON value.
func walk(v any, visit func(map[string]any)) {
	switch v := v.(type) {
	case map[string]any:
		visit(v)
		for _, inner := range v {
			walk(inner, visit)
		}
	case []any:
		for _, inner := range v {
			walk(inner, visit)
		}
	}
}

// resolve follows a reference inside the document.
func resolve(doc map[string]any, ref string) any {
	var at any = doc
	for part := range strings.SplitSeq(strings.TrimPrefix(ref, "#/"), "/") {
		object, ok := at.(map[string]any)
		if !ok {
			return nil
		}
		at = object[part]
	}
	return at
}

func TestEveryReferenceResolves(t *testing.T) {
	t.Parallel()
	doc, used := text(t), map[string]bool{}
	walk(doc, func(o map[string]any) {
		ref, ok := o["$ref"].(string)
		if !ok {
			return
		}
		require.True(t, strings.HasPrefix(ref, "#/components/"), ref)
		require.NotNil(t, resolve(doc, ref), ref)
		used[ref] = true
	})
	for name := range resolve(doc, "#/components/schemas").(map[string]any) {
		require.True(t, used["#/components/schemas/"+name], "%s is used by nothing", name)
	}
	walk(doc, func(o map[string]any) { require.NotContains(t, o, "$schema") })
}

func TestEveryRouteIsDescribed(t *testing.T) {
	t.Parallel()
	doc := text(t)
	require.Equal(t, "3.1.0", doc["openapi"])
	require.Equal(t, "1.2.3", resolve(doc, "#/info/version"))
	paths, ids := doc["paths"].(map[string]any), map[string]bool{}
	for _, r := range rest.Routes() {
		op, ok := paths[openapi.Path(r.Path)].(map[string]any)[strings.ToLower(r.Method)].(map[string]any)
		require.True(t, ok, r.Path)
		id := op["operationId"].(string)
		require.False(t, ids[id])
		ids[id] = true
		require.Equal(t, r.Body != nil, op["requestBody"] != nil)
		ways := []any{}
		if r.Who.SignedIn {
			ways = append(ways, map[string]any{"bearer": []any{}})
		}
		if r.Scope() != "" {
			ways = append(ways, map[string]any{"apiKey": []any{r.Scope()}})
			require.Contains(t, op["description"], r.Scope())
		}
		require.Equal(t, ways, op["security"])
		declared := regexp.MustCompile(`\{(\w+)\}`).FindAllStringSubmatch(openapi.Path(r.Path), -1)
		params, _ := op["parameters"].([]any)
		for _, name := range declared {
			require.True(t, slices.ContainsFunc(params, func(p any) bool {
				return p.(map[string]any)["name"] == name[1] && p.(map[string]any)["required"] == true
			}), r.Path)
		}
		responses := op["responses"].(map[string]any)
		for _, code := range r.Refusals() {
			require.Contains(t, responses, statusText(code.HTTP()), r.Path)
		}
	}
}

func statusText(status int) string {
	text, _ := json.Marshal(status) // an int always has a form
	return string(text)
}

func TestRefusalsAreProblems(t *testing.T) {
	t.Parallel()
	doc := text(t)
	for name, r := range resolve(doc, "#/components/responses").(map[string]any) {
		content := r.(map[string]any)["content"].(map[string]any)
		require.Equal(t, []string{"application/problem+json"}, slices.Collect(maps.Keys(content)), name)
	}
	limited := resolve(doc, "#/components/responses/"+strings.ReplaceAll(http.StatusText(http.StatusTooManyRequests), " ", "")).(map[string]any)
	require.Contains(t, limited["headers"], "Retry-After")
	problem := resolve(doc, "#/components/schemas/Problem").(map[string]any)
	require.ElementsMatch(t, []any{"type", "title", "status", "instance"}, problem["required"])
}

// What reflection does not see by itself, but clients rely on.
func TestSchemasSayWhatServicesEnforce(t *testing.T) {
	t.Parallel()
	doc := text(t)
	at := func(path string) any { return resolve(doc, "#/components/schemas/"+path) }

	require.Equal(t, false, at("OrderCreateRequest/additionalProperties"), "requests are strict")
	require.Nil(t, at("Order/additionalProperties"), "answers may grow")
	require.Equal(t, "number", at("Order/properties/totalAmount/type"))
	require.Equal(t, "date-time", at("Order/properties/createdAt/format"))
	require.Contains(t, at("Order/properties/status/enum"), "picked_up")
	require.NotContains(t, at("StatusBody/properties/status/enum"), "pending")
	require.Contains(t, at("Order/required"), "deliveryPartnerId")
	nullable := at("Order/properties/deliveryPartnerId/anyOf").([]any)
	require.Equal(t, "null", nullable[1].(map[string]any)["type"])
	require.Equal(t, "number", at("OrderCreateRequest/properties/latitude/type"), "required and never null")
	require.InDelta(t, 90, at("OrderCreateRequest/properties/latitude/maximum"), 0)
	require.NotContains(t, at("AuthRegisterRequest/properties/role/enum"), "admin")
	require.InDelta(t, 8, at("AuthRegisterRequest/properties/password/minLength"), 0)
	require.NotContains(t, at("TrackingLocationResponse/required"), "reason")
	require.Equal(t, "array", at("CitiesResponse/properties/cities/type"))
	require.NotContains(t, mustText(t), "passwordHash")
}

// A member without a text is one that a reader must guess.
func TestEveryMemberIsExplained(t *testing.T) {
	t.Parallel()
	used := map[string]bool{}
	for name, schema := range resolve(text(t), "#/components/schemas").(map[string]any) {
		properties, _ := schema.(map[string]any)["properties"].(map[string]any)
		for member, property := range properties {
			require.NotEmpty(t, property.(map[string]any)["description"], "%s.%s is missing in members.json", name, member)
			used[name+"."+member], used[member] = true, true
		}
	}
	var known map[string]any
	data, err := os.ReadFile("members.json")
	require.NoError(t, err)
	require.NoError(t, json.Unmarshal(data, &known))
	for member := range known {
		require.True(t, used[member], "%s is in members.json and nowhere else", member)
	}
}

func mustText(t *testing.T) string {
	t.Helper()
	data, err := openapi.Build("1", rest.Routes()).JSON()
	require.NoError(t, err)
	return string(data)
}

// Every body that is shown as an example is one that the edge takes.
func TestExamplesAreAccepted(t *testing.T) {
	t.Parallel()
	doc := openapi.Build("1", rest.Routes())
	for _, r := range rest.Routes() {
		op := doc.Paths[openapi.Path(r.Path)][strings.ToLower(r.Method)]
		if op.RequestBody == nil {
			continue
		}
		example := doc.Example(op.RequestBody.Content["application/json"].Schema)
		require.True(t, json.Valid([]byte(example)), example)
		require.NotContains(t, example, `"…"`, "%s needs better examples", r.Path)
	}
}

func TestThePageEscapesItsTexts(t *testing.T) {
	t.Parallel()
	routes := []rest.Route{{Method: "GET", Path: "/x/:id", Tag: "<b>tag</b>", Summary: "<script>alert(1)</script>",
		Detail: "`<img>` and **<i>**", Status: 200, Probe: true}}
	page, err := openapi.Render(openapi.Build("1", routes))
	require.NoError(t, err)
	html := string(page.HTML)
	require.NotContains(t, html, "<script>alert")
	require.NotContains(t, html, "<img>")
	require.Contains(t, html, "<code>&lt;img&gt;</code>")
	require.NotEmpty(t, page.CSS)
	require.NotEmpty(t, page.JS)
}

func TestPath(t *testing.T) {
	t.Parallel()
	for fiber, want := range map[string]string{"/a": "/a", "/a/:id": "/a/{id}", "/a/:id/b/:bId": "/a/{id}/b/{bId}"} {
		require.Equal(t, want, openapi.Path(fiber))
	}
}

func BenchmarkBuild(b *testing.B) {
	for b.Loop() {
		if _, err := openapi.Build("1", rest.Routes()).JSON(); err != nil {
			b.Fatal(err)
		}
	}
}
