package move

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

// Config says what moves where.
type Config struct {
	Set    *shard.Set
	Region shard.Region
	To     string // id of the shard it moves to
	// Drained tells whether all events of the region on the source are on their
	// way; outbox.Drained is the one. Nil: there are no events.
	Drained func(ctx context.Context, q shard.Querier, region shard.Region) (bool, error)
	// Freeze is the longest that writes of the region may be stopped at a time;
	// default 2s.
	Freeze time.Duration
	Log    *slog.Logger // default: discard
	// Step, if set, is called at each step with its name. An error ends the run
	// there.
	Step func(name string) error
}

// Report says what a run has done.
type Report struct {
	From   string        // the shard that had the region
	To     string        // the shard that has it now
	Rows   int64         // rows that were verified on both sides
	Frozen time.Duration // how long writes were stopped
	Note   string        // when there was nothing to do, or a move was called off: what
}

// ErrBusy says that another run is moving the region.
var ErrBusy = errors.New("move: another run is moving this region")

const (
	// moverLock is the class of the session lock that lets one run move a
	// region: "Tifm" in ASCII.
	moverLock = 0x5469666d
	// lockPatience and lockPace are the waiting for that lock.
	lockPatience = 2 * time.Second
	lockPace     = 50 * time.Millisecond
	// connectTimeout bounds getting hold of both shards.
	connectTimeout = 5 * time.Second
)

// errStopped says that Config.Step ended the run.
var errStopped = errors.New("stopped")

// mover is one run of a move from source to target.
type mover struct {
	Config
	code     uint16
	from     string
	source   *pgx.Conn
	target   *pgx.Conn
	tables   []table
	epoch    int64 // of the source's ownership
	verified int64
	frozen   time.Duration
}

// Run moves a region to a shard, or goes on with a move that was interrupted.
// Moving a region to where it is calls off an unfinished move away from there.
// ctx ends a run between or within steps; the next run goes on.
func Run(ctx context.Context, config Config) (Report, error) {
	config.Freeze = cmp.Or(config.Freeze, 2*time.Second)
	config.Log = cmp.Or(config.Log, slog.New(slog.DiscardHandler))
	if config.Set.ByShard(config.To) == nil {
		return Report{}, fmt.Errorf("move: no shard %q is configured", config.To)
	}
	if _, known := config.Set.Router().ShardOf(config.Region); !known {
		return Report{}, fmt.Errorf("move: no region %q is configured", config.Region)
	}
	from, err := whence(ctx, config)
	if err != nil {
		return Report{}, err
	}
	if from == config.To {
		return callOff(ctx, config)
	}
	m := &mover{Config: config, code: config.Set.Router().Code(config.Region), from: from}
	defer m.close(ctx)
	if err := m.open(ctx); err != nil {
		return Report{}, err
	}
	if err := m.run(ctx); err != nil {
		return Report{}, fmt.Errorf("move %s from %s to %s: %w", config.Region, from, config.To, err)
	}
	config.Set.Refresh(ctx)
	return Report{From: from, To: config.To, Rows: m.verified, Frozen: m.frozen}, nil
}

// whence finds the shard that the move starts from: the one with an unfinished
// move to the target, else the owner. All shards must answer: the one that does
// not could be the owner.
func whence(ctx context.Context, config Config) (string, error) {
	owner, unfinished := "", ""
	for _, db := range config.Set.All() {
		var state, leaving string
		err := db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
			err := q.QueryRow(ctx, `select o.state, coalesce(m.target, '') from shard.ownership o
				left join shard.moves m using (region) where o.region = $1`, config.Region).Scan(&state, &leaving)
			if errors.Is(err, pgx.ErrNoRows) {
				state = ""
				return nil
			}
			return err
		})
		if err != nil {
			return "", fmt.Errorf("move: all shards must answer: %w", err)
		}
		if state == "owner" || state == "frozen" {
			owner = db.ID()
		}
		if leaving == config.To {
			unfinished = db.ID()
		}
	}
	if unfinished == "" && owner == "" {
		return "", fmt.Errorf("move: no shard owns region %s yet: start the fleet once before moving", config.Region)
	}
	return cmp.Or(unfinished, owner), nil
}

