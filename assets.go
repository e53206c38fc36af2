// Package tiffin carries the files at the root of the project that the binary needs at run time.
package tiffin

import _ "embed"

// NATSConf is nats.conf: the configuration of the embedded NATS server and of every real one.
// It reads host, port, store folder and passwords from the environment of the process that parses it.
//
//go:embed nats.conf
var NATSConf []byte
