// Command tiffin is the one binary: it starts the whole fleet on a laptop
// (up), single roles in a deployment (run), and holds the operator's tools.
package main

import (
	"errors"
	"fmt"
	"os"

	"tiffin/local"
)

func main() {
	err := run(os.Args[1:])
	if errors.Is(err, local.ErrHardStop) {
		os.Exit(130)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tiffin:", err)
		os.Exit(1)
	}
}
