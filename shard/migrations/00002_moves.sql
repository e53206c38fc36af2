-- +goose Up
-- A move of a region away from this shard, from its announcement until the last row is cleared away.
create table shard.moves (
    region       text primary key,
    target       text not null,
    announced_at timestamptz not null default clock_timestamp(),
    copied       boolean not null default false -- the target holds a copy that move_log keeps up to date
);

-- The rows of a moving region that changed since they were copied, by table and primary key. What the row holds is
-- read when the entry is worked off, so that one that changed often is carried once.
create table shard.move_log (
    seq    bigint generated always as identity primary key,
    region text not null,
    tbl    text not null,
    key    jsonb not null
);
create index move_log_by_table on shard.move_log (region, tbl);

-- capture is the trigger that a move puts on every table with a column region. Its arguments are the region, its
-- code and the columns of the primary key. It also admits writers, so that one that forgot to ask cannot slip a row
-- past a freeze.
-- +goose StatementBegin
create function shard.capture() returns trigger language plpgsql as $$
declare
    old_key jsonb;
    new_key jsonb;
begin
    if tg_op <> 'INSERT' and old.region = tg_argv[0] then
        select jsonb_object_agg(name, to_jsonb(old) -> name) into old_key from unnest(tg_argv[2:]) name;
        insert into shard.move_log (region, tbl, key) values (tg_argv[0], tg_table_schema || '.' || tg_table_name, old_key);
    end if;
    if tg_op <> 'DELETE' and new.region = tg_argv[0] then
        select jsonb_object_agg(name, to_jsonb(new) -> name) into new_key from unnest(tg_argv[2:]) name;
        if new_key is distinct from old_key then
            insert into shard.move_log (region, tbl, key) values (tg_argv[0], tg_table_schema || '.' || tg_table_name, new_key);
        end if;
    end if;
    if old_key is not null or new_key is not null then
        perform shard.enter(tg_argv[1]::integer);
    end if;
    return null;
end $$;
-- +goose StatementEnd

-- The steps of a move, each true when it took effect or had before. Who holds the region can only change in hand_over.
-- +goose StatementBegin
create function shard.announce(moving text, new_home text) returns boolean language plpgsql as $$
begin
    insert into shard.moves (region, target)
        select region, new_home from shard.ownership where region = moving and state in ('owner', 'frozen')
        on conflict do nothing;
    update shard.ownership set peer = new_home, changed_at = now()
        where region = moving and state in ('owner', 'frozen') and peer is distinct from new_home
            and exists (select from shard.moves where region = moving and target = new_home);
    return exists (select from shard.ownership where region = moving and state in ('owner', 'frozen') and peer = new_home);
end $$;

create function shard.expect(moving text, moving_code integer, new_epoch bigint, old_home text) returns boolean language plpgsql as $$
begin
    insert into shard.ownership as o (region, code, epoch, state, peer) values (moving, moving_code, new_epoch, 'incoming', old_home)
        on conflict (region) do update set epoch = new_epoch, state = 'incoming', peer = old_home, changed_at = now()
        where o.state in ('moved', 'incoming') and o.epoch < new_epoch;
    return exists (select from shard.ownership where region = moving and epoch = new_epoch and state = 'incoming');
end $$;

-- A freeze ends by itself: a mover that dies, or is too slow, costs the region's writers that long and no longer.
create function shard.freeze(moving text, new_home text, lasting interval) returns boolean language plpgsql as $$
begin
    update shard.ownership set state = 'frozen', frozen_until = clock_timestamp() + lasting, changed_at = now()
        where region = moving and state in ('owner', 'frozen') and peer = new_home;
    return found;
end $$;

create function shard.thaw(moving text) returns boolean language plpgsql as $$
begin
    update shard.ownership set state = 'owner', frozen_until = null, changed_at = now() where region = moving and state = 'frozen';
    return found;
end $$;

-- hand_over lets go of the region, unless the freeze has run out. The exclusive lock is what makes that test good: a
-- writer admitted after the freeze ran out holds it shared until its commit, and by then the test fails.
create function shard.hand_over(moving text, moving_code integer, new_home text) returns boolean language plpgsql as $$
begin
    perform pg_advisory_xact_lock(1414090566, moving_code);
    update shard.ownership set state = 'moved', frozen_until = null, changed_at = now()
        where region = moving and peer = new_home and state = 'frozen' and frozen_until > clock_timestamp();
    return found;
end $$;

create function shard.take_charge(moving text, new_epoch bigint) returns boolean language plpgsql as $$
begin
    update shard.ownership set state = 'owner', peer = null, changed_at = now()
        where region = moving and epoch = new_epoch and state = 'incoming';
    return exists (select from shard.ownership where region = moving and epoch = new_epoch and state in ('owner', 'frozen'));
end $$;
-- +goose StatementEnd

-- +goose Down
drop function shard.take_charge(text, bigint), shard.hand_over(text, integer, text), shard.thaw(text),
    shard.freeze(text, text, interval), shard.expect(text, integer, bigint, text), shard.announce(text, text), shard.capture();
drop table shard.move_log, shard.moves;
