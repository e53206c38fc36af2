-- +goose Up
-- cube indexes points in space by distance. Riders and restaurants are points on the unit sphere, where the straight
-- line between two points grows with the way along the ground. It is a trusted extension: no superuser is needed.
create extension if not exists cube with schema public;

-- One row a rider. order_id is what the rider is bound to, by an open offer or carrying: a free rider has none.
create table delivery.partners (
    id         uuid primary key,
    region     text not null,
    city       text not null,
    latitude   double precision not null,
    longitude  double precision not null,
    place      public.cube not null,
    available  boolean not null default false,
    silent     boolean not null default false,
    order_id   uuid unique,
    carrying   boolean not null default false check (not carrying or order_id is not null),
    lapses     integer not null default 0, -- offers let expire in a row
    deliveries integer not null default 0,
    rating     double precision not null default 5,
    seen_at    timestamptz not null default now(),
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- The nearest free rider is found here, however many riders a city has.
create index partners_free on delivery.partners using gist (place)
    where available and not silent and order_id is null;
create index partners_unheard on delivery.partners (seen_at)
    where available and not silent and order_id is null;

-- One row for each time an order was offered to a rider: seq is the order's seq at which it was. An order has at most
-- one live row, and so has a rider: the two unique indexes are what decides, whoever races.
create table delivery.offers (
    order_id    uuid not null,
    seq         bigint not null,
    region      text not null,
    partner_id  uuid not null,
    status      text not null check (status in ('offered', 'accepted', 'picked_up',
                                                'delivered', 'failed', 'declined', 'expired', 'withdrawn')),
    offered_at  timestamptz not null default now(),
    expires_at  timestamptz not null,
    accepted_at timestamptz,
    ended_at    timestamptz,
    primary key (order_id, seq)
);

create unique index offers_one_rider_an_order on delivery.offers (order_id)
    where status in ('offered', 'accepted', 'picked_up');
create unique index offers_one_order_a_rider on delivery.offers (partner_id)
    where status in ('offered', 'accepted', 'picked_up');
create index offers_by_partner on delivery.offers (partner_id, offered_at desc, order_id desc, seq desc);
create index offers_to_end on delivery.offers (region, expires_at) where status = 'offered';

-- The queue: an order has a row here exactly as long as a rider is sought for it. place is the restaurant's.
create table delivery.jobs (
    order_id   uuid primary key,
    region     text not null,
    place      public.cube not null,
    offered    boolean not null default false,
    created_at timestamptz not null default now()
);

create index jobs_waiting on delivery.jobs (region, order_id) where not offered;

-- +goose Down
drop table delivery.jobs, delivery.offers, delivery.partners;
