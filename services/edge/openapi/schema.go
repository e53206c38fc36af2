package openapi

import (
	_ "embed"
	"maps"
	"path"
	"reflect"
	"slices"
	"strings"

	"github.com/invopop/jsonschema"

	"tiffin/services/auth"
	"tiffin/services/delivery"
	"tiffin/services/order"
)

// introduction stands at the head of the document.
//
//go:embed introduction.md
var introduction string

// builder collects the schemas of all routes under unique names.
type builder struct {
	reflector jsonschema.Reflector
	schemas   map[string]*jsonschema.Schema
	answers   map[reflect.Type]bool // types of answers, with all they contain
}

// newBuilder makes a builder without schemas.
func newBuilder() *builder {
	return &builder{
		reflector: jsonschema.Reflector{Anonymous: true, Namer: nameOf, Mapper: wireForm},
		schemas:   map[string]*jsonschema.Schema{},
		answers:   map[reflect.Type]bool{},
	}
}

// request gives a reference to the schema of a body. It refuses unknown
// members, as the edge does.
func (b *builder) request(t reflect.Type) *jsonschema.Schema { return b.reference(t) }

// answer gives a reference to the schema of an answer. Unknown members are
// allowed: answers may grow.
func (b *builder) answer(t reflect.Type) *jsonschema.Schema {
	b.collect(t)
	return b.reference(t)
}

// reference puts a type's schema, and those of all it contains, among the named
// ones and refers to it. Types without a name are written out in place.
func (b *builder) reference(t reflect.Type) *jsonschema.Schema {
	if nameOf(t) == "" || t.PkgPath() == "" {
		s := b.reflector.ReflectFromType(t)
		s.Version = ""
		return s
	}
	if _, known := b.schemas[nameOf(t)]; !known {
		maps.Copy(b.schemas, b.reflector.ReflectFromType(t).Definitions)
	}
	return &jsonschema.Schema{Ref: "#/$defs/" + nameOf(t)}
}

// collect notes t and every struct inside it as part of an answer.
func (b *builder) collect(t reflect.Type) {
	switch t.Kind() {
	case reflect.Pointer, reflect.Slice, reflect.Map:
		b.collect(t.Elem())
	case reflect.Struct:
		if b.answers[t] || wireForm(t) != nil {
			return
		}
		b.answers[t] = true
		for i := range t.NumField() {
			b.collect(t.Field(i).Type)
		}
	}
}

// finish adds what reflection cannot know: which members of answers may be
// null, bounds, meaning, and examples.
func (b *builder) finish() {
	for t := range b.answers {
		s := b.schemas[nameOf(t)]
		if s == nil {
			continue // embedded: its members are those of the struct around it
		}
		s.AdditionalProperties = nil
		for _, f := range reflect.VisibleFields(t) {
			allowNull(s, f)
		}
	}
	known := loadMembers()
	for name, s := range b.schemas {
		complete(known, name, s)
	}
}

// allowNull widens the schema of a pointer that is written even when it is nil.
func allowNull(s *jsonschema.Schema, f reflect.StructField) {
	name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
	if f.Type.Kind() != reflect.Pointer || strings.Contains(options, "omit") || s.Properties == nil {
		return
	}
	property, ok := s.Properties.Get(name)
	if !ok {
		return
	}
	s.Properties.Set(name, &jsonschema.Schema{AnyOf: []*jsonschema.Schema{property, {Type: "null"}}})
}

// nameOf names a type's schema: Order, OrderCreateRequest, AuthSession. The
// package comes first unless the type's name already begins with it. A type
// without a name, such as a list, has no schema of its own.
func nameOf(t reflect.Type) string {
	pkg, name := path.Base(t.PkgPath()), t.Name()
	if name == "" {
		return ""
	}
	name = strings.ToUpper(name[:1]) + name[1:]
	if strings.HasPrefix(strings.ToLower(name), pkg) || pkg == "rest" || pkg == "edge" {
		return name
	}
	return strings.ToUpper(pkg[:1]) + pkg[1:] + name
}

