package shard

// Column gives one value of each row, in their order: a parameter of
// `unnest($1::…[], $2::…[])`, by which one statement writes many rows.
func Column[R, T any](rows []R, of func(*R) T) []T {
	values := make([]T, len(rows))
	for i := range rows {
		values[i] = of(&rows[i])
	}
	return values
}
