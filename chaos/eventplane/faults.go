package eventplane

import (
	"math/rand/v2"
	"time"

	"tiffin/chaos/fault"
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

// lane gives faults one after the other, without end. The same seed gives the
// same faults.
type lane struct {
	random *rand.Rand
	draw   func(*rand.Rand) fault.Fault
}

// Next gives the lane's next fault.
func (l *lane) Next() fault.Fault { return l.draw(l.random) }

// lanes makes the two lanes of a campaign.
func lanes(seed uint64) (processes, network *lane) {
	return &lane{rand.New(rand.NewPCG(seed, 1)), drawProcess}, &lane{rand.New(rand.NewPCG(seed, 2)), drawNetwork}
}

// drawProcess prefers the relays and bridges: they are what is on trial, and the
// brokers take seconds to come back.
func drawProcess(r *rand.Rand) fault.Fault {
	f := fault.Fault{Kind: fault.Kill, Hold: fault.Between(r, 0, 2*time.Second), Rest: fault.Between(r, 0, 3*time.Second)}
	f.Target = fault.Pick(r, relayOne, relayTwo, bridgeOne, bridgeOne, bridgeTwo, bridgeTwo, natsServer, natsServer, broker, postgres)
	switch n := r.IntN(20); {
	case n == 0 && f.Target == natsServer:
		f.Kind = fault.Wipe
	case n < 7:
		// Some pauses are longer than heartbeats and idle timeouts forgive.
		f.Kind, f.Hold = fault.Pause, fault.Between(r, 500*time.Millisecond, 18*time.Second)
	}
	return f
}

func drawNetwork(r *rand.Rand) fault.Fault {
	return fault.Fault{
		Kind:   fault.Pick(r, fault.Cut, fault.Cut, fault.Freeze, fault.Slow),
		Target: fault.Pick(r, relayToPostgres, relayToNATS, bridgeToNATS, bridgeToBroker, bridgeToBroker),
		Hold:   fault.Between(r, 100*time.Millisecond, 8*time.Second),
		Rest:   fault.Between(r, 0, 4*time.Second),
	}
}
