package problem_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/stretchr/testify/require"

	"tiffin/micro"
	"tiffin/services/edge/problem"
	"tiffin/wire"
)

func illegalMove(allowed ...string) error {
	e := micro.Conflict("the order is pending")
	e.Allowed = allowed
	return e
}

func limited() error {
	e := micro.E(micro.CodeLimited, "slow down")
	e.RetryAfter = 1200 * time.Millisecond
	return e
}

func mismatch() error {
	e := micro.E(micro.CodeInvalid, "the key was used with another body")
	e.Type = "idempotency-key-mismatch"
	return e
}

func TestProblemsOfErrors(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err  error
		want string
	}{
		"not found": {micro.NotFound("order"),
			`{"type":"/docs#problem-not-found","title":"There is no such thing, or it is not yours to see","status":404,"detail":"order not found","instance":"r1"}`},
		"wrapped": {fmt.Errorf("get: %w", micro.NotFound("order")),
			`{"type":"/docs#problem-not-found","title":"There is no such thing, or it is not yours to see","status":404,"detail":"order not found","instance":"r1"}`},
		"fields": {wire.Invalid{{Field: "items[0].quantity", Message: "must be 1 to 99"}},
			`{"type":"/docs#problem-invalid","title":"One or more values are invalid","status":422,"detail":"one or more fields are invalid","instance":"r1","errors":[{"field":"items[0].quantity","message":"must be 1 to 99"}]}`},
		"malformed": {wire.Malformed{Reason: "duplicate key"},
			`{"type":"/docs#problem-malformed","title":"The request cannot be read","status":400,"detail":"malformed JSON: duplicate key","instance":"r1"}`},
		"illegal move": {illegalMove("confirmed", "rejected"),
			`{"type":"/docs#problem-conflict","title":"The current state does not allow this","status":409,"detail":"the order is pending","instance":"r1","allowed":["confirmed","rejected"]}`},
		"own type": {mismatch(),
			`{"type":"/docs#problem-idempotency-key-mismatch","title":"One or more values are invalid","status":422,"detail":"the key was used with another body","instance":"r1"}`},
		"unknown": {errors.New("pq: relation users does not exist"),
			`{"type":"/docs#problem-internal","title":"Something went wrong here","status":500,"instance":"r1"}`},
		"internal of a service": {micro.E(micro.CodeInternal, "SELECT * FROM users"),
			`{"type":"/docs#problem-internal","title":"Something went wrong here","status":500,"instance":"r1"}`},
		"no such path": {fiber.NewError(404, "Cannot GET /%3Cscript%3E"),
			`{"type":"/docs#problem-not-found","title":"There is no such thing, or it is not yours to see","status":404,"detail":"no such path","instance":"r1"}`},
		"wrong method": {fiber.ErrMethodNotAllowed,
			`{"type":"/docs#problem-method-not-allowed","title":"The resource does not support this method","status":405,"instance":"r1"}`},
		"headers too large": {fiber.ErrRequestHeaderFieldsTooLarge,
			`{"type":"/docs#problem-headers-too-large","title":"The request's headers are too large","status":431,"instance":"r1"}`},
		"broken request": {fiber.NewError(400, "error when reading request headers: GET /secret"),
			`{"type":"/docs#problem-malformed","title":"The request cannot be read","status":400,"instance":"r1"}`},
		"another status": {fiber.NewError(418, "x"),
			`{"type":"/docs#problem-im-a-teapot","title":"I'm a teapot","status":418,"instance":"r1"}`},
		"another fault of ours": {fiber.NewError(502, "x"),
			`{"type":"/docs#problem-malformed","title":"The request cannot be read","status":400,"instance":"r1"}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			text, err := wire.Encode(problem.From(c.err, "r1"))
			require.NoError(t, err)
			require.JSONEq(t, c.want, string(text))
		})
	}
}

// A terminal state allows nothing, which is something else than not saying what
// is allowed.
func TestAllowedNothingIsSaid(t *testing.T) {
	t.Parallel()
	text, err := wire.Encode(problem.From(illegalMove(), "r1"))
	require.NoError(t, err)
	require.NotContains(t, string(text), "allowed")
	e := micro.Conflict("delivered is final")
	e.Allowed = []string{}
	text, err = wire.Encode(problem.From(e, "r1"))
	require.NoError(t, err)
	require.Contains(t, string(text), `"allowed":[]`)
}

func TestHeadersOfProblems(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		err           error
		header, value string
	}{
		"rounded up, so that nobody is early": {limited(), "Retry-After", "2"},
		"always with 503":                     {micro.E(micro.CodeTimeout, "no answer"), "Retry-After", "1"},
		"always with 429":                     {micro.E(micro.CodeLimited, "slow"), "Retry-After", "1"},
		"never otherwise":                     {micro.NotFound("x"), "Retry-After", ""},
		"how to sign in":                      {micro.E(micro.CodeUnauthenticated, "sign in"), "Www-Authenticate", `Bearer realm="tiffin"`},
		"not cached":                          {micro.NotFound("x"), "Cache-Control", "no-store"},
		"its own type":                        {micro.NotFound("x"), "Content-Type", "application/problem+json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			app := fiber.New()
			app.Get("/", func(ctx *fiber.Ctx) error { return problem.From(c.err, "r1").Write(ctx) })
			res, err := app.Test(httptest.NewRequest(http.MethodGet, "/", nil))
			require.NoError(t, err)
			defer func() { require.NoError(t, res.Body.Close()) }()
			require.Equal(t, c.value, res.Header.Get(c.header))
			body, err := io.ReadAll(res.Body)
			require.NoError(t, err)
			require.True(t, json.Valid(body))
		})
	}
}

func TestEveryCodeHasAKindWithItsStatus(t *testing.T) {
	t.Parallel()
	codes := []micro.Code{
		micro.CodeMalformed, micro.CodeUnauthenticated, micro.CodeForbidden, micro.CodeNotFound, micro.CodeConflict, micro.CodeTooLarge,
		micro.CodeUnsupported, micro.CodeInvalid, micro.CodeLimited, micro.CodeInternal, micro.CodeUnavailable, micro.CodeTimeout}
	slugs := map[string]bool{}
	for _, code := range codes {
		kind := problem.KindOf(code)
		require.Equal(t, code.HTTP(), kind.Status, code)
		require.False(t, slugs[kind.Slug], "each has its own")
		slugs[kind.Slug] = true
	}
	require.Equal(t, "internal", problem.KindOf("made up").Slug)
	require.Len(t, problem.Kinds(), len(codes)+3)
}
