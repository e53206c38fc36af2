package openapi

import (
	"bytes"
	_ "embed"
	"encoding/json"
	"fmt"

	"github.com/invopop/jsonschema"
)

// membersJSON says what each member of a schema means and what a value of it
// looks like, by the member's name or, where the same name means different
// things, by schema and member.
//
//go:embed members.json
var membersJSON []byte

// about is what is known about a member.
type about struct {
	Text    string `json:"text"`
	Example any    `json:"example"`
}

// members knows about each member by name.
type members map[string]about

// loadMembers reads the file. It panics on one that is no JSON, which no binary
// that passed its tests has.
func loadMembers() members {
	decoder := json.NewDecoder(bytes.NewReader(membersJSON))
	decoder.UseNumber() // 37.7749 must not become 37.774900000000002
	m := members{}
	if err := decoder.Decode(&m); err != nil {
		panic(fmt.Sprintf("openapi: members.json: %v", err))
	}
	return m
}

// of finds what is known about a member of a schema.
func (m members) of(schema, member string) about {
	if a, ok := m[schema+"."+member]; ok {
		return a
	}
	return m[member]
}

// explain adds text and example to a property, unless it has better ones.
func (m members) explain(schema, member string, property *jsonschema.Schema) {
	a := m.of(schema, member)
	property.Description = a.Text
	if a.Example != nil && property.Ref == "" && len(property.Enum) == 0 && len(property.AnyOf) == 0 {
		property.Examples = []any{a.Example}
	}
	if a.Example != nil && len(property.AnyOf) > 0 && property.AnyOf[0].Ref == "" && len(property.AnyOf[0].Enum) == 0 {
		property.Examples = []any{a.Example}
	}
}
