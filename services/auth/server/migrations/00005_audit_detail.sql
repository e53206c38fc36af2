-- +goose Up
-- How it was done, such as the state that an order was moved to.
alter table auth.audit add column detail text not null default '';

-- +goose Down
alter table auth.audit drop column detail;
