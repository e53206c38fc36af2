package process

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Family returns a process and all its descendants. PostgreSQL's backends each
// lead a group of their own, so a signal to the group would miss them.
func Family(pid int) []int {
	children := map[int][]int{}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return []int{pid}
	}
	for _, e := range entries {
		child, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		if parent := parentOf(child); parent > 0 {
			children[parent] = append(children[parent], child)
		}
	}
	family := []int{pid}
	for i := 0; i < len(family); i++ {
		family = append(family, children[family[i]]...)
	}
	return family
}

// AwaitEnd waits until none of the processes runs any more, at most for limit.
// Zombies count as ended: where nobody buries orphans they stay for ever.
func AwaitEnd(ctx context.Context, pids []int, limit time.Duration) error {
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for _, pid := range pids {
		for {
			if _, err := startTimeOf(pid); errors.Is(err, errOver) {
				break
			}
			select {
			case <-ctx.Done():
				return fmt.Errorf("process %d: %w", pid, ctx.Err())
			case <-tick.C:
			}
		}
	}
	return nil
}

// parentOf reads field 4 of /proc/<pid>/stat; 0 when the process is gone.
func parentOf(pid int) int {
	data, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	stat := string(data)
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 2 {
		return 0
	}
	parent, err := strconv.Atoi(fields[1])
	if err != nil {
		return 0
	}
	return parent
}
