package openapi

import (
	"reflect"

	"github.com/invopop/jsonschema"
)

// Schemas describes types, and all they contain, under the names that their
// schemas have in the description of the API. References between them are of
// the form #/$defs/Name.
func Schemas(types ...reflect.Type) map[string]*jsonschema.Schema {
	b := newBuilder()
	for _, t := range types {
		b.answer(t)
	}
	b.finish()
	return b.schemas
}

// NameOf gives the name of a type's schema, "" for a type without a name.
func NameOf(t reflect.Type) string { return nameOf(t) }
