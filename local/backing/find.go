package backing

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"sort"
	"strconv"
	"strings"

	"tiffin/local/process"
)

// ErrMissing means that a server's binary is not on this machine. The message
// names the Debian package.
var ErrMissing = errors.New("not found")

// lookup finds a program in the folders where Debian keeps it, which may be off
// PATH, and then on PATH.
func lookup(name, pkg string, folders ...string) (string, error) {
	for _, dir := range folders {
		if path := filepath.Join(dir, name); isProgram(path) {
			return path, nil
		}
	}
	if path, err := exec.LookPath(name); err == nil {
		return filepath.Abs(path)
	}
	return "", fmt.Errorf("%s: %w; `just up` installs it, or: apt-get install %s", name, ErrMissing, pkg)
}

func isProgram(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0
}

// byVersion lists folders matching the pattern, highest version first, so that
// 15 comes before 9.
func byVersion(pattern string) []string {
	dirs, err := filepath.Glob(pattern)
	if err != nil {
		return nil // the patterns are constants
	}
	sort.Slice(dirs, func(i, j int) bool { return versionIn(dirs[i]) > versionIn(dirs[j]) })
	return dirs
}

func versionIn(path string) float64 {
	for _, part := range strings.FieldsFunc(path, func(r rune) bool { return r == '/' || r == '-' }) {
		if v, err := strconv.ParseFloat(part, 64); err == nil {
			return v
		}
	}
	return 0
}

// unprivileged returns the account for servers that refuse to run as root, and
// nil when we are not root. Override is decided per folder.
func unprivileged() (*process.User, error) {
	if os.Geteuid() != 0 {
		return nil, nil
	}
	for _, name := range []string{"postgres", "nobody"} {
		u, err := user.Lookup(name)
		if err != nil {
			continue
		}
		uid, errUID := strconv.ParseUint(u.Uid, 10, 32)
		gid, errGID := strconv.ParseUint(u.Gid, 10, 32)
		if err := errors.Join(errUID, errGID); err != nil {
			return nil, err
		}
		return &process.User{UID: uint32(uid), GID: uint32(gid)}, nil
	}
	return nil, errors.New("PostgreSQL refuses to run as root, and neither user postgres nor nobody exists")
}

// reachable tells whether others may pass through every folder above path,
// which is what an unprivileged server needs to open its own data.
func reachable(path string) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		info, err := os.Stat(dir)
		if err != nil || info.Mode()&0o001 == 0 {
			return false
		}
		if dir == "/" {
			return true
		}
	}
}
