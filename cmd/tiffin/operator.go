package main

import (
	"errors"

	"github.com/nats-io/nats.go"

	"tiffin/config"
	"tiffin/local"
	"tiffin/micro"
)

// asOperator runs fn with a client of the running fleet that may do everything.
func asOperator(fn func(*micro.Client) error) error {
	return onNATS(func(conn *nats.Conn, _ config.Config) error {
		return fn(micro.NewClient(conn, micro.ClientConfig{}))
	})
}

// onNATS connects to the running fleet as ops, runs fn with the connection and
// the fleet's configuration, and disconnects.
func onNATS(fn func(conn *nats.Conn, c config.Config) error) error {
	c, _, err := local.Running()
	if err != nil {
		return err
	}
	if c.NATSURL == "" {
		return errors.New("no fleet found: start one with `tiffin up` in this folder, or set NATS_URL and NATS_OPS_PASSWORD")
	}
	secure, err := c.ClientTLS("NATS_URL")
	if err != nil {
		return err
	}
	conn, err := micro.Connect(micro.ConnConfig{URL: c.NATSURL, Role: "ops", Password: c.NATSPasswords["ops"], TLS: secure})
	if err != nil {
		return err
	}
	defer conn.Close()
	return fn(conn, c)
}
