-- +goose Up
-- Who did what. Rows belong to the shard that took them and not to a region, so that moving a region deletes none.
-- Ids begin with the millisecond (UUID version 7): "order by id desc" is newest first on one shard and over all.
create table auth.audit (
    id         uuid primary key,
    at         timestamptz not null default now(),
    action     text not null,
    outcome    text not null,
    actor_id   text not null,
    actor_role text not null,
    target     text not null,
    request_id text not null
);

-- +goose StatementBegin
create function auth.audit_is_append_only() returns trigger language plpgsql as $$
begin
    raise exception 'auth.audit is append-only' using errcode = 'insufficient_privilege';
end $$;
-- +goose StatementEnd
create trigger audit_is_append_only before update or delete or truncate on auth.audit
    for each statement execute function auth.audit_is_append_only();

-- +goose Down
drop table auth.audit;
drop function auth.audit_is_append_only;
