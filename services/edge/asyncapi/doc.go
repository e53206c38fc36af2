// Package asyncapi describes the events to machines, as AsyncAPI 3.0: what is
// on NATS, and which of it RabbitMQ's consumers get. The bodies are made from
// the types that the services send, so they are right by construction; that
// headers and properties are, a test sees on real messages.
package asyncapi
