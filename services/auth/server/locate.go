package server

import (
	"context"
	"errors"

	"tiffin/services/auth"
	"tiffin/shard"
)

// Locate gives the id of the account of an e-mail address, empty when there is
// none, by asking the shards themselves: it is for an operator's tools and
// works while the service is down. It fails for what is no address, and with
// unavailable when a shard that might have the account does not answer.
func Locate(ctx context.Context, shards *shard.Set, address string) (string, error) {
	canonical, err := auth.CanonicalEmail(address)
	if err != nil {
		return "", err
	}
	found, err := findAccount(ctx, shards, canonical)
	if errors.Is(err, errNoAccount) {
		return "", nil
	}
	return found.ID, err
}
