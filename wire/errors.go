package wire

import "strings"

// FieldError says what is wrong with one field. Field is a path such as "items[0].quantity", empty for the whole value.
type FieldError struct {
	Field   string `json:"field"`
	Message string `json:"message"`
}

// Invalid is the error of a well-formed value that breaks rules: HTTP 422. It is never empty.
type Invalid []FieldError

// Error joins the fields and messages. It contains none of the refused values.
func (e Invalid) Error() string {
	parts := make([]string, len(e))
	for i, f := range e {
		parts[i] = strings.TrimPrefix(f.Field+": "+f.Message, ": ")
	}
	return "invalid: " + strings.Join(parts, "; ")
}

// Malformed is the error of text that is no JSON, or JSON that two readers could understand differently: HTTP 400.
type Malformed struct{ Reason string }

// Error gives the reason, which names the kind of fault but not the text.
func (e Malformed) Error() string { return "malformed JSON: " + e.Reason }
