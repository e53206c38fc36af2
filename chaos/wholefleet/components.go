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

// deck is the campaign's one lane: first every instance and every node of NATS is
// killed once; then every component has its turn before one has its second, each
// time with another kind of fault. One at a time, so that what fails can be laid
// at a fault's door.
type deck struct {
	random     *rand.Rand
	opening    []fault.Fault
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
	d.opening = d.kills()
	return d
}

// kills are the opening. The instances of a role are far apart, and so are the
// nodes: what was killed is back before the other one goes.
func (d *deck) kills() (all []fault.Fault) {
	order, node := d.random.Perm(len(roles)), d.random.Perm(nodes)
	kill := func(target string) {
		all = append(all, fault.Fault{
			Kind: fault.Kill, Target: target,
			Hold: fault.Between(d.random, 0, 200*time.Millisecond), Rest: fault.Between(d.random, time.Second, 1500*time.Millisecond),
		})
	}
	for i := range instances {
		kill(numbered("nats", nodes)[node[i]])
		for _, role := range order {
			kill(numbered(roles[role], instances)[i])
		}
	}
	kill(numbered("nats", nodes)[node[instances]])
	return all
}

// Next gives the next fault.
func (d *deck) Next() fault.Fault {
	if len(d.opening) > 0 {
		first := d.opening[0]
		d.opening = d.opening[1:]
		return first
	}
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
