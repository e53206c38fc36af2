// Package apikey is the form of API keys: how one is made, read and reduced to what may be stored.
//
// A key is tfk_<id>.<secret>. The prefix lets scanners of code and logs recognize a leaked one; the id is public, names
// the key in lists and logs, and carries its home region, so that the shard is found without asking all of them; the
// secret is 256 random bits, which need no salt and no stretching. Only its SHA-256 digest is stored or travels inside
// the fleet: whoever reads the database or listens on the bus cannot use a key.
package apikey

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"strings"

	"tiffin/shard"
)

// Prefix begins every key.
const Prefix = "tfk_"

const secretBytes = 32

// Key is an API key. Its zero value is none.
type Key struct {
	ID     string // UUID carrying the home region, lower case
	secret [secretBytes]byte
}

// New makes the key with the id.
func New(id string) Key {
	k := Key{ID: id}
	// Since Go 1.24 Read never fails: it ends the process when the system has no randomness to give.
	rand.Read(k.secret[:])
	return k
}

// Parse reads what String wrote, in exactly that spelling, and reports whether it was a key at all.
func Parse(raw string) (Key, bool) {
	rest, prefixed := strings.CutPrefix(raw, Prefix)
	id, encoded, _ := strings.Cut(rest, ".")
	if !prefixed || len(encoded) != base64.RawURLEncoding.EncodedLen(secretBytes) {
		return Key{}, false
	}
	parsed, err := shard.ParseID(id)
	if err != nil || parsed.String() != id {
		return Key{}, false
	}
	secret, err := base64.RawURLEncoding.Strict().DecodeString(encoded)
	if err != nil || len(secret) != secretBytes { // the decoder skips line breaks, even when strict
		return Key{}, false
	}
	return Key{ID: strings.Clone(id), secret: [secretBytes]byte(secret)}, true
}

// String is the key as its holder gets it, once.
func (k Key) String() string {
	return Prefix + k.ID + "." + base64.RawURLEncoding.EncodeToString(k.secret[:])
}

// Digest is what is stored of the secret.
func (k Key) Digest() [sha256.Size]byte { return sha256.Sum256(k.secret[:]) }
