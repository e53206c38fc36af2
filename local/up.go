package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"tiffin/config"
	"tiffin/demo"
	"tiffin/fleet"
	"tiffin/local/backing"
	"tiffin/local/port"
	"tiffin/local/process"
	"tiffin/micro"
	"tiffin/telemetry"
)

// ErrHardStop is returned when Hurry cut the clean stop short.
var ErrHardStop = errors.New("stopped the hard way; the next start recovers")

// Config says how `tiffin up` runs.
type Config struct {
	Config config.Config
	// Out gets progress and banner.
	Out io.Writer
	// Console gets log records besides the log file; nil for none.
	Console slog.Handler
	// OnReady, when set, is called after the banner.
	OnReady func()
	// Hurry, once closed, ends everything at once instead of cleanly: a second
	// Ctrl-C.
	Hurry <-chan struct{}
}

// reapGrace is how long orphans of a killed run may take to end cleanly. They
// have been told already, by the kernel, when their parent died.
const reapGrace = 5 * time.Second

// Up runs the servers and the fleet until ctx ends, and stops all of it
// cleanly. It returns nil then; any error is one line for people.
func Up(ctx context.Context, c Config) error {
	h, err := openHome(c.Config.Home)
	if err != nil {
		return err
	}
	defer h.release()
	log, closeLog, err := openLog(c, h)
	if err != nil {
		return err
	}
	defer closeLog()
	u := &up{Config: c, home: h, log: log, progress: newProgress(c.Out), ports: port.NewBook()}
	defer u.close()
	if err := u.prepare(ctx); err != nil {
		return err
	}
	return u.runOrHurry(ctx)
}

// up is one run of the embedded default.
type up struct {
	Config
	home     *home
	log      *slog.Logger
	progress *progress
	ports    *port.Book
	launcher *process.Launcher
	plan     plan
}

// openLog makes the logger of everything in this process: whole to the file,
// and to the console what that wants.
func openLog(c Config, h *home) (*slog.Logger, func(), error) {
	var level slog.Level
	if err := level.UnmarshalText([]byte(c.Config.LogLevel)); err != nil {
		return nil, nil, fmt.Errorf("LOG_LEVEL: %w", err)
	}
	f, err := openLogFile(h.logs() + "/fleet.log")
	if err != nil {
		return nil, nil, fmt.Errorf("TIFFIN_HOME: cannot write to %s (%w)", h.logs(), cause(err))
	}
	sink := telemetry.NewSink(f, func(w io.Writer) slog.Handler {
		return slog.NewJSONHandler(w, &slog.HandlerOptions{Level: level})
	})
	handler := sink.Handler()
	if c.Console != nil {
		handler = slog.NewMultiHandler(handler, c.Console)
	}
	return slog.New(handler), func() {
		sink.Close()
		_ = f.Close() // the last to leave: nothing can be done about an error any more
	}, nil
}

// prepare ends what an earlier run left behind, decides what to start and
// writes it down.
func (u *up) prepare(ctx context.Context) error {
	orphans, err := process.Reap(ctx, u.home.run(), reapGrace)
	if err != nil {
		return err
	}
	if len(orphans) > 0 {
		u.progress.line("Ended what an earlier run left behind: " + strings.Join(orphans, ", "))
	}
	s, err := loadSecrets(u.home.file("secrets"))
	if err != nil {
		return err
	}
	if u.plan, err = newPlan(u.Config.Config, u.home, s, u.ports); err != nil {
		return err
	}
	if err := writeFile(u.home.file("env"), formatEnv(u.plan.env())); err != nil {
		return fmt.Errorf("TIFFIN_HOME: cannot write to %s (%w)", u.home.path, cause(err))
	}
	u.launcher = process.NewLauncher(u.home.run(), u.home.logs())
	return nil
}

func (u *up) close() {
	if u.launcher != nil {
		u.launcher.Close()
	}
	if err := u.ports.Close(); err != nil {
		u.log.Warn("giving ports back", "error", err)
	}
}

