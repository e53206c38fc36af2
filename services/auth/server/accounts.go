package server

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/jackc/pgerrcode"
	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"

	"tiffin/micro"
	"tiffin/services/auth"
	"tiffin/shard"
	"tiffin/shard/rotate"
	"tiffin/shard/sealed"
	"tiffin/wire"
)

// errNoAccount says that no shard has the account asked for.
var errNoAccount = errors.New("no such account")

// account is a row of auth.users.
type account struct {
	ID           string
	Email        string
	PasswordHash string
	FirstName    string
	LastName     string
	PhoneNumber  string
	Role         string
	City         string
	CreatedAt    time.Time
	UpdatedAt    time.Time
}

const accountColumns = `id::text, email, password_hash, first_name, last_name, phone_number, role, city, created_at, updated_at`

// user is the account as clients see it.
func (a account) user() auth.User {
	u := auth.User{
		ID: a.ID, Email: a.Email, FirstName: a.FirstName, LastName: a.LastName, PhoneNumber: a.PhoneNumber,
		Role: a.Role, City: a.City, CreatedAt: wire.At(a.CreatedAt), UpdatedAt: wire.At(a.UpdatedAt),
	}
	if a.Role == auth.RoleRider {
		u.PartnerID = a.ID
	}
	return u
}

// phoneColumn binds sealed phone numbers to where they stand.
const phoneColumn = "auth.users.phone_number"

// SealedColumn is what `tiffin keys rotate` has to do here.
func SealedColumn() rotate.Column { return rotate.Column{Table: "auth.users", Name: "phone_number"} }

// collect reads the one account of a query, with its phone number opened.
func collect(rows pgx.Rows, keys *sealed.Keys) (account, error) {
	a, err := pgx.CollectExactlyOneRow(rows, pgx.RowToStructByPos[account])
	if err != nil {
		return a, err
	}
	a.PhoneNumber, err = keys.Open(a.PhoneNumber, phoneColumn, a.ID)
	return a, err
}

// insertAccount writes a new account in the transaction that settles its registration.
func insertAccount(ctx context.Context, tx pgx.Tx, keys *sealed.Keys, a account, region shard.Region, canonical string) error {
	_, err := tx.Exec(ctx, `
		insert into auth.users (id, region, email, email_canon, password_hash, first_name, last_name, phone_number, role,
			city, created_at, updated_at)
		values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
		a.ID, region, a.Email, canonical, a.PasswordHash, a.FirstName, a.LastName, keys.Seal(a.PhoneNumber, phoneColumn, a.ID),
		a.Role, a.City, a.CreatedAt, a.UpdatedAt)
	var pgErr *pgconn.PgError
	if errors.As(err, &pgErr) && pgErr.Code == pgerrcode.UniqueViolation {
		return errTaken()
	}
	return err
}

// findAccount looks an address up on all shards at once. Only the shard that has it needs to be alive: errNoAccount is
// returned when every shard said no, and unavailable when one that might know could not be asked.
//
// Slower answers are left to finish by themselves: cancelling a query costs PostgreSQL a connection and pgx another one
// to cancel it over.
func findAccount(ctx context.Context, shards *shard.Set, canonical string) (account, error) {
	type answer struct {
		account account
		err     error
	}
	all := shards.All()
	answers := make(chan answer, len(all))
	for _, db := range all {
		go func() {
			a, err := accountByEmail(context.WithoutCancel(ctx), shards, db, canonical)
			answers <- answer{a, err}
		}()
	}
	var failed error
	for range all {
		select {
		case <-ctx.Done():
			return account{}, ctx.Err()
		case a := <-answers:
			if a.err == nil {
				return a.account, nil
			}
			if !errors.Is(a.err, errNoAccount) {
				failed = a.err
			}
		}
	}
	if failed != nil {
		return account{}, micro.Unavailable(failed, "sign-in is partly unavailable, try again")
	}
	return account{}, errNoAccount
}

// accountByEmail asks one shard. While a region moves, both shards have its rows for a time, one of them old: what is
// found elsewhere than at home is read again there.
func accountByEmail(ctx context.Context, shards *shard.Set, db *shard.DB, canonical string) (account, error) {
	a, err := selectAccount(ctx, shards.Keys(), db, `select `+accountColumns+` from auth.users where email_canon = $1`, canonical)
	if err != nil {
		return a, err
	}
	if home, err := shards.ByID(a.ID); err == nil && home.ID() == db.ID() {
		return a, nil
	}
	return accountByID(ctx, shards, a.ID)
}

// accountByID reads an account at its home, or fails with errNoAccount.
func accountByID(ctx context.Context, shards *shard.Set, id string) (account, error) {
	db, err := shards.ByID(id)
	if err != nil {
		return account{}, fmt.Errorf("%w: %w", errNoAccount, err)
	}
	return selectAccount(ctx, shards.Keys(), db, `select `+accountColumns+` from auth.users where id = $1`, id)
}

// selectAccount runs a query that finds one account or fails with errNoAccount.
func selectAccount(ctx context.Context, keys *sealed.Keys, db *shard.DB, query string, arg string) (a account, err error) {
	err = db.Do(ctx, func(ctx context.Context, q shard.Querier) error {
		rows, err := q.Query(ctx, query, arg)
		if err != nil {
			return err
		}
		a, err = collect(rows, keys)
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoAccount
		}
		return err
	})
	return a, err
}

// updateProfile changes what nil does not leave alone, or fails with errNoAccount.
func updateProfile(ctx context.Context, shards *shard.Set, req auth.UpdateRequest, now time.Time) (a account, err error) {
	db, err := shards.ByID(req.ID)
	if err != nil {
		return a, fmt.Errorf("%w: %w", errNoAccount, err)
	}
	var phone *string
	if req.PhoneNumber != nil {
		box := shards.Keys().Seal(*req.PhoneNumber, phoneColumn, req.ID)
		phone = &box
	}
	err = db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		rows, err := tx.Query(ctx, `
			update auth.users set first_name = coalesce($2, first_name), last_name = coalesce($3, last_name),
				phone_number = coalesce($4, phone_number), updated_at = $5
			where id = $1 returning `+accountColumns,
			req.ID, req.FirstName, req.LastName, phone, now)
		if err != nil {
			return err
		}
		a, err = collect(rows, shards.Keys())
		if errors.Is(err, pgx.ErrNoRows) {
			return errNoAccount
		}
		return err
	})
	return a, err
}

// updateHash replaces a password's hash by one of another cost, unless the password was changed meanwhile.
func updateHash(ctx context.Context, shards *shard.Set, id, from, to string) error {
	db, err := shards.ByID(id)
	if err != nil {
		return err
	}
	return db.InTx(ctx, func(ctx context.Context, tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `update auth.users set password_hash = $3 where id = $1 and password_hash = $2`, id, from, to)
		return err
	})
}
