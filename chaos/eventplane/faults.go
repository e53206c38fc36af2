package eventplane

import (
	"fmt"
	"math/rand/v2"
	"time"
)

// kind is what is done to a target.
type kind string

const (
	kill   kind = "kill"   // SIGKILL, started again after the hold
	pause  kind = "pause"  // SIGSTOP, SIGCONT after the hold
	wipe   kind = "wipe"   // SIGKILL, and the server comes back without its data
	cut    kind = "cut"    // connections are closed and refused
	freeze kind = "freeze" // connections stay and carry nothing
	slow   kind = "slow"   // every packet is late
)

// The targets: processes, and connections between them.
const (
	relayOne, relayTwo   = "relay-1", "relay-2"
	bridgeOne, bridgeTwo = "bridge-1", "bridge-2"
	natsServer           = "nats"
	broker               = "rabbitmq"
	postgres             = "postgres-a"

	relayToPostgres = "relay→postgres-a"
	relayToNATS     = "relay→nats"
	bridgeToNATS    = "bridge→nats"
	bridgeToBroker  = "bridge→rabbitmq"
)

// fault is one step of a lane: what happens to whom, for how long, and how long
// the lane rests afterwards.
type fault struct {
	kind   kind
	target string
	hold   time.Duration
	rest   time.Duration
}

func (f fault) String() string {
	return fmt.Sprintf("%s %s for %s", f.kind, f.target, f.hold.Round(time.Millisecond))
}

// lane gives faults one after the other, without end. The same seed gives the
// same faults.
type lane struct {
	random *rand.Rand
	draw   func(*rand.Rand) fault
}

// next gives the lane's next fault.
func (l *lane) next() fault { return l.draw(l.random) }

// lanes makes the two lanes of a campaign.
func lanes(seed uint64) (processes, network *lane) {
	return &lane{rand.New(rand.NewPCG(seed, 1)), drawProcess}, &lane{rand.New(rand.NewPCG(seed, 2)), drawNetwork}
}

// drawProcess prefers the relays and bridges: they are what is on trial, and the
// brokers take seconds to come back.
func drawProcess(r *rand.Rand) fault {
	f := fault{kind: kill, hold: between(r, 0, 2*time.Second), rest: between(r, 0, 3*time.Second)}
	f.target = pick(r, relayOne, relayTwo, bridgeOne, bridgeOne, bridgeTwo, bridgeTwo, natsServer, natsServer, broker, postgres)
	switch n := r.IntN(20); {
	case n == 0 && f.target == natsServer:
		f.kind = wipe
	case n < 7:
		// Some pauses are longer than heartbeats and idle timeouts forgive.
		f.kind, f.hold = pause, between(r, 500*time.Millisecond, 18*time.Second)
	}
	return f
}

func drawNetwork(r *rand.Rand) fault {
	return fault{
		kind:   pick(r, cut, cut, freeze, slow),
		target: pick(r, relayToPostgres, relayToNATS, bridgeToNATS, bridgeToBroker, bridgeToBroker),
		hold:   between(r, 100*time.Millisecond, 8*time.Second),
		rest:   between(r, 0, 4*time.Second),
	}
}

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

func between(r *rand.Rand, low, high time.Duration) time.Duration {
	return low + time.Duration(r.Int64N(int64(high-low)))
}
