package backing_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/stretchr/testify/require"

	"tiffin/local/backing"
	"tiffin/local/process"
)

// script is a server that is a shell script and counts its lives.
func script(name, text string, lives *atomic.Int32) backing.Server {
	return backing.Server{
		Name: name,
		Prepare: func(context.Context) error {
			lives.Add(1)
			return nil
		},
		Command: process.Command{Name: name, Path: "/bin/sh", Args: []string{"-c", text}},
		Probe:   func(context.Context) error { return nil },
	}
}

func TestWhatDiesIsStartedAgain(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var lives atomic.Int32
	k := b.keep(t, script("mortal", `exit 0`, &lives))
	k.awaitReady(t)
	require.Eventually(t, func() bool { return lives.Load() >= 3 }, patience, tick)
	k.stop()
	require.NoError(t, <-k.err)
	k.err <- nil
}

func TestWhatNeverBecomesReadyIsGivenUp(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var lives atomic.Int32
	s := script("stillborn", `echo "no space left on the moon"; exit 7`, &lives)
	s.Probe = func(context.Context) error { return errors.New("nobody listens") }
	k := b.keep(t, s)
	err := <-k.err
	k.err <- nil
	require.ErrorContains(t, err, "stillborn ended (exit status 7: no space left on the moon); see ")
	require.ErrorContains(t, err, "stillborn.log")
	require.NotContains(t, err.Error(), "\n", "one line for people")
	require.EqualValues(t, 5, lives.Load())
}

func TestStoppingDuringTheStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var lives atomic.Int32
	s := script("slow", `sleep 1000`, &lives)
	s.Probe = func(context.Context) error { return errors.New("not yet") }
	k := b.keep(t, s)
	require.Eventually(t, func() bool { return lives.Load() == 1 }, patience, tick)
	k.stop()
	require.NoError(t, <-k.err, "stopping is no failure")
	k.err <- nil
}

func TestSetupBelongsToTheStart(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var lives, setups atomic.Int32
	s := script("fussy", `sleep 1000`, &lives)
	s.Setup = func(context.Context) error {
		if setups.Add(1) < 3 {
			return errors.New("not in the mood")
		}
		return nil
	}
	b.keep(t, s).awaitReady(t)
	require.EqualValues(t, 3, lives.Load(), "each failed setup ends that life")
}

func TestAFailedPreparationNamesTheServer(t *testing.T) {
	t.Parallel()
	b := setup(t)
	var lives atomic.Int32
	s := script("picky", `sleep 1000`, &lives)
	s.Prepare = func(context.Context) error { return errors.New("the folder is not mine") }
	k := b.keep(t, s)
	require.EqualError(t, <-k.err, "picky: the folder is not mine")
	k.err <- nil
}

func TestMissingBinaries(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	t.Setenv("HOME", t.TempDir())
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	_, err := backing.Mongod("mongodb", t.TempDir(), 1, "x")
	require.ErrorIs(t, err, backing.ErrMissing)
	require.ErrorContains(t, err, "apt-get install")
	_, err = backing.FerretDB(backing.FerretDBConfig{Name: "ferretdb"})
	require.ErrorContains(t, err, "just up")
}

func TestFerretIsFoundInTheToolCache(t *testing.T) {
	t.Setenv("XDG_CACHE_HOME", t.TempDir())
	cache, err := backing.ToolCache()
	require.NoError(t, err)
	require.NoError(t, os.MkdirAll(cache, 0o700))
	binary := filepath.Join(cache, backing.FerretBinary)
	require.NoError(t, os.WriteFile(binary, nil, 0o700))
	s, err := backing.FerretDB(backing.FerretDBConfig{Name: "ferretdb", Port: 7, Database: "restaurants", PostgresURL: "postgresql://u:geheim@h/d"})
	require.NoError(t, err)
	require.Equal(t, binary, s.Command.Path)
	require.Equal(t, "mongodb://127.0.0.1:7/restaurants", s.URL)
	require.NotContains(t, strings.Join(s.Command.Args, " "), "geheim", "the command line is everybody's to read")
}