// open connects to both shards and takes the lock of this region's moves.
func (m *mover) open(ctx context.Context) (err error) {
	ctx, cancel := context.WithTimeout(ctx, connectTimeout)
	defer cancel()
	if m.source, err = m.Set.ByShard(m.from).Connect(ctx); err != nil {
		return err
	}
	if m.target, err = m.Set.ByShard(m.To).Connect(ctx); err != nil {
		return err
	}
	for _, conn := range []*pgx.Conn{m.source, m.target} {
		// Checksums are of text, and text of times depends on the session.
		if _, err := conn.Exec(ctx, `set timezone = 'UTC'; set application_name = 'tiffin-move'`); err != nil {
			return err
		}
		_, err := conn.Exec(ctx, `set session_replication_role = replica; set session_replication_role = origin`)
		if err != nil {
			return fmt.Errorf("the user of the shards must be allowed to set session_replication_role: %w", err)
		}
	}
	if err := m.lock(ctx); err != nil {
		return err
	}
	if m.tables, err = tables(ctx, m.source); err != nil {
		return err
	}
	there, err := tables(ctx, m.target)
	if err != nil {
		return err
	}
	return sameTables(m.tables, there)
}

// lock takes the lock of this region's moves. It waits a little, for a run that
// was killed a moment ago.
func (m *mover) lock(ctx context.Context) error {
	for deadline := time.Now().Add(lockPatience); ; {
		locked, err := holds(ctx, m.source, `select pg_try_advisory_lock($1, $2)`, moverLock, int32(m.code))
		if err != nil || locked {
			return err
		}
		if time.Now().After(deadline) {
			return ErrBusy
		}
		if err := sleep(ctx, lockPace); err != nil {
			return err
		}
	}
}

func (m *mover) close(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), connectTimeout)
	defer cancel()
	for _, conn := range []*pgx.Conn{m.source, m.target} {
		if conn != nil {
			// Whatever was under way is rolled back by the server when the
			// connection goes, in whatever way it goes.
			_ = conn.Close(ctx)
		}
	}
}

// run goes through the steps that are left.
func (m *mover) run(ctx context.Context) error {
	var state string
	err := m.source.QueryRow(ctx, `select state, epoch from shard.ownership where region = $1`, m.Region).
		Scan(&state, &m.epoch)
	if err != nil {
		return err
	}
	steps := []struct {
		name string
		do   func(ctx context.Context) error
	}{
		{"announce", m.announce}, {"copy", m.copy}, {"follow", m.follow}, {"verify", m.verify}, {"hand over", m.handOver},
		{"take charge", m.takeCharge}, {"clear", m.clear},
	}
	if state == "moved" {
		steps = steps[5:]
	}
	for _, step := range steps {
		if err := m.step(step.name); err != nil {
			return err
		}
		began := time.Now()
		if err := step.do(ctx); err != nil {
			return fmt.Errorf("%s: %w", step.name, err)
		}
		m.Log.Info("region moves", "region", m.Region, "from", m.from, "to", m.To,
			"step", step.name, "took", time.Since(began).Round(time.Millisecond))
	}
	return nil
}

// step gives whoever watches the run a chance to end it.
func (m *mover) step(name string) error {
	if m.Step == nil {
		return nil
	}
	if err := m.Step(name); err != nil {
		return fmt.Errorf("%w: %w", errStopped, err)
	}
	return nil
}

// holds runs one of the schema's functions, which say by their answer whether
// their effect holds.
func holds(ctx context.Context, q interface {
	QueryRow(ctx context.Context, sql string, args ...any) pgx.Row
}, sql string, args ...any) (bool, error) {
	var yes bool
	err := q.QueryRow(ctx, sql, args...).Scan(&yes)
	return yes, err
}
