package sim

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sync/errgroup"

	"tiffin/shard"
)

// DefaultCities are one of each region, and so two of each shard.
var DefaultCities = []string{"San Francisco", "Toronto", "New York", "Chicago", "Houston", "Mexico City"}

const (
	defaultRate     = 6.0
	defaultPassword = "tiffin-sim"
	// lastOrders is how long the orders under way may take after the last one was placed.
	lastOrders = 10 * time.Minute
	knockTime  = 15 * time.Second
)

// Config says what to play. Edge is required; the zero value of anything else is a working default.
type Config struct {
	Edge            string        // URL of the fleet, such as http://localhost:3000
	Cities          []string      // default DefaultCities
	OrdersPerMinute float64       // over all cities; default 6
	Speed           float64       // how much faster than life; default 1
	For             time.Duration // how long to place orders; 0: until the context ends
	Password        string        // of the accounts that play; default "tiffin-sim"
	Seed            uint64        // of chance; 0: another one each time
	Customers       int           // in each city; default 2
	Riders          int           // in each city; default 4
	Width           float64       // of a city, as a part of a real one: shorter ways are done sooner; default 1
	Witness         Witness       // is told of everything on the wire; none if nil
	Out             io.Writer     // default standard output
}

// withDefaults fills in what is left out, or says what cannot be.
func (c Config) withDefaults() (Config, error) {
	c.OrdersPerMinute = cmp.Or(c.OrdersPerMinute, defaultRate)
	c.Speed = cmp.Or(c.Speed, 1)
	c.Width = cmp.Or(c.Width, 1)
	c.Customers = cmp.Or(c.Customers, customersPerTown)
	c.Riders = cmp.Or(c.Riders, ridersPerTown)
	c.Password = cmp.Or(c.Password, defaultPassword)
	c.Seed = cmp.Or(c.Seed, rand.Uint64())
	if c.Out == nil {
		c.Out = os.Stdout
	}
	if len(c.Cities) == 0 {
		c.Cities = DefaultCities
	}
	u, err := url.Parse(c.Edge)
	switch {
	case err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https":
		return c, fmt.Errorf("edge %q is no http URL", c.Edge)
	case c.OrdersPerMinute < 0 || c.OrdersPerMinute > 6000:
		return c, errors.New("orders per minute must be between 0 and 6000")
	case c.Speed < 0.1 || c.Speed > 100:
		return c, errors.New("speed must be between 0.1 and 100")
	case c.Width < 0.05 || c.Width > 1:
		return c, errors.New("width must be between 0.05 and 1")
	case c.Customers < 0 || c.Riders < 0 || c.Customers > 1000 || c.Riders > 1000:
		return c, errors.New("customers and riders must be between 1 and 1000")
	}
	return c, nil
}

// simulation is one run.
type simulation struct {
	cfg    Config
	api    *api
	board  *board
	towns  []*town
	riders map[string]*rider // by user id

	mu   sync.Mutex
	dice *rand.Rand
}

// Run plays until Config.For is over and the orders under way have ended, or until ctx ends. It returns an error only
// when it could not begin; what goes wrong later is counted and printed.
func Run(ctx context.Context, cfg Config) error {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return err
	}
	s := &simulation{
		cfg: cfg, api: newAPI(cfg.Edge, cfg.Witness), board: newBoard(cfg.Out, time.Now), riders: make(map[string]*rider),
		dice: rand.New(rand.NewPCG(cfg.Seed, 0)),
	}
	defer s.api.close()
	if err := s.cast(ctx); err != nil {
		if ctx.Err() != nil {
			return nil // Ctrl-C before the curtain
		}
		return err
	}
	s.play(ctx)
	_, err = io.WriteString(cfg.Out, s.board.summary(s.api.limited.Load(), s.api.failed.Load()))
	return err
}

// rng is a source of chance of somebody's own, the same in each run with the same seed and order of asking.
func (s *simulation) rng() *rand.Rand {
	s.mu.Lock()
	defer s.mu.Unlock()
	return rand.New(rand.NewPCG(s.dice.Uint64(), s.dice.Uint64()))
}

