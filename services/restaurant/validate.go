package restaurant

import (
	"fmt"
	"math"
	"net/mail"
	"strings"
	"unicode"
	"unicode/utf8"

	"tiffin/wire"
)

// Limits of lists and fields.
const (
	DefaultLimit  = 20
	MaxLimit      = 100
	MaxRadiusKm   = 500
	MaxQuoteLines = 100
	MaxQuotes     = 32 // in one QuotesRequest
	MaxQuantity   = 1000
	MaxPrice      = wire.Money(10_000_00) // the dearest dish
	MaxMenuItems  = 500                   // dishes a restaurant may have: a menu is read and cached as a whole

	maxNameRunes    = 120
	maxTextRunes    = 300
	maxLongRunes    = 1000
	maxPhoneRunes   = 20
	maxCursorBytes  = 512
	maxEmailBytes   = 254
	maxCuisineRunes = 60
	maxUserRunes    = 36 // of a UUID
)

// ValidID says whether id has the form of a restaurant's or menu item's id.
func ValidID(id string) bool {
	if len(id) != 24 {
		return false
	}
	for _, c := range []byte(id) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return true
}

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r ListRequest) Validate() error {
	var v checks
	v.text("city", r.City, 0, maxNameRunes)
	v.text("q", r.Q, 0, maxNameRunes)
	v.text("cuisine", r.Cuisine, 0, maxCuisineRunes)
	v.text("ownerUserId", r.OwnerUserID, 0, maxUserRunes)
	v.position(r.Latitude, r.Longitude)
	if (r.Latitude == nil) != (r.Longitude == nil) {
		v.refuse("latitude", "and longitude must be given together")
	}
	if r.RadiusKm != nil {
		v.between("radiusKm", *r.RadiusKm, math.SmallestNonzeroFloat64, MaxRadiusKm)
		if r.Latitude == nil {
			v.refuse("radiusKm", "needs latitude and longitude")
		}
	}
	if r.Limit < 0 || r.Limit > MaxLimit {
		v.refuse("limit", "must be between 1 and %d", MaxLimit)
	}
	if len(r.Cursor) > maxCursorBytes {
		v.refuse("cursor", "is not one of ours")
	}
	return v.err()
}

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r CreateRequest) Validate() error {
	var v checks
	v.text("name", r.Name, 1, maxNameRunes)
	v.text("city", r.City, 1, maxNameRunes)
	v.text("address", r.Address, 1, maxTextRunes)
	v.required("latitude", r.Latitude)
	v.required("longitude", r.Longitude)
	v.position(r.Latitude, r.Longitude)
	v.phone(r.PhoneNumber)
	v.email(r.Email)
	v.text("cuisine", r.Cuisine, 0, maxCuisineRunes)
	return v.err()
}

// Validate returns wire.Invalid naming every given field that cannot be accepted.
func (r Changes) Validate() error {
	var v checks
	v.optional("name", r.Name, 1, maxNameRunes)
	v.optional("city", r.City, 1, maxNameRunes)
	v.optional("address", r.Address, 1, maxTextRunes)
	v.position(r.Latitude, r.Longitude)
	if r.PhoneNumber != nil {
		v.phone(*r.PhoneNumber)
	}
	if r.Email != nil {
		v.email(*r.Email)
	}
	v.optional("cuisine", r.Cuisine, 0, maxCuisineRunes)
	return v.err()
}

// Validate returns wire.Invalid naming every field that cannot be accepted.
func (r ItemFields) Validate() error {
	var v checks
	v.text("name", r.Name, 1, maxNameRunes)
	v.long("description", r.Description, maxLongRunes)
	v.text("category", r.Category, 0, maxCuisineRunes)
	if r.Price == nil {
		v.refuse("price", "is required")
	} else {
		v.price(*r.Price)
	}
	return v.err()
}

