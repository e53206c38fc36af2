// Package outbox turns events into rows of the transaction that caused them, and rows into JetStream messages.
package outbox
