// Package openapi describes the API to machines, as OpenAPI 3.1, and to people,
// as one page. Both are made from the routes that are served, so they are
// complete and right by construction.
package openapi
