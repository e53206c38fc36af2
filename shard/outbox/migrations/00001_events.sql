-- +goose Up
-- The payload is json and not jsonb: what consumers get is the text the service wrote, money with its two places.
create table outbox.events (
    seq        bigint generated always as identity primary key,
    id         uuid not null unique,
    type       text not null,
    region     text not null,
    key        text not null,
    payload    json not null,
    headers    jsonb not null default '{}',
    created_at timestamptz not null default clock_timestamp(),
    sent_at    timestamptz,
    stream_seq bigint check ((sent_at is null) = (stream_seq is null))
) with (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_insert_scale_factor = 0.05);

create index events_unsent on outbox.events (seq) where sent_at is null;

-- The stream that stream_seq counts in, known by the time it was created, and up to where the bridge has confirmed
-- it. Rows of earlier streams that were confirmed there have stream_seq 0.
create table outbox.stream (
    single  boolean primary key default true check (single),
    created text not null,
    floor   bigint not null default 0
);

-- +goose Down
drop table outbox.stream;
drop table outbox.events;
