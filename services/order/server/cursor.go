package server

import (
	"encoding/base64"

	"github.com/google/uuid"

	"tiffin/shard"
	"tiffin/wire"
)

// A cursor is the id of the last order of a page: the next page begins with the next older one. Orders that arrive
// meanwhile are newer and change nothing behind it. It is opaque to clients, so it may change with cursorVersion.
const cursorVersion = 1

// encodeCursor makes the cursor behind an order.
func encodeCursor(id string) (string, error) {
	parsed, err := shard.ParseID(id)
	if err != nil {
		return "", err
	}
	return base64.RawURLEncoding.EncodeToString(append([]byte{cursorVersion}, parsed[:]...)), nil
}

// decodeCursor returns the id a cursor stands behind, "" for no cursor: wire.Invalid for what encodeCursor never made.
func decodeCursor(cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	data, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(data) != 1+len(uuid.UUID{}) || data[0] != cursorVersion {
		return "", errCursor()
	}
	id := uuid.UUID(data[1:]).String()
	if _, err := shard.ParseID(id); err != nil {
		return "", errCursor()
	}
	return id, nil
}

// errCursor does not say what is wrong with a cursor: clients have nothing to mend in it.
func errCursor() error {
	return wire.Invalid{{Field: "cursor", Message: "is not a cursor of this list"}}
}
