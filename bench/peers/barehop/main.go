// Command barehop is the ceiling of the REST benchmarks: a Fiber edge, one
// plain nats.go/micro hop, and pgx, doing nothing but the row. No tokens, no
// limits, no strict decoding, no metrics. Whatever Tiffin adds is measured
// against it.
//
// Each of its three parts can be a process of its own, as services are deployed,
// or all are one, as on a laptop:
//
//	barehop nats NATS_PORT
//	barehop service NATS_PORT DATABASE_URL
//	barehop edge NATS_PORT HTTP_PORT
//	barehop all NATS_PORT DATABASE_URL HTTP_PORT
//
// Routes: GET /orders/:id, POST /orders (order and outbox row in one batch), GET
// /echo (the hop alone).
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/micro"
)

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(part, natsPort string, args []string) error {
	url := "nats://127.0.0.1:" + natsPort
	switch part {
	case "nats":
		return errors.Join(startNATS(natsPort), wait())
	case "service":
		return errors.Join(serve(url, args[0]), wait())
	case "edge":
		return edge(url, args[0])
	case "all":
		if err := startNATS(natsPort); err != nil {
			return err
		}
		if err := serve(url, args[0]); err != nil {
			return err
		}
		return edge(url, args[1])
	}
	return fmt.Errorf("no part %q", part)
}

// wait never returns: whoever started the process ends it.
func wait() error { select {} }

func startNATS(port string) error {
	n, err := strconv.Atoi(port)
	if err != nil {
		return err
	}
	ns, err := server.NewServer(&server.Options{Host: "127.0.0.1", Port: n, NoLog: true, NoSigs: true})
	if err != nil {
		return err
	}
	ns.Start()
	if !ns.ReadyForConnections(5 * time.Second) {
		return errors.New("the NATS server did not start")
	}
	return nil
}

// serve answers bare.get, bare.post and bare.echo, each request on a goroutine
// of its own, since a plain micro endpoint handles one at a time.
func serve(url, database string) error {
	pool, err := pgxpool.New(context.Background(), database)
	if err != nil {
		return err
	}
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	svc, err := micro.AddService(nc, micro.Config{Name: "bare", Version: "1.0.0"})
	if err != nil {
		return err
	}
	group := svc.AddGroup("bare")
	for verb, handle := range map[string]func(*pgxpool.Pool, []byte) ([]byte, error){"get": get, "post": post, "echo": echo} {
		err := group.AddEndpoint(verb, micro.HandlerFunc(func(r micro.Request) {
			go func() {
				answer, err := handle(pool, r.Data())
				if err != nil {
					err = r.Error("500", err.Error(), nil)
				} else {
					err = r.Respond(answer)
				}
				if err != nil {
					fmt.Fprintln(os.Stderr, err)
				}
			}()
		}))
		if err != nil {
			return err
		}
	}
	return nil
}

func get(pool *pgxpool.Pool, id []byte) (row []byte, err error) {
	err = pool.QueryRow(context.Background(), `SELECT row_to_json(o) FROM bench_orders o WHERE id = $1`, string(id)).Scan(&row)
	return row, err
}

func post(pool *pgxpool.Pool, body []byte) ([]byte, error) {
	id := uuid.NewString()
	batch := &pgx.Batch{}
	batch.Queue(`INSERT INTO bench_orders (id, body) VALUES ($1, $2)`, id, body)
	batch.Queue(`INSERT INTO bench_outbox (id, payload) VALUES ($1, $2)`, uuid.NewString(), body)
	return []byte(`{"id":"` + id + `"}`), pool.SendBatch(context.Background(), batch).Close()
}

func echo(_ *pgxpool.Pool, body []byte) ([]byte, error) { return body, nil }

// edge forwards HTTP to the hop.
func edge(url, port string) error {
	nc, err := nats.Connect(url)
	if err != nil {
		return err
	}
	forward := func(c *fiber.Ctx, subject string, body []byte) error {
		msg, err := nc.Request(subject, body, 5*time.Second)
		if err != nil {
			return err
		}
		c.Set(fiber.HeaderContentType, fiber.MIMEApplicationJSON)
		return c.Send(msg.Data)
	}
	app := fiber.New(fiber.Config{DisableStartupMessage: true, Immutable: true})
	app.Get("/orders/:id", func(c *fiber.Ctx) error { return forward(c, "bare.get", []byte(c.Params("id"))) })
	app.Post("/orders", func(c *fiber.Ctx) error { return forward(c, "bare.post", c.Body()) })
	app.Get("/echo", func(c *fiber.Ctx) error { return forward(c, "bare.echo", []byte(`{"ok":true}`)) })
	return app.Listen("127.0.0.1:" + port)
}
