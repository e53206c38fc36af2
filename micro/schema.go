package micro

import (
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/invopop/jsonschema"

	"tiffin/wire"
)

// The keys of an endpoint's metadata, which `nats micro info` shows.
const (
	metaDescription    = "description"
	metaRequestSchema  = "request_schema"
	metaResponseSchema = "response_schema"
)

// describe fills the metadata: a text and the two schemas.
func (e *endpoint) describe() error {
	request, err := SchemaOf(e.request)
	if err != nil {
		return err
	}
	response, err := SchemaOf(e.response)
	if err != nil {
		return err
	}
	e.metadata = map[string]string{
		metaDescription: e.description, metaRequestSchema: string(request), metaResponseSchema: string(response),
	}
	return nil
}

// SchemaOf gives the JSON Schema (2020-12) of a type as the wire carries it: wire.Money is a number, wire.Time a
// date-time string. It returns an error for a type that has no JSON form, such as a func.
func SchemaOf(t reflect.Type) (_ json.RawMessage, err error) {
	defer func() { // the library panics on such types
		if p := recover(); p != nil {
			err = fmt.Errorf("schema of %s: %v", t, p)
		}
	}()
	reflector := jsonschema.Reflector{Anonymous: true, DoNotReference: !recursive(t, nil), Mapper: wireTypes}
	return json.Marshal(reflector.ReflectFromType(t))
}

// wireTypes maps the types whose JSON differs from their Go shape.
func wireTypes(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[wire.Money]():
		return &jsonschema.Schema{Type: "number", MultipleOf: json.Number("0.01")}
	case reflect.TypeFor[wire.Time]():
		return &jsonschema.Schema{Type: "string", Format: "date-time"}
	default:
		return nil
	}
}

// recursive reports whether t contains itself. Such a type needs references; all others read better without.
func recursive(t reflect.Type, above []reflect.Type) bool {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return recursive(t.Elem(), above)
	case reflect.Struct:
		for _, a := range above {
			if a == t {
				return true
			}
		}
		for i := range t.NumField() {
			if t.Field(i).IsExported() && recursive(t.Field(i).Type, append(above, t)) {
				return true
			}
		}
	}
	return false
}
