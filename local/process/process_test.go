package process_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/process"
)

const (
	patience = 10 * time.Second
	tick     = 5 * time.Millisecond
)

// bench is a launcher in folders of its own.
type bench struct {
	*process.Launcher
	run, log string
}

func setup(t *testing.T) *bench {
	t.Helper()
	b := &bench{run: t.TempDir(), log: t.TempDir()}
	b.Launcher = process.NewLauncher(b.run, b.log)
	t.Cleanup(b.Close)
	return b
}

// shell starts a shell script as a child and ends it with the test.
func (b *bench) shell(t *testing.T, name, script string) *process.Process {
	t.Helper()
	p, err := b.Start(process.Command{Name: name, Path: "/bin/sh", Args: []string{"-c", script}, StopTimeout: patience})
	require.NoError(t, err)
	t.Cleanup(func() {
		p.Kill()
		<-p.Done()
	})
	return p
}

// said waits until the child has written the line.
func (b *bench) said(t *testing.T, name, line string) {
	t.Helper()
	require.Eventually(t, func() bool {
		content, err := os.ReadFile(b.LogPath(name))
		return err == nil && strings.Contains(string(content), line+"\n")
	}, patience, tick)
}

func alive(pid int) bool {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && !strings.Contains(string(stat), ") Z ")
}

func TestStopAsksFirst(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.shell(t, "polite", `trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.01; done`)
	b.said(t, "polite", "up")
	p.Stop()
	require.NoError(t, p.Err(), "it ended by itself, with status 0")
	require.Equal(t, "bye", p.LastLine())
	require.NoFileExists(t, filepath.Join(b.run, "polite.json"))
	p.Stop() // twice is harmless
}

func TestStopKillsWhoDoesNotListen(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p, err := b.Start(process.Command{
		Name: "deaf", Path: "/bin/sh", Args: []string{"-c", `trap '' TERM; echo up; while :; do sleep 0.01; done`},
		StopTimeout: 50 * time.Millisecond,
	})
	require.NoError(t, err)
	b.said(t, "deaf", "up")
	p.Stop()
	require.ErrorContains(t, p.Err(), "killed")
}

func TestTheWholeGroupGoes(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.shell(t, "leader", `sleep 1000 & echo "child $!"; wait`)
	require.Eventually(t, func() bool { return strings.HasPrefix(p.LastLine(), "child ") }, patience, tick)
	child, err := strconv.Atoi(strings.TrimPrefix(p.LastLine(), "child "))
	require.NoError(t, err)
	require.Contains(t, process.Family(p.PID()), child)

	require.NoError(t, syscall.Kill(p.PID(), syscall.SIGKILL), "only the leader")
	<-p.Done()
	require.Eventually(t, func() bool { return !alive(child) }, patience, tick)
}

func TestKillAllEndsEverythingAtOnce(t *testing.T) {
	t.Parallel()
	b := setup(t)
	one, two := b.shell(t, "one", `trap '' TERM; sleep 1000`), b.shell(t, "two", `sleep 1000`)
	b.KillAll()
	<-one.Done()
	<-two.Done()
}

func TestStartAfterClose(t *testing.T) {
	t.Parallel()
	b := setup(t)
	b.Close()
	_, err := b.Start(process.Command{Name: "late", Path: "/bin/true"})
	require.ErrorIs(t, err, process.ErrClosed)
}

func TestAMissingBinaryIsAnError(t *testing.T) {
	t.Parallel()
	b := setup(t)
	_, err := b.Start(process.Command{Name: "none", Path: "/no/such/binary"})
	require.ErrorContains(t, err, "start none")
	require.NoFileExists(t, filepath.Join(b.run, "none.json"))
}

func TestLastLineIsTheChildsOwn(t *testing.T) {
	t.Parallel()
	b := setup(t)
	<-b.shell(t, "twice", `echo first life`).Done()
	second := b.shell(t, "twice", `exit 3`)
	<-second.Done()
	require.Empty(t, second.LastLine(), "what its predecessor wrote is not its own")
	require.ErrorContains(t, second.Err(), "exit status 3")
	wordy := b.shell(t, "wordy", `echo up; echo "FATAL:  no room"; echo "LOG:  shut down"; exit 1`)
	<-wordy.Done()
	require.Equal(t, "FATAL:  no room", wordy.LastLine(), "not the goodbye")
	long := b.shell(t, "long", `i=0; while [ $i -lt 300 ]; do printf é; i=$((i+1)); done; echo`)
	<-long.Done()
	require.Equal(t, strings.Repeat("é", 160)+"…", long.LastLine())
}

func TestLargeLogsStartAnew(t *testing.T) {
	t.Parallel()
	b := setup(t)
	require.NoError(t, os.WriteFile(b.LogPath("chatty"), make([]byte, 11<<20), 0o600))
	<-b.shell(t, "chatty", `echo hello`).Done()
	content, err := os.ReadFile(b.LogPath("chatty"))
	require.NoError(t, err)
	require.Equal(t, "hello\n", string(content))
	require.FileExists(t, b.LogPath("chatty")+".1")
}

// parent is another process: it starts two children and waits to be killed.
func parent(dir string) {
	l := process.NewLauncher(dir, dir)
	for name, script := range map[string]string{
		"obedient": `echo up; sleep 1000`,
		"stubborn": `trap '' TERM; echo up; while :; do sleep 0.01; done`,
	} {
		if _, err := l.Start(process.Command{Name: name, Path: "/bin/sh", Args: []string{"-c", script}}); err != nil {
			panic(err)
		}
	}
	if _, err := os.Stdout.WriteString("started\n"); err != nil {
		panic(err)
	}
	select {}
}

// killedParent runs parent, kills it and returns the folder with the records.
func killedParent(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), helper+"="+dir)
	out, err := cmd.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, cmd.Start())
	line := make([]byte, len("started\n"))
	_, err = out.Read(line)
	require.NoError(t, err)
	for _, name := range []string{"obedient", "stubborn"} {
		require.Eventually(t, func() bool {
			content, err := os.ReadFile(filepath.Join(dir, name+".log"))
			return err == nil && string(content) == "up\n"
		}, patience, tick)
	}
	require.NoError(t, cmd.Process.Kill())
	require.ErrorContains(t, cmd.Wait(), "killed")
	return dir
}

func TestAwaitEnd(t *testing.T) {
	t.Parallel()
	b := setup(t)
	p := b.shell(t, "late", `sleep 1000`)
	pids := process.Family(p.PID())
	require.ErrorIs(t, process.AwaitEnd(t.Context(), pids, 20*time.Millisecond), context.DeadlineExceeded)
	p.Kill()
	require.NoError(t, process.AwaitEnd(t.Context(), pids, patience))
	require.NoError(t, process.AwaitEnd(t.Context(), pids, patience), "also of those long gone")
}
