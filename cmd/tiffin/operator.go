package main

import (
	"errors"

	"tiffin/local"
	"tiffin/micro"
)

// asOperator connects to the running fleet as ops, runs fn with a client that
// may do everything, and disconnects.
func asOperator(fn func(*micro.Client) error) error {
	c, _, err := local.Running()
	if err != nil {
		return err
	}
	if c.NATSURL == "" {
		return errors.New("no fleet found: start one with `tiffin up` in this folder, or set NATS_URL and NATS_OPS_PASSWORD")
	}
	conn, err := micro.Connect(micro.ConnConfig{URL: c.NATSURL, Role: "ops", Password: c.NATSPasswords["ops"]})
	if err != nil {
		return err
	}
	defer conn.Close()
	return fn(micro.NewClient(conn, micro.ClientConfig{}))
}
