package micro_test

import (
	"context"
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/wire"
)

func TestFromMapsEveryError(t *testing.T) {
	t.Parallel()
	for want, err := range map[micro.Code]error{
		"":                        nil,
		micro.CodeInternal:        errors.New("x"),
		micro.CodeTimeout:         fmt.Errorf("query: %w", context.DeadlineExceeded),
		micro.CodeUnavailable:     fmt.Errorf("tx: %w", down{}),
		micro.CodeInvalid:         fmt.Errorf("decode: %w", wire.Invalid{{Field: "f", Message: "m"}}),
		micro.CodeMalformed:       wire.Malformed{Reason: "empty"},
		micro.CodeLimited:         micro.E(micro.CodeLimited, "slow down"),
		micro.CodeUnauthenticated: micro.E(micro.CodeUnauthenticated, ""),
	} {
		require.Equal(t, want, micro.CodeOf(err), "%v", err)
	}
	require.Nil(t, micro.From(nil))
	hidden := micro.From(errors.New("select * from users"))
	require.Equal(t, "internal error", hidden.Message)
	require.ErrorContains(t, hidden, "select", "but the log has it")
	require.NotErrorIs(t, micro.NotFound("order"), micro.Conflict("no"))
}

func TestCodesHaveTheContractsStatus(t *testing.T) {
	t.Parallel()
	for code, status := range map[micro.Code]int{
		micro.CodeMalformed: 400, micro.CodeUnauthenticated: 401, micro.CodeForbidden: 403, micro.CodeNotFound: 404,
		micro.CodeConflict: 409, micro.CodeTooLarge: 413, micro.CodeUnsupported: 415, micro.CodeInvalid: 422,
		micro.CodeLimited: 429, micro.CodeInternal: 500, micro.CodeUnavailable: 503, micro.CodeTimeout: 503, "new": 500,
	} {
		require.Equal(t, status, code.HTTP(), code)
	}
}

func TestContextWithoutAnything(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	require.Equal(t, micro.Actor{Role: micro.RoleAnonymous}, micro.ActorFrom(ctx), "never more rights by accident")
	require.Empty(t, micro.RequestID(ctx))
	require.Empty(t, micro.Header(ctx, "Idempotency-Key"))
	require.Equal(t, "customer 42", micro.Actor{Role: "customer", ID: "42"}.String())
	require.Equal(t, "anonymous", micro.Actor{Role: "anonymous"}.String())
}

func TestBackoffGrowsToItsLimit(t *testing.T) {
	t.Parallel()
	for n := -1; n < 100; n++ {
		d := micro.Backoff(n, 100*time.Millisecond, 5*time.Second)
		require.Positive(t, d)
		require.LessOrEqual(t, d, 5*time.Second)
		if n >= 6 {
			require.GreaterOrEqual(t, d, 5*time.Second*3/4)
		}
	}
}
