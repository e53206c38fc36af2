// Package e2e plays the whole product from outside: the real binary started
// by `tiffin up` in a folder and on ports of its own, spoken to only through
// what its users have (REST, sockets, RabbitMQ, the nats CLI), with stock
// clients. Nothing here imports a package of the fleet.
package e2e
