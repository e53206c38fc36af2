package outbox

import (
	"context"
	"fmt"
	"iter"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

// listPage is how many rows one query of List reads: a query then never takes
// longer than a shard gives it, however many rows there are.
const listPage = 5000

// Row is an event as the outbox remembers it, for whoever compares it with what
// became of it.
type Row struct {
	Seq  int64 // rises with each row of the shard
	ID   string
	Type string
	Key  string
	Sent bool // JetStream has acknowledged it
	// StreamSeq is its number in the stream; 0 while it is not sent, and when the
	// bridge had confirmed it on a stream that is gone.
	StreamSeq uint64
}

const listSQL = `
select seq, id::text, type, key, sent_at is not null, coalesce(stream_seq, 0)
from outbox.events where seq > $1 order by seq limit $2`

// List gives the rows of a shard in order, while the shard goes on: what is
// appended meanwhile may be among them or not. It yields an error at most once,
// as the last.
func List(ctx context.Context, db *shard.DB) iter.Seq2[Row, error] {
	return func(yield func(Row, error) bool) {
		for after := int64(0); ; {
			page, err := listAfter(ctx, db, after)
			if err != nil {
				yield(Row{}, fmt.Errorf("outbox of shard %s: %w", db.ID(), err))
				return
			}
			for _, row := range page {
				if !yield(row, nil) {
					return
				}
			}
			if len(page) < listPage {
				return
			}
			after = page[len(page)-1].Seq
		}
	}
}

func listAfter(ctx context.Context, db *shard.DB, after int64) (page []Row, err error) {
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, listSQL, after, listPage)
		if err != nil {
			return err
		}
		page, err = pgx.CollectRows(rows, pgx.RowToStructByPos[Row])
		return err
	})
	return page, err
}
