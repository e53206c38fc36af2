package move

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/jackc/pgx/v5"
)

// table is one whose rows belong to regions.
type table struct {
	Schema  string
	Name    string
	Columns []string // in order of their names, so that both shards agree whatever order they were added in
	Key     []string // of the primary key
	Serial  bool     // a column is numbered by the shard itself
}

// tablesSQL finds the tables with a column region. Their numbering must be
// their own and not the shard's, because two shards number alike.
const tablesSQL = `
select n.nspname, c.relname,
    array(select a.attname::text from pg_attribute a
        where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attname),
    array(select a.attname::text from pg_index i join pg_attribute a on a.attrelid = c.oid and a.attnum = any(i.indkey)
        where i.indrelid = c.oid and i.indisprimary order by a.attname),
    exists (select from pg_attribute a left join pg_attrdef d on d.adrelid = c.oid and d.adnum = a.attnum
        where a.attrelid = c.oid and (a.attidentity <> '' or pg_get_expr(d.adbin, c.oid) like 'nextval(%'))
from pg_class c join pg_namespace n on n.oid = c.relnamespace
where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('shard', 'outbox')
    and exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = 'region' and not a.attisdropped)
order by n.nspname, c.relname`

// tables lists the moving tables of a shard.
func tables(ctx context.Context, conn *pgx.Conn) ([]table, error) {
	rows, err := conn.Query(ctx, tablesSQL)
	if err != nil {
		return nil, err
	}
	list, err := pgx.CollectRows(rows, pgx.RowToStructByPos[table])
	if err != nil {
		return nil, err
	}
	for _, t := range list {
		if len(t.Key) == 0 {
			return nil, fmt.Errorf("table %s has no primary key and cannot move", t)
		}
		if t.Serial {
			return nil, fmt.Errorf("table %s is numbered by its shard and cannot move", t)
		}
	}
	return list, nil
}

// sameTables makes sure that both shards have the same tables: a move between
// versions would lose columns.
func sameTables(source, target []table) error {
	if !slices.EqualFunc(source, target, func(a, b table) bool {
		return a.String() == b.String() && slices.Equal(a.Columns, b.Columns) && slices.Equal(a.Key, b.Key)
	}) {
		return fmt.Errorf("the shards have different tables: bring both to the same migrations first")
	}
	return nil
}

// String is the name as the log has it.
func (t table) String() string { return t.Schema + "." + t.Name }

// sql is the name as SQL wants it.
func (t table) sql() string { return pgx.Identifier{t.Schema, t.Name}.Sanitize() }

// list gives columns of a row variable, separated by commas.
func list(of string, columns []string) string {
	parts := make([]string, len(columns))
	for i, column := range columns {
		parts[i] = pgx.Identifier{of, column}.Sanitize()
	}
	return strings.Join(parts, ", ")
}

// bare gives columns without a row variable.
func bare(columns []string) string {
	parts := make([]string, len(columns))
	for i, column := range columns {
		parts[i] = pgx.Identifier{column}.Sanitize()
	}
	return strings.Join(parts, ", ")
}

// changed is the set of a table's keys in a list of changes (shard.move_log on
// the source, its copy on the target).
func (t table) changed(changes string) string {
	return fmt.Sprintf(`(select distinct %s
		from %s entry, jsonb_populate_record(null::%s, entry.key) k where entry.tbl = %s)`,
		list("k", t.Key), changes, t.sql(), literal(t.String()))
}

// literal quotes text for SQL that takes no parameters, such as COPY.
func literal(text string) string { return "'" + strings.ReplaceAll(text, "'", "''") + "'" }
