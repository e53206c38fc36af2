package holder

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"tiffin/local/backing"
)

// BuildFerret builds tools/ferretdb into this user's tool cache. It costs half
// a minute once and next to nothing afterwards. A mongod on PATH does not
// spare it: tests run on what most machines have.
func BuildFerret(ctx context.Context) error {
	cache, err := backing.ToolCache()
	if err != nil {
		return err
	}
	root, err := ModuleRoot(ctx)
	if err != nil {
		return err
	}
	return goBuild(ctx, filepath.Join(root, "tools", "ferretdb"), filepath.Join(cache, backing.FerretBinary), ".")
}

// ModuleRoot is the folder of Tiffin's go.mod, as seen from the working folder.
func ModuleRoot(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "list", "-m", "-f", "{{.Dir}}", "tiffin").Output()
	if err != nil {
		return "", fmt.Errorf("find the module's folder: %w", err)
	}
	return strings.TrimSpace(string(out)), nil
}

// goBuild builds to a name of its own and renames, so that nobody ever starts
// half a binary and one that runs is not written to.
func goBuild(ctx context.Context, dir, target, pkg string) error {
	if err := os.MkdirAll(filepath.Dir(target), 0o755); err != nil {
		return err
	}
	tmp := fmt.Sprintf("%s.%d", target, os.Getpid())
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", tmp, pkg)
	cmd.Dir = dir
	// The test run's own flags, such as -race or -cover, are not for tools.
	cmd.Env = append(os.Environ(), "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return errors.Join(fmt.Errorf("build %s: %w\n%s", pkg, err, out), os.RemoveAll(tmp))
	}
	return os.Rename(tmp, target)
}
