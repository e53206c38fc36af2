package e2e_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"tiffin/e2e/product"
)

// fleet is the one running product all tests of this package share: orders,
// riders and cities of a test are its own, so tests need not be alone.
var fleet *product.Product

func TestMain(m *testing.M) {
	code, err := run(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = 1
	}
	os.Exit(code)
}

// run starts the fleet with the race detector in it, so that every test here
// also looks for races, runs the tests and stops the fleet.
func run(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "tiffin-e2e-")
	if err != nil {
		return 1, err
	}
	defer func() {
		if err := os.RemoveAll(dir); err != nil {
			fmt.Fprintln(os.Stderr, err)
		}
	}()
	// A server that runs as another user must be able to reach its data.
	if err := os.Chmod(dir, 0o755); err != nil {
		return 1, err
	}
	binary, err := product.Build("..", dir, true)
	if err != nil {
		return 1, err
	}
	if err := installClients(); err != nil {
		return 1, err
	}
	fleet, err = product.Start(product.Options{Binary: binary, Home: filepath.Join(dir, "home"), Env: map[string]string{
		"TIFFIN_DEMO": "off", "BCRYPT_COST": "4", "GORACE": "halt_on_error=1", "JWT_SECRET": secret,
		"RATE_LIMIT_GENERAL": "0", "RATE_LIMIT_AUTH": "0", "RATE_LIMIT_ORDERS": "0", "RATE_LIMIT_LOCATION": "0",
	}})
	if err != nil {
		return 1, err
	}
	code := m.Run()
	if err := fleet.Stop(); err != nil {
		return 1, fmt.Errorf("the fleet did not stop cleanly: %w\n%s", err, fleet.Output())
	}
	return code, nil
}

// installClients fetches the stock clients when they are not there yet, or are
// not those that are asked for now.
func installClients() error {
	have, haveErr := os.Stat("clients/node_modules/.package-lock.json")
	want, err := os.Stat("clients/package-lock.json")
	if err != nil {
		return err
	}
	if haveErr == nil && !have.ModTime().Before(want.ModTime()) {
		return nil
	}
	install := exec.Command("npm", "ci", "--no-audit", "--no-fund", "--prefix", "clients")
	if out, err := install.CombinedOutput(); err != nil {
		return fmt.Errorf("installing the stock clients with npm: %w\n%s", err, out)
	}
	return nil
}
