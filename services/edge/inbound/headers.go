package inbound

import (
	"strings"

	"github.com/gofiber/fiber/v2"
)

// apiPolicy forbids everything: an answer of the API is data, and a browser
// that shows it as a page must not run it.
const apiPolicy = "default-src 'none'; frame-ancestors 'none'"

// exposed are the response headers a browser's script of another origin may
// read.
const exposed = "X-Request-Id, Retry-After, RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset, RateLimit-Policy, " +
	"Idempotency-Replayed, Traceparent"

// What pages of listed origins may send. It is what the routes understand, so
// that a page can do all that a program can.
const (
	allowedMethods = "GET, HEAD, POST, PATCH, DELETE"
	allowedHeaders = "Authorization, Content-Type, Idempotency-Key, X-Request-Id, Traceparent, Tracestate"
)

// harden sets the headers that every answer has. A handler of pages replaces
// the Content-Security-Policy.
func harden(c *fiber.Ctx, secure bool) {
	h := &c.Response().Header
	h.Set(fiber.HeaderXContentTypeOptions, "nosniff")
	h.Set(fiber.HeaderReferrerPolicy, "no-referrer")
	h.Set(fiber.HeaderXFrameOptions, "DENY")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set(fiber.HeaderContentSecurityPolicy, apiPolicy)
	if secure {
		h.Set(fiber.HeaderStrictTransportSecurity, "max-age=31536000; includeSubDomains")
	}
}

// origins is the explicit list of other sites whose pages may use the API in a
// browser.
type origins map[string]bool

// newOrigins takes "https://app.example.com" with or without a slash at the
// end.
func newOrigins(list []string) origins {
	o := make(origins, len(list))
	for _, origin := range list {
		o[strings.ToLower(strings.TrimSuffix(origin, "/"))] = true
	}
	return o
}

// allow sets the CORS headers for a listed origin and reports whether the
// request was a preflight, which is then answered. An origin that is not listed
// gets no headers, and the browser refuses its page the answer.
func (o origins) allow(c *fiber.Ctx) (answered bool) {
	c.Vary(fiber.HeaderOrigin) // on every answer, or a cache would hand one origin's to another
	origin := c.Get(fiber.HeaderOrigin)
	if origin == "" {
		return false
	}
	listed := o[origin]
	if listed {
		c.Set(fiber.HeaderAccessControlAllowOrigin, strings.Clone(origin))
		c.Set(fiber.HeaderAccessControlAllowCredentials, "true")
	}
	if c.Method() != fiber.MethodOptions || c.Get(fiber.HeaderAccessControlRequestMethod) == "" {
		if listed {
			c.Set(fiber.HeaderAccessControlExposeHeaders, exposed)
		}
		return false
	}
	c.Vary(fiber.HeaderAccessControlRequestMethod, fiber.HeaderAccessControlRequestHeaders)
	if listed {
		c.Set(fiber.HeaderAccessControlAllowMethods, allowedMethods)
		c.Set(fiber.HeaderAccessControlAllowHeaders, allowedHeaders)
		c.Set(fiber.HeaderAccessControlMaxAge, "600")
	}
	c.Status(fiber.StatusNoContent)
	return true
}