// Validate returns wire.Invalid naming every given field that cannot be accepted.
func (r ItemChanges) Validate() error {
	var v checks
	v.optional("name", r.Name, 1, maxNameRunes)
	v.optional("category", r.Category, 0, maxCuisineRunes)
	if r.Description != nil {
		v.long("description", *r.Description, maxLongRunes)
	}
	if r.Price != nil {
		v.price(*r.Price)
	}
	return v.err()
}

// Validate returns wire.Invalid naming every line that cannot be accepted. Unknown ids are the service's answer.
func (r QuoteRequest) Validate() error {
	var v checks
	if len(r.Items) == 0 {
		v.refuse("items", "must not be empty")
	}
	if len(r.Items) > MaxQuoteLines {
		v.refuse("items", "must be at most %d", MaxQuoteLines)
		return v.err()
	}
	for i, line := range r.Items {
		if !ValidID(line.MenuItemID) {
			v.refuse(fmt.Sprintf("items[%d].menuItemId", i), "is not on the menu")
		}
		if line.Quantity < 1 || line.Quantity > MaxQuantity {
			v.refuse(fmt.Sprintf("items[%d].quantity", i), "must be between 1 and %d", MaxQuantity)
		}
	}
	return v.err()
}

// Validate returns wire.Invalid for none or too many. The quotes are judged one by one.
func (r QuotesRequest) Validate() error {
	var v checks
	if len(r.Quotes) == 0 || len(r.Quotes) > MaxQuotes {
		v.refuse("quotes", "must be 1 to %d", MaxQuotes)
	}
	return v.err()
}

// checks collects refusals. Messages never repeat the refused value.
type checks struct{ invalid wire.Invalid }

func (v *checks) refuse(field, format string, args ...any) {
	v.invalid = append(v.invalid, wire.FieldError{Field: field, Message: fmt.Sprintf(format, args...)})
}

func (v *checks) err() error {
	if len(v.invalid) == 0 {
		return nil
	}
	return v.invalid
}

func (v *checks) required(field string, value *float64) {
	if value == nil {
		v.refuse(field, "is required")
	}
}

func (v *checks) position(latitude, longitude *float64) {
	if latitude != nil {
		v.between("latitude", *latitude, -90, 90)
	}
	if longitude != nil {
		v.between("longitude", *longitude, -180, 180)
	}
}

// between refuses NaN too, which compares false with everything.
func (v *checks) between(field string, value, least, most float64) {
	if !(value >= least && value <= most) {
		v.refuse(field, "is out of range")
	}
}

func (v *checks) price(price wire.Money) {
	if price < 0 || price > MaxPrice {
		v.refuse("price", "must be between 0.00 and %s", MaxPrice)
	}
}

func (v *checks) optional(field string, value *string, least, most int) {
	if value != nil {
		v.text(field, *value, least, most)
	}
}

func (v *checks) text(field, value string, least, most int) {
	n := utf8.RuneCountInString(strings.TrimSpace(value))
	switch {
	case n < least:
		v.refuse(field, "is required")
	case n > most:
		v.refuse(field, "must have at most %d characters", most)
	case strings.ContainsFunc(value, unicode.IsControl):
		v.refuse(field, "must not contain control characters")
	}
}

// long is text that may have lines.
func (v *checks) long(field, value string, most int) {
	if utf8.RuneCountInString(value) > most {
		v.refuse(field, "must have at most %d characters", most)
	}
	if strings.ContainsFunc(value, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' }) {
		v.refuse(field, "must not contain control characters")
	}
}

func (v *checks) email(value string) {
	if address, err := mail.ParseAddress(value); err != nil || address.Address != value || len(value) > maxEmailBytes {
		v.refuse("email", "is not an e-mail address")
	}
}

func (v *checks) phone(value string) {
	digits := 0
	for _, r := range value {
		switch {
		case r >= '0' && r <= '9':
			digits++
		case !strings.ContainsRune("+ .-()/", r):
			v.refuse("phoneNumber", "is not a phone number")
			return
		}
	}
	if digits < 5 || utf8.RuneCountInString(value) > maxPhoneRunes {
		v.refuse("phoneNumber", "is not a phone number")
	}
}