// cast fills the towns. Their accounts are signed in a few at a time: the fleet limits that, and bcrypt is dear.
func (s *simulation) cast(ctx context.Context) error {
	if err := s.knock(ctx); err != nil {
		return fmt.Errorf("no fleet answers at %s: %w", s.cfg.Edge, err)
	}
	cities, err := gazetteer(s.cfg.Cities)
	if err != nil {
		return err
	}
	s.board.say("signing in %d people in %d cities; the fleet allows a few a second", len(cities)*(1+s.cfg.Customers+s.cfg.Riders), len(cities))
	s.towns = make([]*town, len(cities))
	var group errgroup.Group
	group.SetLimit(2)
	for i, city := range cities {
		group.Go(func() (err error) {
			if s.towns[i], err = s.build(ctx, city); err == nil {
				s.board.say("%s is ready: %d kitchens, %d riders", city.Name, len(s.towns[i].places), len(s.towns[i].riders))
			}
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return err
	}
	for _, t := range s.towns {
		for _, r := range t.riders {
			s.riders[r.account.id()] = r
		}
	}
	return nil
}

// knock makes sure that there is a fleet, which may be starting at this moment.
func (s *simulation) knock(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, knockTime)
	defer cancel()
	return s.api.do(ctx, call{method: http.MethodGet, path: "/healthz"}, nil)
}

// gazetteer finds the cities by name.
func gazetteer(names []string) ([]shard.City, error) {
	cities := make([]shard.City, 0, len(names))
	for _, name := range names {
		match, found := shard.Cities().Lookup(strings.TrimSpace(name))
		if !found {
			return nil, fmt.Errorf("city %q is not known: it should be in the US, Canada or Mexico and have 15 000 people", name)
		}
		cities = append(cities, match.City)
	}
	return cities, nil
}

// play is the evening: everybody comes, orders are placed, orders end, everybody goes.
func (s *simulation) play(ctx context.Context) {
	ctx, end := context.WithCancel(ctx)
	var people sync.WaitGroup
	for _, t := range s.towns {
		people.Go(func() { t.kitchen.run(ctx) })
		for _, c := range t.customers {
			people.Go(func() { c.socket.run(ctx) })
		}
		for _, r := range t.riders {
			people.Go(func() { r.socket.run(ctx) })
			people.Go(func() { r.run(ctx) })
		}
	}
	s.place(ctx)
	s.settle(ctx)
	end()
	people.Wait()
}

// place has somebody order at random moments, until the time is over.
func (s *simulation) place(ctx context.Context) {
	if s.cfg.For > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, s.cfg.For)
		defer cancel()
	}
	rng := s.rng()
	var hungry sync.WaitGroup
	defer hungry.Wait()
	for {
		gap := time.Duration(rng.ExpFloat64() * float64(time.Minute) / s.cfg.OrdersPerMinute)
		if wait(ctx, gap) != nil {
			return
		}
		t := s.towns[rng.IntN(len(s.towns))]
		c := t.customers[rng.IntN(len(t.customers))]
		dice := s.rng()
		hungry.Go(func() { c.order(ctx, dice) })
	}
}

// settle waits until the orders under way have ended.
func (s *simulation) settle(ctx context.Context) {
	ctx, cancel := context.WithTimeout(ctx, time.Duration(float64(lastOrders)/min(s.cfg.Speed, 1)))
	defer cancel()
	if open := s.board.open(); open > 0 && ctx.Err() == nil {
		s.board.say("no more orders; waiting for %d under way", open)
	}
	for s.board.open() > 0 {
		if wait(ctx, tick) != nil {
			return
		}
	}
}

// offered passes on to a rider of ours that an order is theirs, as their phone would buzz.
func (s *simulation) offered(orderID, riderID string) {
	r, ours := s.riders[riderID]
	if !ours {
		s.board.assigned(orderID, "somebody else's rider")
		return
	}
	s.board.assigned(orderID, r.name)
	r.look()
}
