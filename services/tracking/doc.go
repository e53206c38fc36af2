// Package tracking is the contract of the tracking service: where riders are, who may see them, and what changed about
// an order. Its types are what other services, the edge and the nats CLI exchange with it; the rules here are pure.
//
// Invariants the service keeps:
//   - One way in: the REST PATCH, the socket event and `nats req tracking.location` are the same endpoint.
//   - A rider's positions are published only between acceptance and hand-over of the order they carry. The check and the
//     write are one step in Redis, so no fix in flight can appear after the release.
//   - Per rider, published positions have strictly growing timestamps.
//   - Redis is a cache and a pipe here, never a record: what it forgets is asked again from delivery and order.
package tracking