// enumForm lists the words of a type that is one of a few.
func enumForm(t reflect.Type) *jsonschema.Schema {
	switch t {
	case reflect.TypeFor[order.Status]():
		return words(order.Statuses()...)
	case reflect.TypeFor[delivery.AssignmentStatus]():
		return words(delivery.Offered, delivery.Accepted, delivery.PickedUp, delivery.Delivered, delivery.Failed,
			delivery.Declined, delivery.Expired, delivery.Withdrawn)
	case reflect.TypeFor[delivery.RiderState]():
		return words(delivery.RiderOffline, delivery.RiderSilent, delivery.RiderFree, delivery.RiderOffered, delivery.RiderCarrying)
	default:
		return nil
	}
}

// words makes the schema of a text that is one of the list.
func words[T ~string](list ...T) *jsonschema.Schema {
	s := &jsonschema.Schema{Type: "string"}
	for _, w := range list {
		s.Enum = append(s.Enum, string(w))
	}
	return s
}

// facts are the rules of single members that the services' Validate enforces,
// by schema and member. "*" is any schema.
var facts = map[string]func(*jsonschema.Schema){
	"*.latitude":                     bounds(-90, 90),
	"*.longitude":                    bounds(-180, 180),
	"*.rating":                       bounds(0, 5),
	"*.heading":                      bounds(0, 360),
	"*.email":                        format("email"),
	"AuthUser.role":                  oneOf(auth.RoleCustomer, auth.RoleOwner, auth.RoleRider, auth.RoleAdmin),
	"AuthRegisterRequest.role":       oneOf(auth.RoleCustomer, auth.RoleOwner, auth.RoleRider),
	"AuthRegisterRequest.password":   lengths(auth.MinPasswordRunes, auth.MaxPasswordBytes),
	"AuthKeyCreateRequest.rateLimit": bounds(1, auth.MaxKeyRate),
	"AuthKeyCreateRequest.scopes":    scopes,
	"AuthAPIKey.scopes":              scopes,
	"OrderCreateRequest.items": func(s *jsonschema.Schema) {
		s.MinItems, s.MaxItems = jsonschemaLength(1), jsonschemaLength(order.MaxLines)
	},
	"OrderLine.quantity": bounds(1, order.MaxQuantity),
	"StatusBody.status": func(s *jsonschema.Schema) {
		s.Enum = words(slices.DeleteFunc(order.Statuses(), func(to order.Status) bool { return !order.Settable(to) })...).Enum
	},
}

// scopes limits a list to the scopes of API keys.
func scopes(s *jsonschema.Schema) {
	s.Items, s.MinItems, s.UniqueItems = words(auth.Scopes()...), jsonschemaLength(1), true
}

// bounds limits a number.
func bounds(lo, hi float64) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) { s.Minimum, s.Maximum = number(lo), number(hi) }
}

// lengths limits a text.
func lengths(lo, hi uint64) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) { s.MinLength, s.MaxLength = &lo, &hi }
}

// format names the form of a text.
func format(name string) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) { s.Format = name }
}

// oneOf limits a text to the list.
func oneOf(list ...string) func(*jsonschema.Schema) {
	return func(s *jsonschema.Schema) { s.Enum = words(list...).Enum }
}

// complete applies facts, texts and examples to the members of a schema.
func complete(known members, name string, s *jsonschema.Schema) {
	if s.Properties == nil {
		return
	}
	for pair := s.Properties.Oldest(); pair != nil; pair = pair.Next() {
		for _, key := range []string{"*." + pair.Key, name + "." + pair.Key} {
			if fact, ok := facts[key]; ok && pair.Value.Type != "" {
				fact(pair.Value)
			}
		}
		known.explain(name, pair.Key, pair.Value)
	}
}

// Schemas lists the names of a document's schemas, sorted.
func (d *Document) Schemas() []string { return slices.Sorted(maps.Keys(d.Components.Schemas)) }
