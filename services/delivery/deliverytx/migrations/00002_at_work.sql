-- +goose Up
-- The operations map pages through the riders at work, by id: a small part of all who ever registered. Both columns of
-- the condition are those of partners_free already, so keeping it costs no update more than before.
create index partners_at_work on delivery.partners (id) where available or order_id is not null;

-- +goose Down
drop index delivery.partners_at_work;
