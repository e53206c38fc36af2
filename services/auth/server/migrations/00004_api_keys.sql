-- +goose Up
-- A key lives on the shard of the account it acts for and moves with it. Rows stay after the key has ended: the audit
-- log and request logs name its id.
create table auth.api_keys (
    id           uuid primary key,
    region       text not null,
    user_id      uuid not null references auth.users,
    name         text not null,
    digest       bytea not null, -- SHA-256 of the secret, which nobody but its holder has
    scopes       text[] not null,
    rate_limit   integer not null check (rate_limit > 0),
    created_at   timestamptz not null,
    created_by   text not null,
    expires_at   timestamptz,
    revoked_at   timestamptz,
    last_used_at timestamptz
);
create index api_keys_by_user on auth.api_keys (user_id, id);
create index api_keys_revoked on auth.api_keys (revoked_at) where revoked_at is not null;

-- +goose Down
drop table auth.api_keys;
