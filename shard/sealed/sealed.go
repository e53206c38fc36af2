// Package sealed encrypts personal data column by column: phone numbers, delivery addresses.
//
// Invariants:
//
//   - A sealed value is text that begins with a control character, which no validated input contains: it can not be
//     mistaken for plain text, nor plain text for it. Rows from before there was a key stay readable, as plain text.
//   - It names its key, so that several keys can be in use while `tiffin keys rotate` replaces one by the other.
//   - It is bound to its column and row as additional data: moved to another row it does not open.
//   - It moves between shards as it is, since keys belong to the fleet and not to a shard.
//
// AES-256-GCM with random nonces is safe for some four thousand million values under one key; rotate before that.
package sealed

import (
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"regexp"
	"strings"
)

// mark begins every sealed value.
const mark = "\x01"

// keyBytes is the length of a key: AES-256.
const keyBytes = 32

// name is narrow because it stands in configuration and in every value.
var name = regexp.MustCompile(`^[A-Za-z0-9._-]{1,32}$`)

// ErrKey says that a value cannot be opened with the keys there are: its key is missing, or another one by that name, or
// the value is damaged or another row's. The message tells neither value nor key.
var ErrKey = errors.New("a stored value cannot be opened")

// Keys seals with the first key and opens with all. A nil *Keys seals nothing and opens plain text. It is safe for
// concurrent use.
type Keys struct {
	current string
	ciphers map[string]cipher.AEAD
}

// Parse reads "id:base64,id:base64…": 32 bytes each, the first one being the current key. An empty list is nil. Errors
// do not quote keys.
func Parse(list string) (*Keys, error) {
	if strings.TrimSpace(list) == "" {
		return nil, nil
	}
	k := &Keys{ciphers: map[string]cipher.AEAD{}}
	for i, entry := range strings.Split(list, ",") {
		id, encoded, _ := strings.Cut(strings.TrimSpace(entry), ":")
		if !name.MatchString(id) {
			return nil, fmt.Errorf("entry %d is not of the form id:key", i+1)
		}
		key, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil || len(key) != keyBytes {
			return nil, fmt.Errorf("key %q is not %d bytes in base64", id, keyBytes)
		}
		if k.ciphers[id] != nil {
			return nil, fmt.Errorf("key %q is given twice", id)
		}
		block, err := aes.NewCipher(key)
		if err != nil {
			return nil, err
		}
		if k.ciphers[id], err = cipher.NewGCM(block); err != nil {
			return nil, err
		}
		if i == 0 {
			k.current = id
		}
	}
	return k, nil
}

// Generate makes a list of one new key with the id.
func Generate(id string) string {
	var key [keyBytes]byte
	rand.Read(key[:]) // never fails: it ends the process instead
	return id + ":" + base64.StdEncoding.EncodeToString(key[:])
}

// Current is the id of the key that seals, "" without keys.
func (k *Keys) Current() string {
	if k == nil {
		return ""
	}
	return k.current
}

// Prefix begins everything the current key has sealed, and nothing else.
func (k *Keys) Prefix() string { return mark + k.Current() + ":" }

// Seal encrypts a value of a column and row, such as "orders.orders.address" and the order's id. Empty stays empty.
func (k *Keys) Seal(plain, column, row string) string {
	if k == nil || plain == "" {
		return plain
	}
	aead := k.ciphers[k.current]
	box := make([]byte, aead.NonceSize(), aead.NonceSize()+len(plain)+aead.Overhead())
	rand.Read(box)
	box = aead.Seal(box, box, []byte(plain), bound(column, row))
	return k.Prefix() + base64.RawStdEncoding.EncodeToString(box)
}

// Open gives what was sealed for that column and row, and what was never sealed as it is. It fails with ErrKey.
func (k *Keys) Open(stored, column, row string) (string, error) {
	rest, isSealed := strings.CutPrefix(stored, mark)
	if !isSealed {
		return stored, nil
	}
	id, encoded, _ := strings.Cut(rest, ":")
	var aead cipher.AEAD
	if k != nil {
		aead = k.ciphers[id]
	}
	if aead == nil {
		return "", fmt.Errorf("%w: %s of %s: DATA_KEYS has no key %q", ErrKey, column, row, id)
	}
	box, err := base64.RawStdEncoding.Strict().DecodeString(encoded)
	if err != nil || len(box) < aead.NonceSize() {
		return "", fmt.Errorf("%w: %s of %s is damaged", ErrKey, column, row)
	}
	plain, err := aead.Open(nil, box[:aead.NonceSize()], box[aead.NonceSize():], bound(column, row))
	if err != nil {
		return "", fmt.Errorf("%w: %s of %s: key %q in DATA_KEYS is not the one that sealed it", ErrKey, column, row, id)
	}
	return string(plain), nil
}

// bound is the additional data of a value.
func bound(column, row string) []byte { return []byte(column + " " + row) }
