package shard

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
)

const (
	// refreshEvery is how often a process reads the ownership rows of each
	// shard.
	refreshEvery = time.Second
	// claimTimeout is how long shards may take to say what they own before one
	// is let claim what nobody does. It is generous: who does not answer is
	// taken to own nothing.
	claimTimeout = 5 * time.Second
	// refreshPause is how young a view may be to be called fresh.
	refreshPause = 10 * time.Millisecond
	// Lease is how long what was read may be relied upon. A move announces
	// itself and then waits for longer than that before it takes anything away,
	// so that nobody can read from a shard that has just lost the region.
	Lease = 3 * time.Second
)

// The states of an ownership row; the migration describes them.
const (
	stateOwner    = "owner"
	stateFrozen   = "frozen"
	stateMoved    = "moved"
	stateIncoming = "incoming"
)

// claim is one ownership row.
type claim struct {
	Region Region
	Epoch  int64
	State  string
	Peer   string
}

// claims is what one shard said of the regions it owns, and when it was asked.
type claims struct {
	byRegion map[Region]claim
	asked    time.Time
}

// watch keeps the view of one shard's ownership rows fresh until ctx ends.
func (s *Set) watch(ctx context.Context, n *node) {
	ticker := time.NewTicker(refreshEvery)
	defer ticker.Stop()
	for {
		if err := s.ask(ctx, n, pingTimeout); err == nil {
			s.settle(ctx)
		}
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
	}
}

// Refresh asks all shards at once where the regions live, when a view has
// proved wrong. A shard that does not answer keeps its old view.
func (s *Set) Refresh(ctx context.Context) { s.refresh(ctx, pingTimeout) }

func (s *Set) refresh(ctx context.Context, timeout time.Duration) {
	var group sync.WaitGroup
	for _, n := range s.order {
		// While a region is frozen many wait for it, and one question answers
		// them all.
		if time.Since(n.claims.Load().asked) < refreshPause {
			continue
		}
		group.Go(func() {
			// A shard that is away says nothing new, and that it is away is for
			// Health to say.
			_ = s.ask(ctx, n, timeout)
		})
	}
	group.Wait()
	s.settle(ctx)
}

// ask reads one shard's ownership rows.
func (s *Set) ask(ctx context.Context, n *node, timeout time.Duration) error {
	return n.question(ctx, "ownership", timeout, n.readClaims)
}

// readClaims brings the view of the shard's ownership rows up to date.
func (n *node) readClaims(ctx context.Context) error {
	asked := time.Now()
	// A query is cheap and the breaker is not asked: this is also how a shard
	// that is back gets noticed.
	rows, err := n.pool.Query(ctx, `select region, epoch, state, coalesce(peer, '') from shard.ownership`)
	if err != nil {
		return err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[claim])
	if err != nil {
		return err
	}
	view := &claims{byRegion: make(map[Region]claim, len(list)), asked: asked}
	for _, row := range list {
		view.byRegion[row.Region] = row
	}
	n.learn(view)
	return nil
}

// learn takes a view for the newest, unless the answer to a later question came first.
func (n *node) learn(view *claims) {
	for {
		old := n.claims.Load()
		if old.asked.After(view.asked) || n.claims.CompareAndSwap(old, view) {
			return
		}
	}
}

// settle computes where every region lives from what the shards said, and
// publishes it to the router.
func (s *Set) settle(ctx context.Context) {
	s.settling.Lock()
	defer s.settling.Unlock()
	homes := s.whereabouts()
	for region, home := range homes {
		if home != s.router.home(region) {
			s.opts.Log.Info("region lives elsewhere", "region", region, "shard", home)
		}
	}
	s.router.homes.Store(&homes)
	s.finishMoves(ctx)
}

