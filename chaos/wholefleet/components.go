package wholefleet

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"time"

	"tiffin/chaos/fault"
)

// The servers that are there once. The other targets are numbered instances:
// order-1, nats-3.
const (
	postgresPrefix = "postgres-"
	redisServer    = "redis"
	broker         = "rabbitmq"
	documents      = "ferretdb"
)

// roles are the roles of the fleet. Each has so many instances.
var roles = []string{"auth", "restaurant", "order", "delivery", "tracking", "bridge", "edge"}

const (
	instances = 2
	nodes     = 3 // of NATS
)

// component is one of those that take turns: what is done to one of its targets.
type component struct {
	name    string
	targets []string
	kinds   []fault.Kind
}

// components are all of them. A role keeps nothing, so there is nothing in it to
// fill up; what fills up are the servers.
func components() []component {
	var all []component
	for _, role := range roles {
		all = append(all, component{role, numbered(role, instances), []fault.Kind{fault.Kill, fault.Pause, fault.Cut, fault.Slow}})
	}
	all = append(all, component{"nats", numbered("nats", nodes), []fault.Kind{fault.Kill, fault.Pause, fault.Cut, fault.Slow, fault.Fill}})
	for _, name := range []string{postgresPrefix + "a", postgresPrefix + "b", postgresPrefix + "c", redisServer, broker, documents} {
		all = append(all, component{name, []string{name}, []fault.Kind{fault.Kill, fault.Pause, fault.Cut, fault.Slow, fault.Fill}})
	}
	return all
}

func numbered(name string, n int) (out []string) {
	for i := range n {
		out = append(out, fmt.Sprintf("%s-%d", name, i+1))
	}
	return out
}

// deck is the campaign's one lane: every component has its turn before one has
// its second, each time with another kind of fault. One at a time, so that what
// fails can be laid at a fault's door.
type deck struct {
	random     *rand.Rand
	components []component
	left       []int
}

var _ fault.Lane = (*deck)(nil)

// newDeck shuffles. The same seed gives the same faults.
func newDeck(seed uint64) *deck {
	d := &deck{random: rand.New(rand.NewPCG(seed, 3)), components: components()}
	for _, c := range d.components {
		d.random.Shuffle(len(c.kinds), func(i, j int) { c.kinds[i], c.kinds[j] = c.kinds[j], c.kinds[i] })
	}
	return d
}

// Next gives the next fault.
func (d *deck) Next() fault.Fault {
	if len(d.left) == 0 {
		d.left = d.random.Perm(len(d.components))
	}
	c := &d.components[d.left[0]]
	d.left = d.left[1:]
	kind := c.kinds[0]
	c.kinds = append(c.kinds[1:], kind)
	f := fault.Fault{Kind: kind, Target: fault.Pick(d.random, c.targets...)}
	f.Rest = fault.Between(d.random, time.Second, 3*time.Second)
	switch kind {
	case fault.Kill:
		f.Hold = fault.Between(d.random, 0, 2*time.Second)
	case fault.Pause:
		// Some are longer than heartbeats forgive.
		f.Hold = fault.Between(d.random, time.Second, 5*time.Second)
		if d.random.IntN(4) == 0 {
			f.Hold += 12 * time.Second
		}
	default:
		f.Hold = fault.Between(d.random, time.Second, 5*time.Second)
	}
	return f
}

// roleOf gives the role of an instance, "" of a server.
func roleOf(target string) string {
	for _, role := range roles {
		if strings.HasPrefix(target, role+"-") {
			return role
		}
	}
	return ""
}

// componentOf gives the component that a target is of: nats of nats-2.
func componentOf(target string) string {
	for _, c := range components() {
		if slices.Contains(c.targets, target) {
			return c.name
		}
	}
	return target
}
