package backing

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/jackc/pgx/v5"
	"go.mongodb.org/mongo-driver/v2/mongo"
	"go.mongodb.org/mongo-driver/v2/mongo/options"

	"tiffin/local/process"
)

// FerretDBConfig describes one private FerretDB.
type FerretDBConfig struct {
	Name string
	Port int
	// PostgresURL is the database that holds the documents. It belongs to a
	// cluster of its own in `tiffin up`: on a shard's, a dead shard would take
	// every restaurant with it.
	PostgresURL string
	// Wait, when set, returns once that database is there.
	Wait func(ctx context.Context) error
	// Database is the one named in the URL.
	Database string
	TLS      *TLSFiles
}

// FerretDB returns the document store for machines without mongod: the real
// wire protocol on PostgreSQL. The binary is built from tools/ferretdb.
func FerretDB(c FerretDBConfig) (Server, error) {
	bin, err := ferretBin()
	if err != nil {
		return Server{}, err
	}
	address := loopback(c.Port)
	url := "mongodb://" + address + "/" + c.Database
	args := []string{"-listen", address}
	if t := c.TLS; t != nil {
		url += "?tls=true&tlsCAFile=" + t.CA
		args = append(args, "-tls-cert", t.Cert, "-tls-key", t.Key)
	}
	return Server{
		Name: c.Name, Address: address, URL: url,
		Prepare: func(ctx context.Context) error {
			if c.Wait != nil {
				if err := c.Wait(ctx); err != nil {
					return err
				}
			}
			return pgDo(ctx, c.PostgresURL, indexDocuments)
		},
		Command: process.Command{
			Name: c.Name, Path: bin, Args: args, Dir: "/",
			// The URL in the environment, because it holds a password. An operation leaves much garbage and little that
			// lives: with Go's own target a tenth of the time went into collecting it.
			Env: slices.Concat([]string{"GOGC=400"}, os.Environ(), []string{"FERRETDB_POSTGRESQL_URL=" + c.PostgresURL}),
		},
		Probe: func(ctx context.Context) error { return mongoPing(ctx, url) },
	}, nil
}

//go:embed documents.sql
var documentsSQL string

// indexDocuments lets FerretDB find documents by their ids. It may be called again.
func indexDocuments(ctx context.Context, conn *pgx.Conn) error {
	if _, err := conn.Exec(ctx, documentsSQL); err != nil {
		return fmt.Errorf("indexing documents by id: %w", err)
	}
	return nil
}

// Mongod returns a real MongoDB, when its binary is installed; the error is
// ErrMissing when not.
func Mongod(name, dir string, port int, database string) (Server, error) {
	bin, err := lookup("mongod", "mongodb-org-server")
	if err != nil {
		return Server{}, err
	}
	address := loopback(port)
	url := "mongodb://" + address + "/" + database
	return Server{
		Name: name, Address: address, URL: url,
		Prepare: func(context.Context) error { return os.MkdirAll(dir, 0o700) },
		Command: process.Command{
			Name: name, Path: bin, Dir: "/", StopTimeout: 20 * time.Second,
			Args: []string{"--dbpath", dir, "--bind_ip", "127.0.0.1", "--port", strconv.Itoa(port), "--nounixsocket"},
		},
		Probe: func(ctx context.Context) error { return mongoPing(ctx, url) },
	}, nil
}

// FerretBinary is the name under which the built tool is looked for.
const FerretBinary = "ferretdb"

// ferretBin looks beside our own binary, where `just up` puts it, in this
// user's cache, where the tests put it, and then on PATH.
func ferretBin() (string, error) {
	var folders []string
	if self, err := os.Executable(); err == nil {
		folders = append(folders, filepath.Dir(self))
	}
	if cache, err := ToolCache(); err == nil {
		folders = append(folders, cache)
	}
	path, err := lookup(FerretBinary, "", folders...)
	if err != nil {
		return "", fmt.Errorf("neither mongod nor ferretdb: %w; `just up` builds ferretdb", ErrMissing)
	}
	return path, nil
}

// ToolCache is the folder of this user for built tools.
func ToolCache() (string, error) {
	cache, err := os.UserCacheDir()
	if err != nil {
		return "", err
	}
	return filepath.Join(cache, "tiffin"), nil
}

func mongoPing(ctx context.Context, url string) error {
	client, err := mongo.Connect(options.Client().ApplyURI(url).SetServerSelectionTimeout(probeTimeout))
	if err != nil {
		return err
	}
	err = client.Ping(ctx, nil)
	// The context may be over by now, and the pool must go in any case.
	return errors.Join(err, client.Disconnect(context.WithoutCancel(ctx)))
}
