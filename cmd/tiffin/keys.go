package main

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"os"
	"time"

	authserver "tiffin/services/auth/server"
	"tiffin/services/order/ordertx"
	"tiffin/shard"
	"tiffin/shard/rotate"
	"tiffin/shard/sealed"
)

// keysCommand is `tiffin keys`.
type keysCommand struct {
	New    keysNewCommand    `cmd:"" help:"Print a new key for DATA_KEYS; docs/security.md has the steps of replacing one."`
	Rotate keysRotateCommand `cmd:"" help:"Encrypt stored personal data with the first key of DATA_KEYS while the fleet works; run it again to finish what was interrupted."`
}

// keysNewCommand is `tiffin keys new`.
type keysNewCommand struct {
	ID string `arg:"" optional:"" help:"Its name; today's date when left out."`
}

// Run prints the key as DATA_KEYS takes it.
func (c keysNewCommand) Run() error {
	if c.ID == "" {
		c.ID = time.Now().UTC().Format("2006-01-02")
	}
	entry := sealed.Generate(c.ID)
	if _, err := sealed.Parse(entry); err != nil {
		return errors.New("a key's name is up to 32 letters, digits, dots, dashes and underscores")
	}
	_, err := fmt.Println(entry)
	return err
}

// keysRotateCommand is `tiffin keys rotate`.
type keysRotateCommand struct{}

// rotateTimeout is what one statement may take: counting reads whole tables.
const rotateTimeout = time.Minute

// Run works through all shards and shows how far it is.
func (keysRotateCommand) Run(i *invocation) error {
	return withShards(i.Context, slog.New(slog.DiscardHandler), rotateTimeout,
		func(set *shard.Set, _ shard.Config) error {
			set.Refresh(i.Context)
			err := rotate.Run(i.Context, set, []rotate.Column{authserver.SealedColumn(), ordertx.SealedColumn()}, progressTo(os.Stdout))
			if err != nil {
				return err
			}
			_, err = fmt.Printf("All personal data is encrypted with key %q; the others are no longer needed.\n", set.Keys().Current())
			return err
		})
}

// progressTo prints a line for each batch. A closed pipe is no reason to stop in
// the middle.
func progressTo(w io.Writer) func(rotate.Progress) {
	return func(p rotate.Progress) {
		_, _ = fmt.Fprintf(w, "%-12s %-24s %d of %d\n", p.Region, p.Column, p.Done, p.Total)
	}
}
