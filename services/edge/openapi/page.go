package openapi

import (
	"bytes"
	_ "embed"
	"fmt"
	"html/template"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/invopop/jsonschema"

	"tiffin/services/edge/problem"
)

// PagePolicy is the Content-Security-Policy of the page: its own style and
// script, nothing from elsewhere.
const PagePolicy = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; " +
	"base-uri 'none'; form-action 'none'; frame-ancestors 'none'"

// Page is the description for people: one page with its style and script. It
// works without the script, which only filters and copies.
type Page struct{ HTML, CSS, JS []byte }

// The parts of the page. They are embedded apart, because the policy of the page
// allows neither style nor script inside it.
var (
	//go:embed page.html
	pageHTML string
	//go:embed page.css
	pageCSS []byte
	//go:embed page.js
	pageJS []byte
)

// view is what the template shows.
type view struct {
	Title, Version string
	Introduction   []string
	Sections       []section
	Schemas        []schemaView
	Problems       []problem.Kind
}

// section is all operations under one tag.
type section struct {
	Name       string
	Operations []operationView
}

// operationView is one operation as a card of the page.
type operationView struct {
	ID, Method, Path, Summary string
	Paragraphs                []string
	SignedIn                  bool
	Params                    []fieldView
	Body, Answer              *bodyView
	Status                    string // of the good answer
	Refusals                  []refusalView
	Curl                      string
}

// bodyView is the JSON of a request or answer.
type bodyView struct {
	Schema  string // name, "" for none of its own
	Example string // JSON
}

// refusalView is one way to be refused.
type refusalView struct{ Status, Text string }

// schemaView is one schema as a table.
type schemaView struct {
	Name, Text string
	Fields     []fieldView
}

// fieldView is one line of a table: a parameter or a member.
type fieldView struct {
	Name, Type, Link, In, Text string
	Required                   bool
}

// Render makes the page.
func Render(doc *Document) (Page, error) {
	t, err := template.New("docs").Funcs(template.FuncMap{"rich": rich, "lower": strings.ToLower, "anchor": anchor}).Parse(pageHTML)
	if err != nil {
		return Page{}, fmt.Errorf("documentation: %w", err)
	}
	var out bytes.Buffer
	if err := t.Execute(&out, viewOf(doc)); err != nil {
		return Page{}, fmt.Errorf("documentation: %w", err)
	}
	return Page{HTML: out.Bytes(), CSS: pageCSS, JS: pageJS}, nil
}

// The only markup that texts of the description may use.
var (
	code = regexp.MustCompile("`([^`]+)`")
	bold = regexp.MustCompile(`\*\*([^*]+)\*\*`)
)

// rich shows `code` and **bold** of a text that is escaped first, so that nothing in it can be markup of its own.
func rich(text string) template.HTML {
	safe := template.HTMLEscapeString(text)
	safe = code.ReplaceAllString(safe, "<code>$1</code>")
	return template.HTML(bold.ReplaceAllString(safe, "<strong>$1</strong>"))
}

// anchor makes a fragment of a heading.
func anchor(text string) string { return strings.ReplaceAll(strings.ToLower(text), " ", "-") }

// viewOf arranges a document for reading: by tag, in the order of the routes.
func viewOf(doc *Document) view {
	v := view{Title: doc.Info.Title, Version: doc.Info.Version, Problems: problem.Kinds(),
		Introduction: strings.Split(strings.TrimSpace(doc.Info.Description), "\n")}
	v.Introduction = slices.DeleteFunc(v.Introduction, func(line string) bool { return line == "" })
	for _, tag := range doc.Tags {
		s := section{Name: tag.Name}
		for _, at := range doc.operations {
			if at.operation.Tags[0] == tag.Name {
				s.Operations = append(s.Operations, doc.operationView(at.method, at.path, at.operation))
			}
		}
		v.Sections = append(v.Sections, s)
	}
	for _, name := range doc.Schemas() {
		v.Schemas = append(v.Schemas, doc.schemaView(name))
	}
	return v
}

