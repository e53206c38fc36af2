-- +goose Up
-- Which regions this shard owns. The row with the highest epoch in the fleet says where a region lives.
--   owner     writes are welcome; with a peer, a move to that shard is under way
--   frozen    writes wait until frozen_until, the last step of a move
--   moved     the region lives on the peer now
--   incoming  a move from the peer is filling this shard; not in charge yet
create table shard.ownership (
    region       text primary key,
    code         integer not null unique,
    epoch        bigint not null,
    state        text not null check (state in ('owner', 'frozen', 'moved', 'incoming')),
    peer         text,
    frozen_until timestamptz,
    changed_at   timestamptz not null default now(),
    check ((state = 'frozen') = (frozen_until is not null))
);

-- enter admits a writing transaction to a region, or refuses it with SQLSTATE TF001. The shared lock keeps the
-- region from leaving until the transaction ends. An advisory lock and not FOR SHARE on the row: that would make
-- every write of a region dirty one page and allocate a multixact. The state is read after the lock is held, by a
-- statement of its own, because only then it is newer than anything a mover did before it let go of the lock.
-- A freeze that outlived its mover ends by itself.
-- +goose StatementBegin
create function shard.enter(region_code integer) returns void language plpgsql volatile as $$
declare
    found_state text;
begin
    perform pg_advisory_xact_lock_shared(1414090566, region_code);
    select case when state = 'frozen' and frozen_until < clock_timestamp() then 'owner' else state end
      into found_state from shard.ownership where code = region_code;
    if found_state is distinct from 'owner' then
        raise exception using errcode = 'TF001',
            message = format('region %s is %s here', region_code, coalesce(found_state, 'unknown'));
    end if;
end $$;
-- +goose StatementEnd

-- +goose Down
drop function shard.enter(integer);
drop table shard.ownership;
