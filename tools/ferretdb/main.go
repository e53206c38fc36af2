// Command ferretdb serves the MongoDB wire protocol from PostgreSQL: the
// document store of the embedded default where no mongod is installed.
//
// FerretDB's own command panics when it is built from a module instead of from
// its repository, so this one wraps its embeddable package. It is a module of
// its own because its dependencies are older than Tiffin's.
//
// The database that keeps the documents is named by FERRETDB_POSTGRESQL_URL: a
// password on the command line would be everybody's to read.
package main

import (
	"context"
	"flag"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"

	"github.com/FerretDB/FerretDB/ferretdb"
)

func main() {
	listen := flag.String("listen", "127.0.0.1:27017", "address to serve the MongoDB protocol on")
	cert := flag.String("tls-cert", "", "certificate in PEM form: serve TLS and nothing else")
	key := flag.String("tls-key", "", "key of that certificate")
	flag.Parse()
	listener := ferretdb.ListenerConfig{TCP: *listen}
	if *cert != "" {
		listener = ferretdb.ListenerConfig{TLS: *listen, TLSCertFile: *cert, TLSKeyFile: *key}
	}

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	if err := serve(ctx, listener, os.Getenv("FERRETDB_POSTGRESQL_URL")); err != nil {
		fmt.Fprintln(os.Stderr, "ferretdb:", err)
		os.Exit(1)
	}
}

// serve runs until ctx ends; New fails when the address is taken or PostgreSQL
// does not answer.
func serve(ctx context.Context, listener ferretdb.ListenerConfig, postgres string) error {
	log := slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelWarn}))
	db, err := ferretdb.New(&ferretdb.Config{
		Listener:      listener,
		Logger:        log,
		Handler:       "postgresql",
		PostgreSQLURL: postgres,
	})
	if err != nil {
		return err
	}
	return db.Run(ctx)
}
