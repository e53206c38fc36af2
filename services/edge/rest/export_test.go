package rest

import "reflect"

// AppendJSON parses a value as a route does.
func (p Param) AppendJSON(b []byte, value string) ([]byte, string) { return p.appendJSON(b, value) }

// Target gives what a route forwards to, "" for none.
func (r Route) Target() (subject string, request reflect.Type) {
	return r.target.subject, r.target.request
}

// FieldName gives a parameter's name in the service's request.
func (p Param) FieldName() string { return p.field() }

// Splice joins fields and a body as a route does.
func Splice(fields, body []byte) []byte { return splice(fields, body) }

// Check decodes a body as a route does.
func (b *Body) Check(data []byte) error { return b.check(data) }
