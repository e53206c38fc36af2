-- +goose Up
-- Rows of a region carry it and move with it. Only email_claims belong to the shard itself: see doc.go.

create table auth.users (
    id            uuid primary key,
    region        text not null,
    email         text not null,
    email_canon   text not null unique,
    password_hash text not null,
    first_name    text not null,
    last_name     text not null,
    phone_number  text not null,
    role          text not null check (role in ('customer', 'restaurant_owner', 'delivery_partner', 'admin')),
    city          text not null,
    created_at    timestamptz not null,
    updated_at    timestamptz not null,
    inserted_at   timestamptz not null default now() -- by the shard's clock, which the claim repairer walks by
);
create index users_by_region_age on auth.users (region, inserted_at, id);

-- How a registration ended. Its primary key is the fence: either the account's transaction or somebody who gives the
-- registration up inserts first, and the other one fails.
create table auth.registrations (
    user_id    uuid primary key,
    region     text not null,
    outcome    text not null check (outcome in ('committed', 'abandoned')),
    settled_at timestamptz not null default now()
);
create index registrations_abandoned on auth.registrations (settled_at) where outcome = 'abandoned';

-- A vote of this shard: the address belongs to that user. See doc.go for why a majority of votes is an election.
create table auth.email_claims (
    email_canon text primary key,
    user_id     uuid not null,
    state       text not null check (state in ('reserved', 'active')),
    created_at  timestamptz not null default now()
);
create index email_claims_reserved on auth.email_claims (created_at) where state = 'reserved';

-- How far the accounts of a region are known to have their claim on a shard.
create table auth.claim_repairs (
    region  text not null,
    target  text not null,
    done_at timestamptz not null,
    done_id uuid not null,
    primary key (region, target)
);

-- A family is a signed-in session: the chain of refresh tokens that began with one login.
create table auth.families (
    id          uuid primary key,
    region      text not null,
    user_id     uuid not null references auth.users,
    created_at  timestamptz not null,
    expires_at  timestamptz not null,
    revoked_at  timestamptz,
    revoked_for text
);
create index families_by_user on auth.families (user_id);
create index families_expired on auth.families (expires_at);

-- Used tokens stay as long as their family: a token is only known to be used again if it is known.
create table auth.refresh_tokens (
    hash       bytea primary key,
    region     text not null,
    family_id  uuid not null references auth.families on delete cascade,
    issued_at  timestamptz not null,
    expires_at timestamptz not null,
    used_at    timestamptz
);
create index refresh_tokens_by_family on auth.refresh_tokens (family_id);

-- +goose Down
drop table auth.refresh_tokens;
drop table auth.families;
drop table auth.claim_repairs;
drop table auth.email_claims;
drop table auth.registrations;
drop table auth.users;
