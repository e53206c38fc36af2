package local

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"tiffin/demo"
)

// banner lists every address, the demo accounts and what to try next. Every
// command in it can be pasted as it stands.
func banner(p plan, h *home, took time.Duration) string {
	c := p.config
	edge, env := edgeURL(c, c.EdgePort), h.file("env")
	var b strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&b, format+"\n", args...) }
	row := func(name, value string) { line("  %-14s %s", name, value) }

	line("")
	line("Tiffin is ready after %.1f s:  %s", took.Seconds(), edge)
	line("")
	row("Web app, API", edge)
	row("API reference", edge+"/docs")
	row("Live tracking", edgeURL(c, c.TrackingPort)+"  (Socket.IO, and WebSocket at /ws; the web app's address serves both too)")
	row("NATS", c.NATSURL)
	row("RabbitMQ", redact(c.RabbitMQURL)+"  (exchange orders)")
	for _, s := range c.Shards {
		row("Shard "+s.ID, redact(s.URL)+"  ("+strings.Join(s.Regions, ", ")+")")
	}
	row("Redis", redact(c.RedisURL))
	row("Documents", redact(c.MongoURL))
	row("All of it", env+"  (with the passwords)")
	row("Logs", h.logs())
	if c.Demo == "on" {
		line("")
		line("Demo accounts, password %s:", demo.Password)
		for _, a := range demo.Accounts {
			line("  %-18s %s", a.Role, a.Email)
		}
	}
	line("")
	line("Try, in another terminal:")
	line("  curl '%s/restaurants?city=SF'", edge)
	line("  %s sim", self())
	line("  set -a; . %s; set +a", quotePath(env))
	line("  go run ./docs/consume/go                 # a RabbitMQ consumer")
	line("  npx --yes rust-just nats; PATH=$PWD/bin:$PATH")
	line("  nats --server $NATS_URL micro ls         # as an observer, who may look and nothing else")
	line(`  alias ops='nats --server $NATS_URL --user ops --password $NATS_OPS_PASSWORD --inbox-prefix=_INBOX_ops'`)
	line("  ops req order.list '{}'")
	line("  ops sub 'events.>'")
	line("")
	line("Ctrl-C stops everything; the data stays.")
	return b.String()
}

// self is how to call this binary from the working folder.
func self() string {
	path, err := os.Executable()
	if err != nil {
		return "tiffin"
	}
	if dir, err := os.Getwd(); err == nil {
		if short, err := filepath.Rel(dir, path); err == nil && !strings.HasPrefix(short, "..") {
			path = short
		}
	}
	return quotePath(path)
}

// redact leaves out the password of a URL. A plain cut, since the URL may name
// several hosts.
func redact(url string) string {
	scheme, rest, ok := strings.Cut(url, "://")
	if !ok {
		return url
	}
	if at := strings.LastIndexByte(rest, '@'); at >= 0 {
		rest = rest[at+1:]
	}
	rest, _, _ = strings.Cut(rest, "?")
	return scheme + "://" + rest
}

// quotePath makes a path one word of a shell line.
func quotePath(path string) string {
	if plain.MatchString(path) {
		return path
	}
	return "'" + strings.ReplaceAll(path, "'", `'\''`) + "'"
}
