package backup_test

import (
	"context"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

const root = "../.."

// site is where the document's commands are given: the project's folder, with
// tiffin on the PATH.
type site struct {
	t        *testing.T
	document string
	bin      string // a folder that holds tiffin where fleets are started
}

func newSite(t *testing.T) *site {
	t.Helper()
	document, err := os.ReadFile(filepath.Join(root, "docs", "backup-and-restore.md"))
	require.NoError(t, err)
	return &site{t: t, document: string(document), bin: t.TempDir()}
}

// follow runs the fenced commands under a heading of the document, or those of
// them that begin as given, and returns what they print. They must succeed, and
// there must be some.
func (s *site) follow(heading string, env map[string]string, beginnings ...string) string {
	s.t.Helper()
	var script string
	for _, block := range s.fenced(heading) {
		if len(beginnings) == 0 || strings.HasPrefix(block, beginnings[0]) {
			script += block
		}
	}
	require.NotEmpty(s.t, script, "%s %q", heading, beginnings)
	out, err := s.run(script, env)
	require.NoError(s.t, err, "%s%s", script, out)
	return out
}

// fenced lists the blocks of commands under a heading, without the indent of
// the list they may stand in.
func (s *site) fenced(heading string) (blocks []string) {
	s.t.Helper()
	_, section, found := strings.Cut(s.document, "\n## "+heading+"\n")
	require.True(s.t, found, heading)
	section, _, _ = strings.Cut(section, "\n## ")
	inside := false
	for line := range strings.Lines(section) {
		line = strings.TrimLeft(line, " ")
		switch {
		case line == "```sh\n":
			inside, blocks = true, append(blocks, "")
		case line == "```\n":
			inside = false
		case inside:
			blocks[len(blocks)-1] += line
		}
	}
	return blocks
}

// run gives commands to a shell and returns all that it prints.
func (s *site) run(script string, env map[string]string) (string, error) {
	ctx, cancel := context.WithTimeout(s.t.Context(), time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, "sh", "-euc", script)
	cmd.Dir = root
	cmd.Env = append(os.Environ(), "PATH="+s.bin+":"+os.Getenv("PATH"))
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// vars is an environment with more variables, given as name, value, name, value.
func vars(env map[string]string, more ...string) map[string]string {
	out := maps.Clone(env)
	if out == nil {
		out = map[string]string{}
	}
	for i := 0; i < len(more); i += 2 {
		out[more[i]] = more[i+1]
	}
	return out
}
