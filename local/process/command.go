package process

import (
	"os"
	"os/exec"
	"syscall"
	"time"
)

// Command says what to run and how to end it.
type Command struct {
	Name string // names the log and the record: "postgres-a"
	Path string // the binary
	Args []string
	Dir  string
	Env  []string // the whole environment; nil inherits ours
	User *User    // nil runs as we do

	// StopSignal asks for a clean end; zero means SIGTERM. The kernel sends it
	// too when this process dies.
	StopSignal syscall.Signal
	// StopTimeout is how long a clean end may take before SIGKILL; zero means
	// ten seconds.
	StopTimeout time.Duration
}

// User is the account a child runs as when we are root and it refuses to be.
type User struct {
	UID, GID uint32
	// Override gives the child CAP_DAC_OVERRIDE, for a data folder beneath one
	// that the account may not enter, such as /root or a private temporary
	// folder. The alternative would be to open up a folder that is not ours.
	Override bool
}

// capDACOverride is CAP_DAC_OVERRIDE of capabilities(7).
const capDACOverride = 1

const defaultStopTimeout = 10 * time.Second

func (c Command) stopSignal() syscall.Signal {
	if c.StopSignal == 0 {
		return syscall.SIGTERM
	}
	return c.StopSignal
}

func (c Command) stopTimeout() time.Duration {
	if c.StopTimeout == 0 {
		return defaultStopTimeout
	}
	return c.StopTimeout
}

// build makes the exec.Cmd. The child gets a process group of its own, so that
// Ctrl-C in the terminal reaches only us and the order of ending is ours.
func (c Command) build(log *os.File) *exec.Cmd {
	cmd := exec.Command(c.Path, c.Args...)
	cmd.Dir, cmd.Env = c.Dir, c.Env
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: c.stopSignal()}
	if c.User != nil {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: c.User.UID, Gid: c.User.GID}
		if c.User.Override {
			cmd.SysProcAttr.AmbientCaps = []uintptr{capDACOverride}
		}
	}
	return cmd
}
