package main

import (
	"cmp"
	"time"

	"tiffin/local"
	"tiffin/sim"
)

// simCommand is `tiffin sim`.
type simCommand struct {
	Edge            string        `env:"EDGE_URL" help:"URL of the fleet; the one that runs in this folder if not given."`
	OrdersPerMinute float64       `default:"6" help:"Orders a minute, over all cities."`
	Cities          []string      `help:"Cities to play in, such as Boston,SF,Portland-ME; one of each region if not given."`
	Speed           float64       `default:"1" help:"How much faster than life people cook and ride."`
	For             time.Duration `help:"How long to place orders; until Ctrl-C if not given."`
	Password        string        `default:"tiffin-sim" env:"TIFFIN_SIM_PASSWORD" help:"Password of the accounts that play."`
	Seed            uint64        `help:"Seed of chance; another one each time if not given."`
}

// Run plays until the time is over or Ctrl-C.
func (c simCommand) Run(i *invocation) error {
	if c.Edge == "" {
		_, vars, err := local.Running()
		if err != nil {
			return err
		}
		c.Edge = cmp.Or(vars["EDGE_URL"], "http://localhost:3000")
	}
	return sim.Run(i.Context, sim.Config{
		Edge: c.Edge, Cities: c.Cities, OrdersPerMinute: c.OrdersPerMinute, Speed: c.Speed, For: c.For,
		Password: c.Password, Seed: c.Seed,
	})
}
