package openapi

import (
	"bytes"
	"encoding/json"
	"slices"

	"github.com/invopop/jsonschema"
)

// maxExampleDepth ends the example of a schema that contains itself.
const maxExampleDepth = 6

// Example gives indented JSON that a schema allows, of values as people write
// them, "" for a schema without a form.
func (d *Document) Example(s *jsonschema.Schema) string {
	text, err := json.Marshal(d.exampleOf(s, 0))
	if err != nil {
		return ""
	}
	var out bytes.Buffer
	if json.Indent(&out, text, "", "  ") != nil {
		return ""
	}
	return out.String()
}

// compact takes the indentation out again.
func compact(text string) string {
	var out bytes.Buffer
	if json.Compact(&out, []byte(text)) != nil {
		return text
	}
	return out.String()
}

// member is one member of an object. A map would lose the order, which is half
// of what makes an example readable.
type member struct {
	name  string
	value any
}

// object is a JSON object with its members in order.
type object []member

// MarshalJSON writes the members in order.
func (o object) MarshalJSON() ([]byte, error) {
	b := []byte{'{'}
	for i, m := range o {
		if i > 0 {
			b = append(b, ',')
		}
		name, err := json.Marshal(m.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(m.value)
		if err != nil {
			return nil, err
		}
		b = append(append(append(b, name...), ':'), value...)
	}
	return append(b, '}'), nil
}

// exampleOf follows a schema down to values. A given example wins over everything
// that could be made up.
func (d *Document) exampleOf(s *jsonschema.Schema, depth int) any {
	if s == nil || depth > maxExampleDepth {
		return nil
	}
	switch {
	case s.Ref != "":
		return d.exampleOf(d.Components.Schemas[refName(s)], depth+1)
	case len(s.Examples) > 0:
		return s.Examples[0]
	case len(s.AnyOf) > 0:
		return d.exampleOf(s.AnyOf[0], depth)
	case len(s.Enum) > 0:
		return s.Enum[0]
	case s.Properties != nil:
		o := object{}
		for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
			// Optional members of requests are left out: the shortest request
			// that works is the best example.
			if s.AdditionalProperties == nil || len(s.Required) == 0 || slices.Contains(s.Required, pair.Key) {
				o = append(o, member{pair.Key, d.exampleOf(pair.Value, depth)})
			}
		}
		return o
	case s.Type == "array":
		return []any{d.exampleOf(s.Items, depth)}
	default:
		return plainExample(s)
	}
}

// plainExample is for members that no better example is known of.
func plainExample(s *jsonschema.Schema) any {
	switch {
	case s.Format == "date-time":
		return "2026-11-22T14:08:39.000Z"
	case s.Type == "integer", s.Type == "number":
		return 1
	case s.Type == "boolean":
		return true
	case s.Type == "object":
		return object{}
	default:
		return "…"
	}
}
