package edge

import (
	"bytes"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"tiffin/services/edge/inbound"
)

// IdleTimeout is how long a connection that has had its answer may stay without
// a request. It is longer than balancers and clients keep theirs (nginx and AWS
// 60 s, net/http 90 s, Caddy 120 s): who hangs up first must be the one who sends
// the next request, or that request may cross the hanging up and be lost.
const IdleTimeout = 130 * time.Second

// What one client may take of the server's time and memory.
const (
	// A client has this long to send a request, and to take an answer. Without
	// them a handful of slow clients would hold every connection there is.
	readTimeout  = 5 * time.Second
	writeTimeout = 10 * time.Second

	// maxHeader is what all headers of a request may have together.
	maxHeader = 16 << 10
	// hardBodyLimit ends a request unread. It is above rest.MaxBody, so that a
	// body that is merely too large is read, answered with 413 and leaves the
	// connection usable.
	hardBodyLimit = 1 << 20
)

// methods are those that reach the routes; Fiber would answer others in plain
// text.
var methods = []string{
	fiber.MethodGet, fiber.MethodHead, fiber.MethodPost, fiber.MethodPut, fiber.MethodPatch, fiber.MethodDelete,
	fiber.MethodOptions, fiber.MethodConnect, fiber.MethodTrace,
}

// newApp makes a Fiber app on which nothing can be answered past the gate.
func newApp(gate *inbound.Gate, log *slog.Logger) *fiber.App {
	app := fiber.New(fiber.Config{
		DisableStartupMessage: true,
		CaseSensitive:         true,
		// Strings of a request stay valid after its handler; without it Fiber
		// reuses their memory for the next request.
		Immutable:                    true,
		DisablePreParseMultipartForm: true,
		BodyLimit:                    hardBodyLimit,
		ReadBufferSize:               maxHeader,
		ReadTimeout:                  readTimeout,
		WriteTimeout:                 writeTimeout,
		IdleTimeout:                  IdleTimeout,
		ErrorHandler: func(c *fiber.Ctx, err error) error {
			linger(c.Context().Conn())
			return gate.HandleError(c, err)
		},
	})
	server := app.Server()
	server.CloseOnShutdown = true
	server.SecureErrorLogMessage = true
	server.Logger = serverLog{log}
	server.Handler = screen(app, gate, server.Handler)
	app.Use(gate.Handle)
	return app
}

// screen refuses what Fiber would answer in plain text, unknown methods, and
// what two servers could read differently: a body with both a length and chunks
// is how requests are smuggled past a proxy.
func screen(app *fiber.App, gate *inbound.Gate, next fasthttp.RequestHandler) fasthttp.RequestHandler {
	refuse := func(ctx *fasthttp.RequestCtx, reason error) {
		c := app.AcquireCtx(ctx)
		defer app.ReleaseCtx(c)
		if err := gate.HandleError(c, reason); err != nil {
			c.Status(fiber.StatusBadRequest)
		}
	}
	return func(ctx *fasthttp.RequestCtx) {
		switch {
		case !slices.Contains(methods, string(ctx.Method())):
			ctx.Response.Header.Set(fiber.HeaderAllow, "GET, HEAD, POST, PATCH, DELETE")
			refuse(ctx, fiber.ErrMethodNotAllowed)
		case ambiguous(ctx.Request.Header.RawHeaders()):
			ctx.SetConnectionClose()
			refuse(ctx, fiber.ErrBadRequest)
		default:
			next(ctx)
		}
	}
}

// ambiguous reports headers that give a body two lengths, or that go on in the
// next line, where one server reads one header and another reads two. fasthttp
// has settled on one reading by now, so only the raw text still shows both.
func ambiguous(raw []byte) bool {
	var length, chunks bool
	for len(raw) > 0 {
		line, rest, _ := bytes.Cut(raw, []byte{'\n'})
		if begins(line, " ") || begins(line, "\t") {
			return true
		}
		length = length || begins(line, "content-length:")
		chunks = chunks || begins(line, "transfer-encoding:")
		raw = rest
	}
	return length && chunks
}

// begins compares without case.
func begins(line []byte, name string) bool {
	return len(line) >= len(name) && strings.EqualFold(string(line[:len(name)]), name)
}

// serverLog takes what fasthttp has to say, nearly all of it about clients that
// broke off.
type serverLog struct{ log *slog.Logger }

// Printf logs at debug level.
func (l serverLog) Printf(format string, args ...any) {
	l.log.Debug("http server", "message", fmt.Sprintf(format, args...))
}