// whereabouts gives the home of every region: what the row with the highest
// epoch says, and the configuration where there is none.
func (s *Set) whereabouts() map[Region]string {
	homes := make(map[Region]string, len(s.initial))
	for region, initial := range s.initial {
		home, best := initial, int64(0)
		for _, n := range s.order {
			row, known := n.claims.Load().byRegion[region]
			shard, epoch := row.whereabouts(n.id)
			if _, exists := s.nodes[shard]; !known || !exists {
				continue
			}
			// At equal epochs two shards claim the region, because somebody
			// edited the configuration instead of moving the region: everybody
			// then follows the configuration, which at least is one answer.
			if epoch > best || epoch == best && shard == initial {
				home, best = shard, epoch
			}
		}
		homes[region] = home
	}
	return homes
}

// whereabouts is where a row says its region lives, and since which epoch. An
// incoming region does not live there yet.
func (c claim) whereabouts(shard string) (string, int64) {
	switch c.State {
	case stateMoved:
		return c.Peer, c.Epoch + 1
	case stateIncoming:
		return "", 0
	default:
		return shard, c.Epoch
	}
}

// finishMoves puts a shard in charge of a region whose old owner has let go of
// it. The mover does that itself; when it died between the two, whoever sees it
// first finishes, so that a region is never nobody's.
func (s *Set) finishMoves(ctx context.Context) {
	for _, n := range s.order {
		for region, row := range n.claims.Load().byRegion {
			target, exists := s.nodes[row.Peer]
			if row.State != stateMoved || !exists {
				continue
			}
			arriving := target.claims.Load().byRegion[region]
			if arriving.State != stateIncoming || arriving.Epoch != row.Epoch+1 {
				continue
			}
			if err := takeCharge(ctx, target, region, row.Epoch+1); err != nil {
				s.opts.Log.Warn("cannot finish a region's move yet", "region", region, "shard", target.id, "error", err)
			}
		}
	}
}

// takeCharge makes an incoming region owned. It changes nothing when somebody
// else did it before.
func takeCharge(ctx context.Context, n *node, region Region, epoch int64) error {
	ctx, cancel := context.WithTimeout(ctx, pingTimeout)
	defer cancel()
	_, err := n.pool.Exec(ctx, `select shard.take_charge($1, $2)`, region, epoch)
	return err
}

// stillHome makes sure, after a read, that the shard owned the region while it
// read. Mostly the view is young and quiet and no question is asked.
func (s *Set) stillHome(ctx context.Context, n *node, region Region) error {
	view := n.claims.Load()
	if row := view.byRegion[region]; row.State == stateOwner && row.Peer == "" && time.Since(view.asked) < Lease {
		return nil
	}
	var state string
	err := n.pool.QueryRow(ctx, `select state from shard.ownership where region = $1`, region).Scan(&state)
	var pgErr *pgconn.PgError
	switch {
	case errors.Is(err, pgx.ErrNoRows), errors.As(err, &pgErr) && pgErr.Code == pgerrcode.UndefinedTable:
		// Nobody ever claimed the region here: nothing was migrated, so nothing
		// can have been moved either.
		return nil
	case err != nil:
		return err
	case state == stateOwner || state == stateFrozen:
		return nil
	default:
		return &pgconn.PgError{Code: notOwner, Message: fmt.Sprintf("region %s is %s here", region, state)}
	}
}

// claimRegions writes the ownership rows of regions that have none anywhere, on
// the shard the configuration gives them. Shards that cannot be asked are taken
// to own nothing new: a fleet must be able to start for the first time while
// one of them is away.
func (s *Set) claimRegions(ctx context.Context, n *node) error {
	s.refresh(ctx, claimTimeout)
	for region, initial := range s.initial {
		if initial != n.id || s.claimed(region) {
			continue
		}
		_, err := n.pool.Exec(ctx, `insert into shard.ownership (region, code, epoch, state)
			values ($1, $2, 1, 'owner') on conflict do nothing`, region, s.router.Code(region))
		if err != nil {
			return fmt.Errorf("claim region %s: %w", region, err)
		}
	}
	return s.ask(ctx, n, claimTimeout)
}

func (s *Set) claimed(region Region) bool {
	for _, n := range s.order {
		if _, known := n.claims.Load().byRegion[region]; known {
			return true
		}
	}
	return false
}
