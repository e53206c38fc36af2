// Package rest is the REST API as data: each row of the contract is a Route,
// and one pipeline serves all of them.
//
// A request passes, in this order: the rate limit (429), the token or API key
// (401), the role and the key's scope (403), the ids of the path (404), the query (422), the content type
// (415), the size (413), the JSON (400) and its fields (422). What passed
// becomes one JSON object, made of the ids, the query and the body, and goes to
// the service's endpoint; its answer goes to the client byte by byte.
//
// Invariants:
//
//   - A client can set no field of a service's request that its route does not
//     declare: the body is decoded strictly into the route's body type, which
//     holds no ids, before it is forwarded.
//   - The role check here spares services work and gives early answers. It is
//     not the authorization: services decide again, for the end user, whose id
//     and role travel with the request.
//   - The table is complete: a route that is not in Routes cannot be served,
//     one that is cannot be missing from the documentation.
package rest
