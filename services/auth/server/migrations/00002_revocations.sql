-- +goose Up
-- What was revoked lately is asked for every few seconds, see services/auth/revoked.
create index families_revoked on auth.families (revoked_at) where revoked_at is not null;

-- +goose Down
drop index auth.families_revoked;
