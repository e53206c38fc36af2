package testenv

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/stretchr/testify/require"
)

// Explain gives the plan by which the connection runs a statement that it has
// prepared, which is how all statements of the fleet are run: by what they say,
// not by the values of the day. how is "explain", with its options.
func Explain(t testing.TB, conn *pgx.Conn, how, sql string, args ...any) string {
	t.Helper()
	_, err := conn.Prepare(t.Context(), "explained", sql)
	require.NoError(t, err)
	values := make([]string, len(args))
	for i, arg := range args {
		values[i] = literal(arg)
	}
	run := how + " execute explained"
	if len(values) > 0 {
		run += " (" + strings.Join(values, ", ") + ")"
	}
	rows, err := conn.Query(t.Context(), run, pgx.QueryExecModeSimpleProtocol)
	require.NoError(t, err)
	plan, err := pgx.CollectRows(rows, pgx.RowTo[string])
	require.NoError(t, err)
	require.NoError(t, conn.Deallocate(t.Context(), "explained"))
	return strings.Join(plan, "\n")
}

// literal writes a value as SQL.
func literal(v any) string {
	switch v := v.(type) {
	case time.Duration:
		return fmt.Sprintf("'%d microseconds'", v.Microseconds())
	case int, int64, float64:
		return fmt.Sprint(v)
	case []int64, []float64:
		return "'{" + strings.Trim(strings.ReplaceAll(fmt.Sprint(v), " ", ","), "[]") + "}'"
	}
	text := fmt.Sprintf("%s", v)
	if list := fmt.Sprintf("%q", v); strings.HasPrefix(list, "[") {
		text = "{" + strings.Trim(strings.ReplaceAll(list, `" "`, `","`), "[]") + "}"
	}
	return "'" + strings.ReplaceAll(text, "'", "''") + "'"
}
