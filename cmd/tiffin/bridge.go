package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"iter"
	"log/slog"
	"os"
	"text/tabwriter"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"

	"tiffin/bridge"
	"tiffin/config"
	"tiffin/shard"
	"tiffin/shard/outbox"
)

// bridgeCommand is `tiffin bridge`.
type bridgeCommand struct {
	Replay    bridgeReplayCommand    `cmd:"" help:"Send events of the past to RabbitMQ again, with their ids and bodies."`
	Dead      bridgeDeadCommand      `cmd:"" help:"Look at events that could not be handled, and try them again."`
	Reconcile bridgeReconcileCommand `cmd:"" help:"Prove that outboxes, stream and RabbitMQ agree; fail with a list of the events about which they do not."`
}

// bridgeReplayCommand is `tiffin bridge replay`.
type bridgeReplayCommand struct {
	Since time.Time `required:"" placeholder:"TIME" help:"From when on, such as 2026-11-22T14:00:00Z."`
	Until time.Time `placeholder:"TIME" help:"Up to when, now when not said."`
	Type  string    `placeholder:"TYPE" help:"order.created or order.assigned, both when not said."`
}

// bridgeDeadCommand is `tiffin bridge dead`.
type bridgeDeadCommand struct {
	Ls    bridgeDeadLsCommand    `cmd:"" help:"List the dead letters of all consumers with their reasons, oldest first."`
	Retry bridgeDeadRetryCommand `cmd:"" help:"Send dead letters of the bridge to RabbitMQ after all."`
}

// bridgeDeadLsCommand is `tiffin bridge dead ls`.
type bridgeDeadLsCommand struct {
	JSON bool `help:"Print JSON, with the payloads."`
}

// bridgeDeadRetryCommand is `tiffin bridge dead retry`.
type bridgeDeadRetryCommand struct {
	Numbers []uint64 `arg:"" optional:"" name:"number" help:"Numbers from the list; all when none is said."`
}

// bridgeReconcileCommand is `tiffin bridge reconcile`.
type bridgeReconcileCommand struct {
	JSON bool `help:"Print JSON."`
}

// errDisagree makes reconcile's exit code.
var errDisagree = errors.New("outboxes, stream and RabbitMQ do not agree")

// Run sends history again.
func (c bridgeReplayCommand) Run(i *invocation) error {
	return withBroker(func(cfg bridge.Config) error {
		n, err := bridge.Replay(i.Context, cfg, bridge.Span{Since: c.Since, Until: c.Until, Type: c.Type})
		return errors.Join(err, say("%d events sent again and confirmed\n", n))
	})
}

// Run lists the dead letters.
func (c bridgeDeadLsCommand) Run(i *invocation) error {
	return withBridge(func(cfg bridge.Config) error {
		letters, err := bridge.DeadLetters(i.Context, cfg.JS)
		if err != nil {
			return err
		}
		return c.print(os.Stdout, letters)
	})
}

func (c bridgeDeadLsCommand) print(w io.Writer, letters []bridge.DeadLetter) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(map[string]any{"letters": append([]bridge.DeadLetter{}, letters...)})
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	text := "NUMBER\tCONSUMER\tAT\tSUBJECT\tID\tREASON\n"
	for _, l := range letters {
		text += fmt.Sprintf("%d\t%s\t%s\t%s\t%s\t%s\n", l.Seq, l.Consumer, l.At.UTC().Format(time.RFC3339), l.Subject, l.ID, l.Reason)
	}
	if _, err := io.WriteString(table, text); err != nil {
		return err
	}
	return table.Flush()
}

// Run sends dead letters after all.
func (c bridgeDeadRetryCommand) Run(i *invocation) error {
	return withBroker(func(cfg bridge.Config) error {
		n, err := bridge.Retry(i.Context, cfg, c.Numbers...)
		return errors.Join(err, say("%d events sent and confirmed\n", n))
	})
}

// Run compares and fails when there is something to find.
func (c bridgeReconcileCommand) Run(i *invocation) error {
	log := slog.New(slog.DiscardHandler)
	return withShards(i.Context, log, 0, func(set *shard.Set, _ shard.Config) error {
		return withBridge(func(cfg bridge.Config) error {
			report, err := bridge.Reconcile(i.Context, cfg.JS, outboxRows(i.Context, set))
			if err != nil {
				return err
			}
			if err := c.print(os.Stdout, report); err != nil {
				return err
			}
			if !report.Agrees() {
				return fmt.Errorf("%w: %d events", errDisagree, len(report.Findings))
			}
			return nil
		})
	})
}

// outboxRows reads the outboxes of all shards, one after the other.
func outboxRows(ctx context.Context, set *shard.Set) iter.Seq2[bridge.Row, error] {
	return func(yield func(bridge.Row, error) bool) {
		for _, db := range set.All() {
			for row, err := range outbox.List(ctx, db) {
				if !yield(bridge.Row{
					ID: row.ID, Type: row.Type, Key: row.Key, Shard: db.ID(), Sent: row.Sent, StreamSeq: row.StreamSeq,
				}, err) || err != nil {
					return
				}
			}
		}
	}
}

func (c bridgeReconcileCommand) print(w io.Writer, r bridge.Report) error {
	if c.JSON {
		return json.NewEncoder(w).Encode(r)
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	text := fmt.Sprintf("outboxes\t%d events\t%d not sent yet, %d confirmed before the stream was wiped\n", r.Rows, r.Waiting, r.Earlier) +
		fmt.Sprintf("stream\t%d events\t%d of types that stay inside, %d further copies\n", r.Stream, r.Others, r.Copies) +
		fmt.Sprintf("RabbitMQ\t%d events\t%d not confirmed yet, %d dead letters\n", r.Relayed, r.Lag, r.Dead)
	if !r.Agrees() {
		text += "\nPROBLEM\tID\tTYPE\tORDER\tSHARD\tNUMBER IN STREAM\n"
	}
	for _, f := range r.Findings {
		text += fmt.Sprintf("%s\t%s\t%s\t%s\t%s\t%d\n", f.Problem, f.ID, f.Type, f.Key, f.Shard, f.StreamSeq)
	}
	if _, err := io.WriteString(table, text); err != nil {
		return err
	}
	return table.Flush()
}

// withBridge runs fn with what the bridge's tools need of the running fleet.
func withBridge(fn func(bridge.Config) error) error {
	return onNATS(func(conn *nats.Conn, c config.Config) error {
		js, err := jetstream.New(conn)
		if err != nil {
			return err
		}
		secure, err := c.ClientTLS("RABBITMQ_URL")
		if err != nil {
			return err
		}
		return fn(bridge.Config{Conn: conn, JS: js, RabbitURL: c.RabbitMQURL, RabbitTLS: secure})
	})
}

// withBroker is withBridge for what sends to RabbitMQ.
func withBroker(fn func(bridge.Config) error) error {
	return withBridge(func(cfg bridge.Config) error {
		if cfg.RabbitURL == "" {
			return errors.New("RABBITMQ_URL: not set")
		}
		return fn(cfg)
	})
}

// say prints a result.
func say(format string, args ...any) error {
	_, err := fmt.Printf(format, args...)
	return err
}
