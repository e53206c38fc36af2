package shard_test

import (
	"context"
	"errors"
	"fmt"

	"github.com/jackc/pgx/v5"

	"tiffin/shard"
)

var exampleConfig = shard.Config{Shards: []shard.ShardConfig{
	{ID: "a", URL: "postgres://tiffin@shard-a/tiffin", Regions: []string{"us-west", "ca"}},
	{ID: "b", URL: "postgres://tiffin@shard-b/tiffin", Regions: []string{"us-east", "us-central"}},
	{ID: "c", URL: "postgres://tiffin@shard-c/tiffin", Regions: []string{"us-south", "mx"}},
}}

func ExampleRouter_RouteCity() {
	router, err := shard.NewRouter(exampleConfig)
	if err != nil {
		panic(err)
	}
	for _, city := range []string{"san-francisco", "NYC", "Portland, ME", "San Fransisco", "Cd. Juárez"} {
		route := router.RouteCity(city)
		fmt.Printf("%s is %s, %s: region %s on shard %s (%s)\n",
			city, route.City.Name, route.City.State, route.Region, route.Shard, route.Via)
	}
	// Output:
	// san-francisco is San Francisco, CA: region us-west on shard a (city)
	// NYC is New York City, NY: region us-east on shard b (alias)
	// Portland, ME is Portland, ME: region us-east on shard b (city)
	// San Fransisco is San Francisco, CA: region us-west on shard a (typo)
	// Cd. Juárez is Juárez, CHH: region mx on shard c (alias)
}

func ExampleRouter_RouteID() {
	router, err := shard.NewRouter(exampleConfig)
	if err != nil {
		panic(err)
	}
	id := router.NewID("ca")
	route, err := router.RouteID(id)
	fmt.Println(len(id), route.Region, route.Shard, err)

	_, err = router.RouteID("6ba7b810-9dad-11d1-80b4-00c04fd430c8")
	fmt.Println(errors.Is(err, shard.ErrBadID))
	// Output:
	// 36 ca a <nil>
	// true
}

func ExampleGazetteer_Search() {
	for _, city := range shard.Cities().Search("guadal", 3) {
		fmt.Println(city.Name, city.State)
	}
	// Output:
	// Guadalajara JAL
	// Guadalupe NLE
	// Guadalupe ZAC
}

// A service writes on the shard of an id, and looks its key up before it says
// anything when the outcome of the commit is unknown.
func ExampleDB_InTx() {
	save := func(ctx context.Context, set *shard.Set, id, text string) error {
		db, err := set.ByID(id)
		if err != nil {
			return err
		}
		err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
			_, err := tx.Exec(ctx, `insert into notes.notes (id, text) values ($1, $2)`, id, text)
			return err
		})
		if !shard.CommitUnknown(err) {
			return err
		}
		var saved bool
		lookErr := db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
			return q.QueryRow(ctx, `select exists (select from notes.notes where id = $1)`, id).Scan(&saved)
		})
		if lookErr == nil && saved {
			return nil
		}
		return err
	}
	fmt.Printf("%T\n", save)
	// Output: func(context.Context, *shard.Set, string, string) error
}
