-- +goose Up
-- An offer changes a rider's order_id, and so does its end. While that column stood in an index, each of the two left a
-- dead entry in all of them, the one of places included. A search by distance does not clear dead entries as other
-- searches do, and they stand where the next search begins: around the restaurant. A busy city's searches grew slower
-- until the next vacuum. Now the change touches no indexed column, so it stays in its page (a HOT update), and riders who
-- are busy are passed over when they are met. That no rider has two orders is kept by offers_one_order_a_rider.
alter table delivery.partners drop constraint partners_order_id_key, set (fillfactor = 50);

drop index delivery.partners_free;
create index partners_free on delivery.partners using gist (place) where available and not silent;
drop index delivery.partners_unheard;
create index partners_unheard on delivery.partners (seen_at) where available and not silent;

-- Who is not available and bound to an order carries it: going unavailable ends an open offer. A generated column is
-- compared by its value, which an acceptance does not change; a condition on both columns would be compared by theirs.
alter table delivery.partners add column at_work boolean not null generated always as (available or carrying) stored;
drop index delivery.partners_at_work;
create index partners_at_work on delivery.partners (id) where at_work;

-- +goose Down
drop index delivery.partners_at_work, delivery.partners_free, delivery.partners_unheard;
alter table delivery.partners drop column at_work, add unique (order_id), reset (fillfactor);
create index partners_free on delivery.partners using gist (place)
    where available and not silent and order_id is null;
create index partners_unheard on delivery.partners (seen_at)
    where available and not silent and order_id is null;
create index partners_at_work on delivery.partners (id) where available or order_id is not null;
