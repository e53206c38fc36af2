package rig

import (
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/nats-io/nats.go"

	"tiffin"
	"tiffin/config"
	"tiffin/local/backing"
	"tiffin/local/process"
)

// secret is the password of everything: these servers live on loopback and for
// minutes.
const secret = "test"

// Postgres starts a cluster with an empty database. It does not wait for the
// disk, which a killed process does not need.
func (r *Rig) Postgres(ctx context.Context, name string) (*Server, error) {
	number, err := r.ports.Take(23000)
	if err != nil {
		return nil, err
	}
	s, err := backing.Postgres(backing.PostgresConfig{
		Name: name, Dir: filepath.Join(r.dir, name), Port: number, Password: secret, Database: secret, Volatile: true, TLS: r.TLS,
	})
	if err != nil {
		return nil, err
	}
	return r.Add(ctx, s)
}

// Redis starts an empty server.
func (r *Rig) Redis(ctx context.Context) (*Server, error) {
	number, err := r.ports.Take(22000)
	if err != nil {
		return nil, err
	}
	s, err := backing.Redis(backing.RedisConfig{
		Name: "redis", Dir: filepath.Join(r.dir, "redis"), Port: number, Volatile: true, TLS: r.TLS,
	})
	if err != nil {
		return nil, err
	}
	return r.Add(ctx, s)
}

// RabbitMQ starts a broker, and Erlang's port mapper for it. It takes seconds.
func (r *Rig) RabbitMQ(ctx context.Context) (*Server, error) {
	var numbers [3]int
	for i := range numbers {
		var err error
		if numbers[i], err = r.ports.Take(24000); err != nil {
			return nil, err
		}
	}
	epmd, err := backing.Epmd("epmd", numbers[0])
	if err != nil {
		return nil, err
	}
	if _, err := r.Add(ctx, epmd); err != nil {
		return nil, err
	}
	s, err := backing.RabbitMQ(backing.RabbitMQConfig{
		Name: "rabbitmq", Dir: filepath.Join(r.dir, "rabbitmq"), Password: secret,
		EpmdPort: numbers[0], DistPort: numbers[1], Port: numbers[2], TLS: r.TLS,
	})
	if err != nil {
		return nil, err
	}
	return r.Add(ctx, s)
}

// FerretDB starts a document store on the database of a PostgreSQL of this rig.
func (r *Rig) FerretDB(ctx context.Context, postgres *Server) (*Server, error) {
	number, err := r.ports.Take(26000)
	if err != nil {
		return nil, err
	}
	s, err := backing.FerretDB(backing.FerretDBConfig{
		Name: "ferretdb", Port: number, Database: secret, PostgresURL: postgres.URL, TLS: r.TLS,
	})
	if err != nil {
		return nil, err
	}
	return r.Add(ctx, s)
}

// NATSPassword is the password of a role of the rig's NATS server.
func NATSPassword(role string) string { return secret + role }

// NATSEnv names the passwords of all roles, as Tiffin's processes want them.
func NATSEnv() map[string]string {
	env := map[string]string{}
	for _, role := range config.NATSRoles {
		env["NATS_"+strings.ToUpper(role)+"_PASSWORD"] = NATSPassword(role)
	}
	return env
}

// BuildNATS compiles nats-server, in the version that go.mod says, into dir.
// root is the project's folder.
func BuildNATS(ctx context.Context, root, dir string) (binary string, err error) {
	binary = filepath.Join(dir, "nats-server")
	cmd := exec.CommandContext(ctx, "go", "build", "-buildvcs=false", "-o", binary, "github.com/nats-io/nats-server/v2")
	cmd.Dir = root
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building nats-server: %w\n%s", err, out)
	}
	return binary, nil
}

// NATS starts the given nats-server with the project's nats.conf.
func (r *Rig) NATS(ctx context.Context, binary string) (*Server, error) {
	number, err := r.ports.Take(25000)
	if err != nil {
		return nil, err
	}
	conf := filepath.Join(r.dir, "nats.conf")
	if err := os.WriteFile(conf, tiffin.NATSConf, 0o600); err != nil {
		return nil, err
	}
	env := NATSEnv()
	env["NATS_HOST"], env["NATS_PORT"] = `"127.0.0.1"`, strconv.Itoa(number)
	env["NATS_STORE_DIR"] = strconv.Quote(r.NATSStore())
	u := (&url.URL{Scheme: "nats", Host: "127.0.0.1:" + strconv.Itoa(number)}).String()
	return r.Add(ctx, backing.Server{
		Name: "nats", URL: u,
		Command: process.Command{Name: "nats", Path: binary, Args: []string{"-c", conf}, Dir: r.dir, Env: environ(env)},
		Probe: func(context.Context) error {
			conn, err := nats.Connect(u)
			if err != nil {
				return err
			}
			conn.Close()
			return nil
		},
	})
}

// NATSStore is the folder of the stream's messages.
func (r *Rig) NATSStore() string { return filepath.Join(r.dir, "jetstream") }
