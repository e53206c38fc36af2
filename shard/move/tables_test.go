package move

import (
	"context"
	"testing"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"

	"tiffin/local/testenv"
)

func connect(t *testing.T) *pgx.Conn {
	t.Helper()
	ctx := context.Background()
	conn, err := pgx.Connect(ctx, testenv.Postgres(t))
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, conn.Close(ctx)) })
	return conn
}

func execute(t *testing.T, conn *pgx.Conn, statements ...string) {
	t.Helper()
	for _, sql := range statements {
		_, err := conn.Exec(context.Background(), sql)
		require.NoError(t, err, sql)
	}
}

func TestTablesWithARegionAreFound(t *testing.T) {
	t.Parallel()
	conn := connect(t)
	execute(t, conn,
		`create schema s; create schema shard; create schema outbox`,
		`create table s.b ("Z" int, region text, a int, d int generated always as (a * 2) stored, gone int, primary key (a, "Z"))`,
		`alter table s.b drop column gone`,
		`create table s.a (id uuid primary key, region text)`,
		`create table s.without (id uuid primary key)`,
		`create table shard.ownership (region text primary key)`,
		`create table outbox.events (seq bigserial primary key, region text)`,
		`create view s.view as select * from s.a`,
		`create table s.parts (id int, region text, primary key (id, region)) partition by list (region)`,
		`create table s.part partition of s.parts for values in ('mx')`,
	)
	found, err := tables(context.Background(), conn)
	require.NoError(t, err)
	require.Equal(t, []table{
		{Schema: "s", Name: "a", Columns: []string{"id", "region"}, Key: []string{"id"}},
		{Schema: "s", Name: "b", Columns: []string{"Z", "a", "region"}, Key: []string{"Z", "a"}},
		{Schema: "s", Name: "parts", Columns: []string{"id", "region"}, Key: []string{"id", "region"}},
	}, found)
}

func TestShardsAtDifferentMigrationsAreNotJoined(t *testing.T) {
	t.Parallel()
	base := []table{{Schema: "s", Name: "a", Columns: []string{"id", "region"}, Key: []string{"id"}}}
	require.NoError(t, sameTables(base, base))
	require.NoError(t, sameTables(nil, nil))
	for name, other := range map[string][]table{
		"missing":        nil,
		"one more":       append([]table{{Schema: "s", Name: "z"}}, base...),
		"another name":   {{Schema: "s", Name: "b", Columns: base[0].Columns, Key: base[0].Key}},
		"another schema": {{Schema: "t", Name: "a", Columns: base[0].Columns, Key: base[0].Key}},
		"a new column":   {{Schema: "s", Name: "a", Columns: []string{"id", "region", "x"}, Key: base[0].Key}},
		"another key":    {{Schema: "s", Name: "a", Columns: base[0].Columns, Key: []string{"region"}}},
	} {
		require.ErrorContains(t, sameTables(base, other), "same migrations", name)
		require.ErrorContains(t, sameTables(other, base), "same migrations", name)
	}
}

func TestNamesAreQuoted(t *testing.T) {
	t.Parallel()
	odd := table{Schema: `or"der`, Name: "user", Key: []string{"from", `a"b`}}
	require.Equal(t, `"or""der"."user"`, odd.sql())
	require.Equal(t, `or"der.user`, odd.String())
	require.Equal(t, `"r"."from", "r"."a""b"`, list("r", odd.Key))
	require.Equal(t, `"from", "a""b"`, bare(odd.Key))
	require.Equal(t, `'it''s'`, literal("it's"))
}

// TestTheDigestSeesEveryDifference compares a table with what may go wrong
// with its copy.
func TestTheDigestSeesEveryDifference(t *testing.T) {
	t.Parallel()
	ctx := context.Background()
	source, target := connect(t), connect(t)
	for _, conn := range []*pgx.Conn{source, target} {
		execute(t, conn, `create table a (id int primary key, region text, text text, at timestamptz, n numeric, b bytea, j json)`,
			`insert into a select i, 'mx', 'x' || i, '2026-11-22 14:08:39.123456+00', 45.90, '\x00ff', '{"a": 1.50}' from generate_series(1, 50) i`,
			`insert into a values (100, 'ca', 'other', now(), 1, null, null)`)
	}
	columns := []string{"at", "b", "id", "j", "n", "region", "text"}
	a := table{Schema: "public", Name: "a", Columns: columns, Key: []string{"id"}}
	for name, damage := range map[string]string{
		"nothing":              ``,
		"another region":       `update a set text = 'y' where region = 'ca'`,
		"the order of rows":    `update a set text = text where id < 20`,
		"a row is missing":     `delete from a where id = 7`,
		"a row is too much":    `insert into a values (51, 'mx')`,
		"a text":               `update a set text = 'X7' where id = 7`,
		"a null":               `update a set text = null where id = 7`,
		"a microsecond":        `update a set at = at + interval '1 microsecond' where id = 7`,
		"a trailing zero":      `update a set n = 45.9 where id = 7`,
		"a byte":               `update a set b = '\x01ff' where id = 7`,
		"the spelling of JSON": `update a set j = '{"a":1.50}' where id = 7`,
		"two rows exchanged":   `update a set text = case id when 7 then 'x8' else 'x7' end where id in (7, 8)`,
	} {
		harmless := name == "nothing" || name == "another region" || name == "the order of rows"
		here, err := source.Begin(ctx)
		require.NoError(t, err)
		there, err := target.Begin(ctx)
		require.NoError(t, err)
		_, err = there.Exec(ctx, damage)
		require.NoError(t, err)
		rows, err := compare(ctx, here, there, a, "mx")
		if harmless {
			require.NoError(t, err, name)
			require.Equal(t, int64(50), rows, name)
		} else {
			require.ErrorContains(t, err, "public.a differs", name)
		}
		require.NoError(t, there.Rollback(ctx))
		require.NoError(t, here.Rollback(ctx))
	}
}