// runOrHurry runs everything, and stops waiting for it when somebody is in a
// hurry: the children are killed then, and the process is about to end.
func (u *up) runOrHurry(ctx context.Context) error {
	done := make(chan error, 1)
	go func() { done <- u.run(ctx) }()
	select {
	case err := <-done:
		return err
	case <-u.Hurry:
		u.launcher.KillAll()
		return ErrHardStop
	}
}

// run starts the servers, the fleet on them, and stops them the other way
// round.
func (u *up) run(ctx context.Context) error {
	u.progress.line(fmt.Sprintf("Tiffin starts in %s", u.home.path))
	stopNATS, err := u.startNATS()
	if err != nil {
		return err
	}
	// The servers outlive ctx: the fleet drains on them first.
	servers, stopServers := context.WithCancel(context.WithoutCancel(ctx))
	defer stopServers()
	group, failed := errgroup.WithContext(servers)
	keepers := u.keep(failed, group)

	err = u.runFleet(ctx, failed, keepers)
	if ctx.Err() != nil {
		u.progress.line("Stopping; Ctrl-C again stops the hard way.")
	}
	stopNATS()
	stopServers()
	if err := errors.Join(group.Wait(), err); err != nil {
		return err
	}
	u.progress.line("Stopped; the data is in " + u.home.path)
	return nil
}

// startNATS starts the embedded NATS and returns what stops it; neither when
// NATS_URL names another.
func (u *up) startNATS() (func(), error) {
	if u.plan.nats == nil {
		return func() {}, nil
	}
	c := *u.plan.nats
	c.Logger = natsLog{u.log.With("server", "nats")}
	srv, err := backing.StartNATS(c)
	if err != nil {
		return nil, err
	}
	u.progress.ready("nats", srv.Addr().String())
	return func() {
		srv.Shutdown()
		srv.WaitForShutdown()
	}, nil
}

// keep starts all keepers at once, and returns those that the fleet waits for.
func (u *up) keep(ctx context.Context, group *errgroup.Group) []*backing.Keeper {
	var needed []*backing.Keeper
	for _, s := range u.plan.servers {
		k := backing.NewKeeper(s.server, u.launcher, u.log)
		if !s.late {
			needed = append(needed, k)
		}
		group.Go(func() error { return k.Run(ctx) })
		group.Go(func() error {
			select {
			case <-k.Ready():
				u.progress.ready(s.server.Name, s.server.Address)
			case <-ctx.Done():
			}
			return nil
		})
	}
	return needed
}

// runFleet waits for the servers, runs the fleet until ctx or failed ends, and
// returns after it has drained.
func (u *up) runFleet(ctx, failed context.Context, needed []*backing.Keeper) error {
	for _, k := range needed {
		select {
		case <-k.Ready():
		case <-ctx.Done():
			return nil
		case <-failed.Done():
			return nil // the group tells why
		}
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(failed, cancel)()
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		return fleet.Run(ctx, fleet.Config{Config: u.plan.config, Roles: fleet.Roles, Log: u.log, BeforeEdge: u.seed})
	})
	group.Go(func() error { return u.announce(ctx) })
	return group.Wait()
}

// announce prints the banner once the fleet is ready.
func (u *up) announce(ctx context.Context) error {
	c := u.plan.config
	if err := awaitReady(ctx, c, u.progress); err != nil {
		return nil // stopped before it was ready; whoever stopped it knows why
	}
	u.progress.line(banner(u.plan, u.home, time.Since(u.progress.since)))
	if u.OnReady != nil {
		u.OnReady()
	}
	return nil
}

// seed makes the demo data on the first start of a home. What fails is tried
// again at the next start; a fleet without it is still a fleet.
func (u *up) seed(ctx context.Context, ops *micro.Client) error {
	marker := u.home.file("demo.done")
	if u.plan.config.Demo != "on" || exists(marker) {
		return nil
	}
	if err := demo.Seed(ctx, demo.Config{Client: ops, Log: u.log}); err != nil {
		if ctx.Err() == nil {
			u.progress.line(fmt.Sprintf("  demo data is incomplete, the next start goes on with it: %v", err))
		}
		return nil
	}
	u.progress.ready("demo data", "")
	return os.WriteFile(marker, nil, 0o600)
}
