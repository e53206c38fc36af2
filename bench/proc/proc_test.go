package proc_test

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"tiffin/bench/proc"
	"tiffin/local/process"
)

func TestCPUGrowsWithWork(t *testing.T) {
	t.Parallel()
	before, err := proc.CPU(os.Getpid())
	require.NoError(t, err)
	n := 0
	require.Eventually(t, func() bool {
		for range 10_000_000 {
			n++
		}
		now, err := proc.CPU(os.Getpid())
		require.NoError(t, err)
		return now >= before+50*time.Millisecond
	}, 20*time.Second, time.Millisecond)
}

func TestResident(t *testing.T) {
	t.Parallel()
	before, err := proc.Resident(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, before, 1<<20)
	const size = 64 << 20
	ballast := make([]byte, size)
	for i := range ballast {
		ballast[i] = 1
	}
	after, err := proc.Resident(os.Getpid())
	require.NoError(t, err)
	require.Greater(t, after-before, size/2)
	require.Equal(t, byte(1), ballast[size-1])
}

func TestPin(t *testing.T) {
	t.Parallel()
	cmd := exec.Command("sleep", "60")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() { require.NoError(t, cmd.Process.Kill()); require.Error(t, cmd.Wait()) })
	require.NoError(t, proc.Pin(cmd.Process.Pid, "0"))
	status, err := os.ReadFile("/proc/" + strconv.Itoa(cmd.Process.Pid) + "/status")
	require.NoError(t, err)
	require.Contains(t, string(status), "Cpus_allowed_list:\t0\n")
	require.ErrorContains(t, proc.Pin(cmd.Process.Pid, "none"), "taskset")
}

func TestNobodyThere(t *testing.T) {
	t.Parallel()
	_, err := proc.CPU(-1)
	require.Error(t, err)
	_, err = proc.Resident(-1)
	require.Error(t, err)
}

func TestFamilyCPUCountsDescendantsByProgram(t *testing.T) {
	t.Parallel()
	// The shell stays because it has something to do afterwards.
	cmd := exec.Command("sh", "-c", "yes >/dev/null; true")
	require.NoError(t, cmd.Start())
	t.Cleanup(func() {
		for _, pid := range process.Family(cmd.Process.Pid) {
			require.NoError(t, syscall.Kill(pid, syscall.SIGKILL))
		}
		require.Error(t, cmd.Wait())
	})
	var before, after proc.Usage
	require.Eventually(t, func() (there bool) {
		var err error
		before, err = proc.FamilyCPU(cmd.Process.Pid)
		require.NoError(t, err)
		_, there = before["yes"]
		return there
	}, 20*time.Second, time.Millisecond)
	require.Eventually(t, func() bool {
		var err error
		after, err = proc.FamilyCPU(cmd.Process.Pid)
		require.NoError(t, err)
		return after.Since(before)["yes"] >= 20*time.Millisecond
	}, 20*time.Second, time.Millisecond)
	require.Equal(t, after["sh"]+after["yes"], after.Total())

	_, err := proc.FamilyCPU(1 << 30)
	require.ErrorContains(t, err, "no process")
}
