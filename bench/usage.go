package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// ticks is the kernel's unit of processor time, USER_HZ.
const ticks = 100

// usage gives the processor time that a process has used.
func usage(pid int) (cpuSeconds float64, err error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	// After the name, which may hold anything, field 3 follows; utime is 14, stime 15.
	fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
	for _, field := range fields[11:13] {
		n, err := strconv.Atoi(field)
		if err != nil {
			return 0, err
		}
		cpuSeconds += float64(n) / ticks
	}
	return cpuSeconds, nil
}

// memory reads a line of a process's memory, such as VmHWM, the most it ever
// had resident, or RssAnon, what of it belongs to it alone and to no file.
func memory(pid int, line string) (mib float64, err error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	_, value, _ := strings.Cut(string(status), line+":")
	if _, err := fmt.Sscan(value, &mib); err != nil {
		return 0, fmt.Errorf("%s of %d: %w", line, pid, err)
	}
	return mib / 1024, nil
}

// await asks every 5 ms until done or ctx ends.
func await(ctx context.Context, done func() (bool, error)) error {
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		if ok, err := done(); ok || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick.C:
		}
	}
}
