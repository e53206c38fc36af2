package workflows_test

import (
	"io"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/rhysd/actionlint"
	"github.com/stretchr/testify/require"
)

// root is the project's folder.
const root = "../.."

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(root, path))
	require.NoError(t, err)
	return string(data)
}

func TestWorkflowsAreValid(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob(filepath.Join(root, ".github/workflows/*.yml"))
	require.NoError(t, err)
	require.Len(t, files, 2)
	// Without shellcheck and pyflakes, which a fresh machine does not have.
	linter, err := actionlint.NewLinter(io.Discard, &actionlint.LinterOptions{})
	require.NoError(t, err)
	for _, file := range files {
		found, err := linter.LintFile(file, nil)
		require.NoError(t, err)
		require.Empty(t, found)
	}
}

// A tag can be moved to other code, a commit cannot; Dependabot reads the comment.
func TestWorkflowsStateTheCommitsOfActions(t *testing.T) {
	t.Parallel()
	for _, file := range []string{"ci.yml", "release.yml"} {
		for _, match := range regexp.MustCompile(`uses: (.+)`).FindAllStringSubmatch(read(t, ".github/workflows/"+file), -1) {
			require.Regexp(t, `^[\w-]+/[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+$`, match[1], file)
		}
	}
	require.Contains(t, read(t, ".github/workflows/ci.yml"), "run: .ci/run\n")
}
