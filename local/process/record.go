package process

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Record is what is remembered of a child on disk: enough to recognise it
// after this process was killed, and how it wants to be stopped.
type Record struct {
	Name       string         `json:"name"`
	PID        int            `json:"pid"`
	StartTime  uint64         `json:"startTime"` // clock ticks since boot
	BootID     string         `json:"bootId"`
	Command    []string       `json:"command"`
	StopSignal syscall.Signal `json:"stopSignal"`
}

// record writes the child's record in one step: a half-written one would hide
// an orphan.
func (p *Process) record() error {
	startTime, err := startTimeOf(p.PID())
	if errors.Is(err, errOver) {
		return nil // nothing to remember; Done tells of it
	}
	if err != nil {
		return err
	}
	boot, err := bootID()
	if err != nil {
		return err
	}
	data, err := json.Marshal(Record{
		Name: p.command.Name, PID: p.PID(), StartTime: startTime, BootID: boot,
		Command: append([]string{p.command.Path}, p.command.Args...), StopSignal: p.command.stopSignal(),
	})
	if err != nil {
		return err
	}
	tmp := p.recordPath + ".tmp"
	if err := os.WriteFile(tmp, data, 0o600); err != nil {
		return err
	}
	return os.Rename(tmp, p.recordPath)
}

// Alive tells whether the recorded process still runs: the same pid with the
// same start time in the same boot.
func (r Record) Alive() bool {
	boot, err := bootID()
	if err != nil || boot != r.BootID {
		return false
	}
	started, err := startTimeOf(r.PID)
	return err == nil && started == r.StartTime
}

// Reap ends every recorded process that is still alive: first as it wants to
// be stopped, after grace with SIGKILL to its group. It returns the names of
// those it found. The caller must be the only owner of runDir, or it would end
// the children of a living process.
func Reap(ctx context.Context, runDir string, grace time.Duration) ([]string, error) {
	records, err := readRecords(runDir)
	if err != nil {
		return nil, err
	}
	var orphans []Record
	var names []string
	for path, r := range records {
		if !r.Alive() {
			if err := os.Remove(path); err != nil {
				return nil, err
			}
			continue
		}
		orphans, names = append(orphans, r), append(names, r.Name)
		if err := syscall.Kill(r.PID, r.StopSignal); err != nil && !errors.Is(err, syscall.ESRCH) {
			return nil, fmt.Errorf("end %s (pid %d), left behind by an earlier run: %w", r.Name, r.PID, err)
		}
		// A paused process hears nothing until it is continued.
		_ = syscall.Kill(r.PID, syscall.SIGCONT)
	}
	return names, awaitEnd(ctx, orphans, grace)
}

func awaitEnd(ctx context.Context, orphans []Record, grace time.Duration) error {
	kill := time.After(grace)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for anyAlive(orphans) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-kill:
			for _, r := range orphans {
				if r.Alive() {
					// Already gone is fine, and the loop looks again.
					_ = syscall.Kill(-r.PID, syscall.SIGKILL)
				}
			}
		case <-tick.C:
		}
	}
	return nil
}

func anyAlive(records []Record) bool {
	for _, r := range records {
		if r.Alive() {
			return true
		}
	}
	return false
}

// readRecords returns the records by path. One that cannot be read as a record
// says nothing about any process and is removed.
func readRecords(runDir string) (map[string]Record, error) {
	entries, err := os.ReadDir(runDir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	records := map[string]Record{}
	for _, e := range entries {
		path := filepath.Join(runDir, e.Name())
		if !strings.HasSuffix(e.Name(), ".json") {
			continue
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		var r Record
		if err := json.Unmarshal(data, &r); err != nil || r.PID <= 1 || r.StopSignal <= 0 {
			if err := os.Remove(path); err != nil {
				return nil, err
			}
			continue
		}
		records[path] = r
	}
	return records, nil
}
