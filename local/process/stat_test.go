package process

import (
	"os"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// tail are fields 4 to 22 of proc(5), the last being the start time.
const tail = " 1 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 4711 99 98"

func TestParseStat(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		stat  string
		start uint64
		fails bool
	}{
		"plain":            {stat: "12 (sh) S" + tail, start: 4711},
		"spaces in name":   {stat: "12 (a b c) R" + tail, start: 4711},
		"parens in name":   {stat: "12 (x) S 1 (y) S" + tail, start: 4711},
		"newline in name":  {stat: "12 (a\nb) S" + tail, start: 4711},
		"zombie":           {stat: "12 (sh) Z" + tail, fails: true},
		"dead":             {stat: "12 (sh) X" + tail, fails: true},
		"short":            {stat: "12 (sh) S 1 2 3", fails: true},
		"empty":            {stat: "", fails: true},
		"no name":          {stat: "12 sh S" + tail, fails: true},
		"start is no time": {stat: "12 (sh) S" + strings.Replace(tail, "4711", "soon", 1), fails: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			start, err := parseStat(c.stat)
			if c.fails {
				require.Error(t, err)
				return
			}
			require.NoError(t, err)
			require.Equal(t, c.start, start)
		})
	}
}

func TestStartTimeOfOurselves(t *testing.T) {
	t.Parallel()
	first, err := startTimeOf(os.Getpid())
	require.NoError(t, err)
	second, err := startTimeOf(os.Getpid())
	require.NoError(t, err)
	require.Equal(t, first, second)
	parent, err := startTimeOf(os.Getppid())
	require.NoError(t, err)
	require.LessOrEqual(t, parent, first)
}

func FuzzParseStat(f *testing.F) {
	f.Add("12 (sh) S" + tail)
	f.Add("12 (a) b) R" + tail)
	f.Fuzz(func(t *testing.T, stat string) {
		if start, err := parseStat(stat); err != nil && start != 0 {
			t.Fatalf("an error and %d", start)
		}
	})
}
