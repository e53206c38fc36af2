package process_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/local/process"
)

func readRecord(t *testing.T, path string) process.Record {
	t.Helper()
	data, err := os.ReadFile(path)
	require.NoError(t, err)
	var r process.Record
	require.NoError(t, json.Unmarshal(data, &r))
	return r
}

func writeRecord(t *testing.T, path string, r process.Record) {
	t.Helper()
	data, err := json.Marshal(r)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(path, data, 0o600))
}

func TestOrphansOfAKilledParentAreEnded(t *testing.T) {
	t.Parallel()
	dir := killedParent(t)
	obedient := readRecord(t, filepath.Join(dir, "obedient.json"))
	stubborn := readRecord(t, filepath.Join(dir, "stubborn.json"))
	require.Eventually(t, func() bool { return !obedient.Alive() }, patience, tick,
		"the kernel tells children that their parent has died")
	require.True(t, stubborn.Alive(), "which one may ignore")

	names, err := process.Reap(t.Context(), dir, 50*time.Millisecond)
	require.NoError(t, err)
	require.Equal(t, []string{"stubborn"}, names)
	require.False(t, stubborn.Alive())
	again, err := process.Reap(t.Context(), dir, time.Minute)
	require.NoError(t, err)
	require.Empty(t, again)
	left, err := filepath.Glob(filepath.Join(dir, "*.json"))
	require.NoError(t, err)
	require.Empty(t, left, "records of the dead are removed")
}

func TestAPausedOrphanIsEndedToo(t *testing.T) {
	t.Parallel()
	dir := killedParent(t)
	stubborn := readRecord(t, filepath.Join(dir, "stubborn.json"))
	require.NoError(t, syscall.Kill(stubborn.PID, syscall.SIGSTOP))
	_, err := process.Reap(t.Context(), dir, 50*time.Millisecond)
	require.NoError(t, err)
	require.False(t, stubborn.Alive())
}

func TestReapNeverEndsAStranger(t *testing.T) {
	t.Parallel()
	stranger := exec.Command("/bin/sleep", "1000")
	require.NoError(t, stranger.Start())
	t.Cleanup(func() {
		require.NoError(t, stranger.Process.Kill())
		require.ErrorContains(t, stranger.Wait(), "killed")
	})
	b := setup(t)
	b.shell(t, "mine", `sleep 1000`)
	mine := readRecord(t, filepath.Join(b.run, "mine.json"))
	require.True(t, mine.Alive())

	reused, otherBoot := mine, mine
	reused.PID = stranger.Process.Pid
	reused.StartTime -= 1000 // whoever had that pid before, it was earlier
	otherBoot.BootID = "another"
	dir := t.TempDir()
	writeRecord(t, filepath.Join(dir, "reused.json"), reused)
	writeRecord(t, filepath.Join(dir, "boot.json"), otherBoot)
	names, err := process.Reap(t.Context(), dir, time.Second)
	require.NoError(t, err)
	require.Empty(t, names)
	require.True(t, alive(stranger.Process.Pid))
	require.True(t, mine.Alive())
}

func TestDamagedRecordsAreRemoved(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, content := range map[string]string{
		"empty.json": "", "half.json": `{"name": "x", "pid": 12`, "none.json": `{}`,
		"init.json": `{"pid": 1, "startTime": 0, "stopSignal": 15}`, "group.json": `{"pid": -1, "stopSignal": 9}`,
	} {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600))
	}
	require.NoError(t, os.WriteFile(filepath.Join(dir, "notes.txt"), nil, 0o600))
	names, err := process.Reap(t.Context(), dir, time.Second)
	require.NoError(t, err)
	require.Empty(t, names)
	left, err := os.ReadDir(dir)
	require.NoError(t, err)
	require.Len(t, left, 1, "and nothing else is")
}

func TestReapOfAFolderThatIsNotThere(t *testing.T) {
	t.Parallel()
	names, err := process.Reap(t.Context(), filepath.Join(t.TempDir(), "none"), time.Second)
	require.NoError(t, err)
	require.Empty(t, names)
}