// operationView arranges one operation.
func (d *Document) operationView(method, path string, op *Operation) operationView {
	o := operationView{
		ID: op.OperationID, Method: strings.ToUpper(method), Path: path, Summary: op.Summary, SignedIn: len(op.Security) > 0,
		Paragraphs: slices.DeleteFunc(strings.Split(op.Description, "\n\n"), func(p string) bool { return p == "" }),
	}
	for _, p := range op.Parameters {
		o.Params = append(o.Params, fieldView{Name: p.Name, Type: typeName(p.Schema), In: p.In, Required: p.Required, Text: p.Description})
	}
	if op.RequestBody != nil {
		o.Body = d.bodyView(op.RequestBody.Content)
	}
	for _, status := range slices.Sorted(maps.Keys(op.Responses)) {
		res := op.Responses[status]
		if n, err := strconv.Atoi(status); err == nil && n < 300 {
			o.Status, o.Answer = status, d.bodyView(res.Content)
			continue
		}
		if name, ok := strings.CutPrefix(res.Ref, "#/components/responses/"); ok {
			res = d.Components.Responses[name]
		}
		o.Refusals = append(o.Refusals, refusalView{status, strings.TrimSuffix(res.Description, ".")})
	}
	o.Curl = d.curl(o, op)
	return o
}

// bodyView shows the JSON of a body, nil when there is none.
func (d *Document) bodyView(content map[string]Media) *bodyView {
	media, ok := content[mediaJSON]
	if !ok {
		return nil
	}
	return &bodyView{Schema: refName(media.Schema), Example: d.Example(media.Schema)}
}

// curl is the request as one types it.
func (d *Document) curl(o operationView, op *Operation) string {
	var b strings.Builder
	b.WriteString("curl ")
	if o.Method != http.MethodGet {
		b.WriteString("-X " + o.Method + " ")
	}
	b.WriteString("localhost:3000" + o.Path)
	if o.SignedIn {
		b.WriteString(" \\\n  -H \"Authorization: Bearer $TOKEN\"")
	}
	if o.Body != nil {
		b.WriteString(" \\\n  -H 'Content-Type: application/json' \\\n  -d '" + compact(d.Example(op.RequestBody.Content[mediaJSON].Schema)) + "'")
	}
	return b.String()
}

// schemaView arranges one schema. One without members, such as a list of words,
// is a heading and a text.
func (d *Document) schemaView(name string) schemaView {
	s := d.Components.Schemas[name]
	v := schemaView{Name: name, Text: s.Description}
	if s.Properties == nil {
		return v
	}
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		p := pair.Value
		v.Fields = append(v.Fields, fieldView{
			Name: pair.Key, Type: typeName(p), Link: linkOf(p), Text: p.Description, Required: slices.Contains(s.Required, pair.Key)})
	}
	return v
}

// linkOf names the schema that a property consists of, "" for none.
func linkOf(s *jsonschema.Schema) string {
	switch {
	case s.Ref != "":
		return refName(s)
	case s.Items != nil:
		return linkOf(s.Items)
	case len(s.AnyOf) > 0:
		return linkOf(s.AnyOf[0])
	default:
		return ""
	}
}

// refName gives the name a reference ends with, "" for what is no reference.
func refName(s *jsonschema.Schema) string {
	if i := strings.LastIndexByte(s.Ref, '/'); i >= 0 {
		return s.Ref[i+1:]
	}
	return ""
}

// typeName says in words what a schema allows.
func typeName(s *jsonschema.Schema) string {
	switch {
	case s.Ref != "":
		return refName(s)
	case len(s.AnyOf) == 2:
		return typeName(s.AnyOf[0]) + " or null"
	case len(s.Enum) > 0:
		words := make([]string, len(s.Enum))
		for i, w := range s.Enum {
			words[i] = fmt.Sprint(w)
		}
		return strings.Join(words, " | ")
	case s.Type == "array" && s.Items != nil:
		return "list of " + typeName(s.Items)
	case s.Format != "":
		return s.Format
	case s.Minimum != "" && s.Maximum != "":
		return s.Type + " " + string(s.Minimum) + " to " + string(s.Maximum)
	default:
		return s.Type
	}
}
