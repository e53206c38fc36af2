package server

import (
	"context"
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	"go.mongodb.org/mongo-driver/v2/mongo"
)

// What a store answers that cannot serve now is no fault of the request: 503, not 500.
func TestAStoreThatCannotServeIsAway(t *testing.T) {
	t.Parallel()
	for _, code := range shutCodes {
		err := error(mongo.CommandError{Code: int32(code), Message: "not now"})
		require.True(t, away(err), code)
		require.True(t, away(fmt.Errorf("find: %w", err)), code)
	}
	require.True(t, away(context.DeadlineExceeded))
	for _, err := range []error{
		nil, mongo.ErrNoDocuments, context.Canceled, mongo.CommandError{Code: 2, Message: "BadValue"},
		mongo.WriteException{WriteErrors: mongo.WriteErrors{{Code: 11000, Message: "duplicate key"}}},
	} {
		require.False(t, away(err), err)
	}
}
