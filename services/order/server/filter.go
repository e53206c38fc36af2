package server

import (
	"strconv"
	"strings"

	"tiffin/services/order/ordertx"
	"tiffin/shard"
)

// query builds the statement of a list. Only conditions that are asked for appear in it, so that each combination is
// planned for itself. The status is written into the text: it is one of ten known words, and a parameter would keep the
// planner from using the index on live orders.
func (f *filter) query(regions []shard.Region) (sql string, args []any) {
	args = []any{regions}
	where := []string{"o.region = any($1)"}
	equal := func(column string, value string) {
		if value != "" {
			args = append(args, value)
			where = append(where, "o."+column+" = $"+strconv.Itoa(len(args)))
		}
	}
	equal("customer_id", f.customer)
	equal("owner_id", f.owner)
	equal("partner_id", f.partner)
	equal("restaurant_id", f.restaurant)
	equal("city_key", f.city)
	if f.status.Known() {
		where = append(where, "o.status = '"+string(f.status)+"'")
	}
	if f.after != "" {
		args = append(args, f.after)
		where = append(where, "o.id < $"+strconv.Itoa(len(args)))
	}
	sql = "select " + ordertx.Columns + " from orders.orders o where " + strings.Join(where, " and ")
	return sql + " order by o.id desc limit " + strconv.Itoa(f.limit+1), args
}
