package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/url"
	"os"
	"slices"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/jackc/pgx/v5"

	"tiffin/fleet"
	"tiffin/local"
	authserver "tiffin/services/auth/server"
	"tiffin/shard"
	"tiffin/shard/move"
	"tiffin/shard/outbox"
)

// shardCommand is `tiffin shard`.
type shardCommand struct {
	Ls    shardLsCommand    `cmd:"" help:"List the shards with the regions that live on them now."`
	Route shardRouteCommand `cmd:"" help:"Say where a city, an id or an e-mail address lives, and why."`
	Move  shardMoveCommand  `cmd:"" help:"Move a region to another shard while it is in use; run it again to finish a move that was interrupted."`
}

// shardLsCommand is `tiffin shard ls`.
type shardLsCommand struct {
	JSON bool `help:"Print JSON."`
}

// shardRouteCommand is `tiffin shard route`.
type shardRouteCommand struct {
	What []string `arg:"" name:"city|id|email" help:"A city as people write it, an id, or an e-mail address."`
	JSON bool     `help:"Print JSON."`
}

// shardMoveCommand is `tiffin shard move`.
type shardMoveCommand struct {
	Region string `arg:"" help:"Region to move, such as mx."`
	To     string `required:"" placeholder:"SHARD" help:"Shard it moves to, such as a. The shard it is on calls an unfinished move off."`
}

// listed is a shard as `tiffin shard ls --json` shows it.
type listed struct {
	ID      string         `json:"id"`
	Regions []shard.Region `json:"regions"`
	URL     string         `json:"url"`
	Healthy bool           `json:"healthy"`
}

// routed is what `tiffin shard route --json` shows.
type routed struct {
	Input  string       `json:"input"`
	City   string       `json:"city,omitempty"`
	Region shard.Region `json:"region"`
	Shard  string       `json:"shard"`
	Via    string       `json:"via"`
}

// Run lists the shards of the running fleet.
func (c shardLsCommand) Run(i *invocation) error {
	return withShards(i.Context, slog.New(slog.DiscardHandler), 0, func(set *shard.Set, config shard.Config) error {
		return c.print(os.Stdout, list(i.Context, set, config))
	})
}

func list(ctx context.Context, set *shard.Set, config shard.Config) []listed {
	set.Refresh(ctx)
	health := set.Health(ctx)
	shards := make([]listed, 0, len(config.Shards))
	for _, s := range config.Shards {
		row := listed{ID: s.ID, URL: withoutPassword(s.URL), Healthy: health["postgres."+s.ID] == nil}
		row.Regions = []shard.Region{} // an empty list in JSON, not null
		for _, region := range set.Router().Regions() {
			if home, _ := set.Router().ShardOf(region); home == s.ID {
				row.Regions = append(row.Regions, region)
			}
		}
		shards = append(shards, row)
	}
	return shards
}

func (c shardLsCommand) print(w io.Writer, shards []listed) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(map[string]any{"shards": shards})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	rows := []string{"SHARD\tREGIONS\tHEALTHY\tURL"}
	for _, s := range shards {
		names := make([]string, len(s.Regions))
		for i, region := range s.Regions {
			names[i] = string(region)
		}
		rows = append(rows, fmt.Sprintf("%s\t%s\t%t\t%s", s.ID, strings.Join(names, ","), s.Healthy, s.URL))
	}
	if _, err := fmt.Fprintln(table, strings.Join(rows, "\n")); err != nil {
		return err
	}
	return table.Flush()
}

// withoutPassword is a database URL that may be shown, whatever form it was
// given in.
func withoutPassword(dsn string) string {
	c, err := pgx.ParseConfig(dsn)
	if err != nil {
		return ""
	}
	shown := url.URL{
		Scheme: "postgres", User: url.User(c.User), Host: fmt.Sprintf("%s:%d", c.Host, c.Port), Path: "/" + c.Database,
	}
	return shown.String()
}

