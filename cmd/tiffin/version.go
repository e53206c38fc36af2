package main

import (
	"fmt"
	"runtime/debug"
)

// versionCommand is `tiffin version`.
type versionCommand struct{}

// Run prints the version the binary was built from.
func (versionCommand) Run(*invocation) error {
	version := "unknown"
	if info, ok := debug.ReadBuildInfo(); ok {
		version = info.Main.Version
	}
	_, err := fmt.Println("tiffin", version)
	return err
}
