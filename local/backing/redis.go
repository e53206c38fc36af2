package backing

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"path/filepath"
	"strings"

	"github.com/redis/go-redis/v9"

	"tiffin/local/process"
)

// RedisConfig describes one private Redis.
type RedisConfig struct {
	Name     string
	Dir      string // absolute; its own folder, made when missing
	Port     int
	Password string // empty asks for none
	// Volatile keeps nothing on disk: for tests.
	Volatile bool
	TLS      *TLSFiles
}

// Redis returns a server that appends every change to a file, so that the last
// known positions survive its death.
func Redis(c RedisConfig) (Server, error) {
	bin, err := lookup("redis-server", "redis-server", "/usr/bin")
	if err != nil {
		return Server{}, err
	}
	u := url.URL{Scheme: "redis", Host: loopback(c.Port)}
	if c.TLS != nil {
		u.Scheme = "rediss"
	}
	if c.Password != "" {
		u.User = url.UserPassword("default", c.Password)
	}
	conf := filepath.Join(c.Dir, "redis.conf")
	return Server{
		Name: c.Name, Address: loopback(c.Port), URL: u.String(),
		Prepare: func(context.Context) error {
			if err := os.MkdirAll(c.Dir, 0o700); err != nil {
				return err
			}
			// A file, because a password on the command line is everybody's to read.
			return os.WriteFile(conf, []byte(c.conf()), 0o600)
		},
		Command: process.Command{Name: c.Name, Path: bin, Args: []string{conf}, Dir: c.Dir},
		Probe:   func(ctx context.Context) error { return redisPing(ctx, u.String(), c.TLS) },
	}, nil
}

func (c RedisConfig) conf() string {
	lines := []string{
		"bind 127.0.0.1", "daemonize no", `dir "` + c.Dir + `"`, "loglevel notice",
		// A cache and hints: when memory is short, what expires soonest goes first.
		"maxmemory 256mb", "maxmemory-policy volatile-ttl",
	}
	if t := c.TLS; t != nil {
		lines = append(lines, "port 0", fmt.Sprintf("tls-port %d", c.Port), "tls-auth-clients no",
			"tls-cert-file "+t.Cert, "tls-key-file "+t.Key, "tls-ca-cert-file "+t.CA)
	} else {
		lines = append(lines, fmt.Sprintf("port %d", c.Port))
	}
	if c.Password != "" {
		lines = append(lines, "requirepass "+c.Password)
	}
	if c.Volatile {
		lines = append(lines, `save ""`, "appendonly no")
	} else {
		lines = append(lines, "appendonly yes", "appendfsync everysec")
	}
	return strings.Join(lines, "\n") + "\n"
}

func redisPing(ctx context.Context, address string, secure *TLSFiles) error {
	opts, err := redis.ParseURL(address)
	if err != nil {
		return err
	}
	if opts.TLSConfig, err = secure.client(); err != nil {
		return err
	}
	opts.MaxRetries, opts.ContextTimeoutEnabled = -1, true
	client := redis.NewClient(opts)
	defer client.Close()
	return client.Ping(ctx).Err()
}
