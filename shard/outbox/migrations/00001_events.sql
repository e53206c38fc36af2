-- +goose Up
create table outbox.events (
    seq bigint generated always as identity primary key
);

-- +goose Down
drop table outbox.events;
