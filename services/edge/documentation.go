package edge

import (
	"slices"

	"github.com/gofiber/fiber/v2"

	"tiffin/services/edge/asyncapi"
	"tiffin/services/edge/openapi"
	"tiffin/services/edge/rest"
)

// documentation serves the description of the API. It is made once: it changes
// only with the code.
type documentation struct {
	json   []byte
	events []byte // AsyncAPI
	page   openapi.Page
}

// newDocumentation describes the contract's routes and the probes. Its errors are
// bugs in the declarations, so the edge does not start with them.
func newDocumentation() (*documentation, error) {
	doc := openapi.Build(Version, slices.Concat(rest.Routes(), probes()))
	text, err := doc.JSON()
	if err != nil {
		return nil, err
	}
	events, err := asyncapi.JSON(Version)
	if err != nil {
		return nil, err
	}
	page, err := openapi.Render(doc)
	if err != nil {
		return nil, err
	}
	return &documentation{json: text, events: events, page: page}, nil
}

// mount adds the description and the page. Both may be kept by caches as long as
// they ask each time whether it has changed: a new version of the edge has new
// routes.
func (d *documentation) mount(app *fiber.App) {
	serve := func(path, contentType string, body []byte) {
		app.Get(path, quiet(path, func(c *fiber.Ctx) error {
			c.Set(fiber.HeaderCacheControl, "no-cache")
			c.Set(fiber.HeaderContentType, contentType)
			c.Set(fiber.HeaderContentSecurityPolicy, openapi.PagePolicy)
			return c.Send(body)
		}))
	}
	serve("/openapi.json", fiber.MIMEApplicationJSON, d.json)
	serve("/asyncapi.json", fiber.MIMEApplicationJSON, d.events)
	serve("/docs", fiber.MIMETextHTMLCharsetUTF8, d.page.HTML)
	serve("/docs/page.css", "text/css; charset=utf-8", d.page.CSS)
	serve("/docs/page.js", "text/javascript; charset=utf-8", d.page.JS)
}
