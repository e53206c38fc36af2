package micro_test

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/wire"
)

type dish struct {
	Name  string     `json:"name"`
	Price wire.Money `json:"price"`
}

type menu struct {
	Dishes []dish          `json:"dishes"`
	Until  *wire.Time      `json:"until,omitzero"`
	Extra  json.RawMessage `json:"extra,omitzero"`
	Tags   map[string]bool `json:"tags,omitzero"`
}

type tree struct {
	Name     string `json:"name"`
	Children []tree `json:"children"`
}

func TestSchemaOf(t *testing.T) {
	t.Parallel()
	schema, err := micro.SchemaOf(reflect.TypeFor[menu]())
	require.NoError(t, err)
	require.JSONEq(t, `{
		"$schema": "https://json-schema.org/draft/2020-12/schema", "type": "object", "additionalProperties": false,
		"required": ["dishes"],
		"properties": {
			"dishes": {"type": "array", "items": {
				"type": "object", "additionalProperties": false, "required": ["name", "price"],
				"properties": {"name": {"type": "string"}, "price": {"type": "number", "multipleOf": 0.01}}
			}},
			"until": {"type": "string", "format": "date-time"},
			"extra": true,
			"tags": {"type": "object", "additionalProperties": {"type": "boolean"}}
		}
	}`, string(schema))
}

func TestSchemaOfEveryShape(t *testing.T) {
	t.Parallel()
	for _, typ := range []reflect.Type{
		reflect.TypeFor[struct{}](), reflect.TypeFor[string](), reflect.TypeFor[[]dish](), reflect.TypeFor[*menu](),
		reflect.TypeFor[tree](), reflect.TypeFor[micro.HealthStatus](),
	} {
		schema, err := micro.SchemaOf(typ)
		require.NoError(t, err, typ)
		require.True(t, json.Valid(schema))
	}
	_, err := micro.SchemaOf(reflect.TypeFor[chan int]())
	require.ErrorContains(t, err, "schema of chan int")
}
