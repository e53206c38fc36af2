package shard

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"
)

// ErrBadID says that a string is not an id of this fleet: no UUID in its
// 36-character form, not version 8, or of a region that is not configured. To a
// client such an id is simply one that does not exist.
var ErrBadID = errors.New("shard: not an id of this fleet")

// ParseID parses an id in the canonical form of 36 lower- or upper-case
// characters. Every other form that UUID libraries accept (braces, urn:uuid:,
// no hyphens) is refused with ErrBadID, so that one row has one id.
func ParseID(s string) (uuid.UUID, error) {
	if len(s) != 36 {
		return uuid.Nil, ErrBadID
	}
	id, err := uuid.Parse(s)
	if err != nil || id.Version() != 8 || id.Variant() != uuid.RFC4122 {
		return uuid.Nil, ErrBadID
	}
	return id, nil
}

// regionCode is the 12 bits by which an id names its region: the first twelve
// of the name's SHA-256. It is derived from the name and nothing else, so that
// two processes with different configurations agree on it.
func regionCode(region Region) uint16 {
	sum := sha256.Sum256([]byte(region))
	return binary.BigEndian.Uint16(sum[:]) >> 4
}

// codeOf reads the region code out of a version 8 id.
func codeOf(id uuid.UUID) uint16 {
	return binary.BigEndian.Uint16(id[6:8]) & 0x0fff
}

// newID builds an RFC 9562 version 8 UUID: 48 bits of Unix milliseconds, so
// that ids made one after another are neighbours in an index, 12 bits of region
// code, and 62 random bits.
func newID(code uint16, at time.Time) uuid.UUID {
	var id uuid.UUID
	// Since Go 1.24 Read never fails: it ends the process when the system has
	// no randomness to give.
	rand.Read(id[8:])
	binary.BigEndian.PutUint64(id[:8], uint64(at.UnixMilli())<<16|0x8000|uint64(code&0x0fff))
	id[8] = id[8]&0x3f | 0x80
	return id
}

// NewID makes an id of the given region, stamped with the present.
func (r *Router) NewID(region Region) string {
	return newID(r.Code(region), time.Now()).String()
}

// Code is the 12 bits by which ids name a region, 0 to 4095. It depends on the
// name alone.
func (r *Router) Code(region Region) uint16 {
	if code, known := r.codes[region]; known {
		return code
	}
	return regionCode(region)
}

// RegionOf reads the region out of an id. It fails with ErrBadID when s is no
// id or its region is not configured.
func (r *Router) RegionOf(id string) (Region, error) {
	parsed, err := ParseID(id)
	if err != nil {
		return "", err
	}
	region, known := r.regionOfCode[codeOf(parsed)]
	if !known {
		return "", fmt.Errorf("%w: no configured region has code %03x", ErrBadID, codeOf(parsed))
	}
	return region, nil
}
