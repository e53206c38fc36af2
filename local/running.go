package local

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"tiffin/config"
)

// Running returns the configuration with which to reach a running fleet: what
// the environment and .env say, and beneath that what `tiffin up` has written
// to its env file, if it runs on this machine. The second result holds all
// variables, EDGE_URL and TRACKING_URL among them.
func Running() (config.Config, map[string]string, error) {
	above, err := godotenv.Read(".env")
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return config.Config{}, nil, fmt.Errorf(".env: %w", err)
	}
	if above == nil {
		above = map[string]string{}
	}
	for _, kv := range os.Environ() {
		if k, v, ok := strings.Cut(kv, "="); ok {
			above[k] = v
		}
	}
	c, err := config.FromMap(above)
	if err != nil {
		return config.Config{}, nil, err
	}
	vars, err := readEnv(filepath.Join(c.Home, "env"))
	if err != nil {
		return config.Config{}, nil, err
	}
	private := slices.Collect(maps.Keys(vars))
	maps.Copy(vars, above)
	c, err = config.FromMap(vars)
	for _, name := range private {
		if above[name] == "" { // it comes from the file alone: a server that `tiffin up` started
			c.Private = append(c.Private, name)
		}
	}
	return c, vars, err
}