// Run routes without a fleet as well: only a region that was moved needs one to
// be found.
func (c shardRouteCommand) Run(i *invocation) error {
	input := strings.Join(c.What, " ")
	conf, _, err := local.Running()
	if err != nil {
		return err
	}
	answer := func(router *shard.Router) error {
		route, err := route(router, input)
		if err != nil {
			return err
		}
		return c.print(os.Stdout, route)
	}
	shards, err := fleet.ShardConfig(conf)
	if err != nil {
		return err
	}
	if slices.ContainsFunc(shards.Shards, func(s shard.ShardConfig) bool { return s.URL == "" }) {
		for i := range shards.Shards {
			shards.Shards[i].URL = "postgres://unknown"
		}
		router, err := shard.NewRouter(shards)
		if err != nil {
			return err
		}
		return answer(router)
	}
	return withShards(i.Context, slog.New(slog.DiscardHandler), 0, func(set *shard.Set, _ shard.Config) error {
		set.Refresh(i.Context)
		if !strings.Contains(input, "@") {
			return answer(set.Router())
		}
		found, err := routeAccount(i.Context, set, input)
		if err != nil {
			return err
		}
		return c.print(os.Stdout, found)
	})
}

// routeAccount finds where the account of an address lives. An address without
// one has the home that its hash gives it.
func routeAccount(ctx context.Context, set *shard.Set, address string) (routed, error) {
	found := set.Router().RouteEmail(address)
	id, err := authserver.Locate(ctx, set, address)
	if err != nil {
		return routed{}, fmt.Errorf("%s: %w", address, err)
	}
	if id != "" {
		if found, err = set.Router().RouteID(id); err != nil {
			return routed{}, err
		}
	}
	return routed{Input: address, Region: found.Region, Shard: found.Shard, Via: shard.ViaEmail}, nil
}

// route finds what the input is: an address has an @, an id the form of a UUID,
// and everything else is a city.
func route(router *shard.Router, input string) (routed, error) {
	var found shard.Route
	switch {
	case strings.Contains(input, "@"):
		found = router.RouteEmail(input)
	case len(input) == 36 && strings.Count(input, "-") == 4:
		var err error
		if found, err = router.RouteID(input); err != nil {
			return routed{}, fmt.Errorf("%s: %w", input, err)
		}
	default:
		found = router.RouteCity(input)
	}
	answer := routed{Input: input, Region: found.Region, Shard: found.Shard, Via: found.Via}
	if found.City != nil {
		answer.City = found.City.Name
	}
	return answer, nil
}

func (c shardRouteCommand) print(w io.Writer, r routed) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	what := r.Input
	if r.City != "" && r.City != r.Input {
		what += " is " + r.City
	}
	_, err := fmt.Fprintf(w, "%s: region %s on shard %s (by %s)\n", what, r.Region, r.Shard, r.Via)
	return err
}

// Run moves the region and says what was done.
func (c shardMoveCommand) Run(i *invocation) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, nil))
	return withShards(i.Context, log, 0, func(set *shard.Set, _ shard.Config) error {
		report, err := move.Run(i.Context, move.Config{
			Set: set, Region: shard.Region(c.Region), To: c.To, Drained: outbox.Drained, Log: log,
		})
		if err != nil {
			return err
		}
		return c.print(os.Stdout, report)
	})
}

func (c shardMoveCommand) print(w io.Writer, report move.Report) error {
	if report.Note != "" {
		_, err := fmt.Fprintf(w, "%s is on shard %s: %s\n", c.Region, report.To, report.Note)
		return err
	}
	_, err := fmt.Fprintf(w, "%s moved from shard %s to shard %s: %d rows verified, writes stood still for %s\n"+
		"The shards remember it. For those who read the configuration, move %s to SHARD_%s_REGIONS there too.\n",
		c.Region, report.From, report.To, report.Rows, report.Frozen.Round(time.Millisecond), c.Region, strings.ToUpper(report.To))
	return err
}

// withShards opens the shards of the running fleet, runs fn and closes them. A
// statement may take as long as timeout, 0 being the fleet's own limit.
func withShards(ctx context.Context, log *slog.Logger, timeout time.Duration, fn func(*shard.Set, shard.Config) error) error {
	conf, _, err := local.Running()
	if err != nil {
		return err
	}
	shards, err := fleet.ShardConfig(conf)
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(shards.Shards, func(s shard.ShardConfig) bool { return s.URL != "" }) {
		return errors.New("no shards found: start a fleet with `tiffin up` in this folder, or set POSTGRES_SHARD_A_URL …")
	}
	router, err := shard.NewRouter(shards)
	if err != nil {
		return err
	}
	keys, err := conf.SealingKeys()
	if err != nil {
		return err
	}
	set, err := shard.Open(ctx, router, shards, shard.Options{
		Log: log, MaxConns: 3, Name: "tiffin-shard", Timeout: timeout, Keys: keys,
	})
	if err != nil {
		return err
	}
	defer set.Close()
	return fn(set, shards)
}
