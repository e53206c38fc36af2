package process

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// errOver means that there is no such process any more.
var errOver = errors.New("process: has ended")

// startTimeOf reads when a process started, in clock ticks since boot, from
// /proc/<pid>/stat. A zombie counts as ended: it holds no port and no file.
func startTimeOf(pid int) (uint64, error) {
	data, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	// Between the file's opening and its reading the process may end, too.
	if errors.Is(err, fs.ErrNotExist) || errors.Is(err, syscall.ESRCH) {
		return 0, errOver
	}
	if err != nil {
		return 0, err
	}
	return parseStat(string(data))
}

// parseStat takes state and start time (fields 3 and 22 of proc(5)). The name
// in field 2 may hold spaces and parentheses, so fields are counted from the
// last closing one.
func parseStat(stat string) (uint64, error) {
	end := strings.LastIndexByte(stat, ')')
	if end < 0 {
		return 0, errors.New("process: no name in stat")
	}
	fields := strings.Fields(stat[end+1:])
	const state, startTime = 0, 22 - 3 // the state is field 3
	if len(fields) <= startTime {
		return 0, errors.New("process: stat is too short")
	}
	if fields[state] == "Z" || fields[state] == "X" {
		return 0, errOver
	}
	return strconv.ParseUint(fields[startTime], 10, 64)
}

// bootID changes with every boot of the machine, start times begin anew then.
func bootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	return strings.TrimSpace(string(data)), err
}
