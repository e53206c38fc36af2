package rig

import (
	"context"
	"path/filepath"

	"tiffin/local/backing"
)

// secret is the password of everything: these servers live on loopback and for
// minutes.
const secret = "test"

// Postgres starts a cluster with an empty database. It does not wait for the
// disk, which a killed process does not need.
func (r *Rig) Postgres(ctx context.Context, name string) (*Server, error) {
	return r.postgres(ctx, name, "")
}

// PostgresReplica starts a streaming replica of a cluster of this rig.
func (r *Rig) PostgresReplica(ctx context.Context, name string, of *Server) (*Server, error) {
	return r.postgres(ctx, name, of.URL)
}

func (r *Rig) postgres(ctx context.Context, name, primary string) (*Server, error) {
	number, err := r.ports.Take(23000)
	if err != nil {
		return nil, err
	}
	s, err := backing.Postgres(backing.PostgresConfig{
		Name: name, Dir: filepath.Join(r.dir, name), Port: number, Password: secret, Database: secret, Volatile: true, TLS: r.TLS,
		Primary: primary,
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
