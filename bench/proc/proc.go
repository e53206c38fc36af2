// Package proc reads what a process uses from the kernel and says on which
// cores processes may run. It is for Linux.
package proc

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"tiffin/local/process"
)

// tick is the kernel's unit of CPU time, the same on every Linux that Go runs
// on.
const tick = 10 * time.Millisecond

// CPU is the time a process has computed since its start, in user and kernel.
func CPU(pid int) (time.Duration, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// The name, in parentheses, may hold anything.
	fields := strings.Fields(string(raw[bytes.LastIndexByte(raw, ')')+1:]))
	user, err := strconv.Atoi(fields[11])
	if err != nil {
		return 0, err
	}
	system, err := strconv.Atoi(fields[12])
	return time.Duration(user+system) * tick, err
}

// Usage is the time that programs have computed, by program: the processes of
// PostgreSQL, all called postgres, count as one.
type Usage map[string]time.Duration

// Total is the time of all programs.
func (u Usage) Total() (total time.Duration) {
	for _, used := range u {
		total += used
	}
	return total
}

// Since is what has been computed since an earlier moment.
func (u Usage) Since(earlier Usage) Usage {
	d := Usage{}
	for program, used := range u {
		d[program] = used - earlier[program]
	}
	return d
}

// FamilyCPU is the time a process and all that descend from it have computed,
// to the nanosecond: PostgreSQL computes in children of its own. Who has ended
// meanwhile no longer counts, so take it between two moments of steady work.
func FamilyCPU(pid int) (Usage, error) {
	total := Usage{}
	for _, member := range process.Family(pid) {
		// The clock of a process, as clock_getcpuclockid(3) makes its number.
		const whole = 2
		var used unix.Timespec
		err := unix.ClockGettime(int32(^member<<3|whole), &used)
		program, nameErr := os.ReadFile(fmt.Sprintf("/proc/%d/comm", member))
		switch {
		case errors.Is(err, unix.EINVAL), errors.Is(nameErr, os.ErrNotExist), errors.Is(nameErr, unix.ESRCH): // it has just ended
		case err != nil || nameErr != nil:
			return nil, fmt.Errorf("processor time of %d: %w", member, errors.Join(err, nameErr))
		default:
			total[strings.TrimSpace(string(program))] += time.Duration(used.Nano())
		}
	}
	if len(total) == 0 {
		return nil, fmt.Errorf("no process %d", pid)
	}
	return total, nil
}

// Resident is the memory of a process that is in RAM, in bytes.
func Resident(pid int) (int, error) {
	raw, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	if err != nil {
		return 0, err
	}
	pages, err := strconv.Atoi(strings.Fields(string(raw))[1])
	return pages * os.Getpagesize(), err
}

// Pin puts the process, with all its threads, on the given cores ("0",
// "0,1"). What it starts later inherits that.
func Pin(pid int, cores string) error {
	out, err := exec.Command("taskset", "-a", "-c", "-p", cores, strconv.Itoa(pid)).CombinedOutput()
	if err != nil {
		return fmt.Errorf("taskset: %w: %s", err, out)
	}
	return nil
}
