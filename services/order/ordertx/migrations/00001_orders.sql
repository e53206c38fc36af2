-- +goose Up
-- One row an order. Ids begin with the millisecond of creation (UUID version 8), so "order by id desc" is newest first,
-- on one shard and merged over all of them, and every index that ends in id serves a list with a stable cursor.
create table orders.orders (
    id              uuid primary key,
    region          text not null,
    customer_id     uuid not null,
    restaurant_id   text not null,
    owner_id        text not null,
    partner_id      uuid,
    status          text not null check (status in ('pending', 'confirmed', 'preparing', 'ready', 'picked_up',
                                                    'delivered', 'rejected', 'expired', 'cancelled', 'failed')),
    seq             bigint not null check (seq > 0),
    city            text not null,
    city_key        text not null,
    total           bigint not null check (total >= 0),
    eta_minutes     integer not null,
    items           json not null,
    address         text not null,
    latitude        double precision not null,
    longitude       double precision not null,
    restaurant      json not null,
    accept_by       timestamptz not null,
    created_at      timestamptz not null,
    updated_at      timestamptz not null
);

create index orders_by_customer on orders.orders (customer_id, id desc);
create index orders_by_restaurant on orders.orders (restaurant_id, id desc);
create index orders_by_owner on orders.orders (owner_id, id desc);
create index orders_by_partner on orders.orders (partner_id, id desc) where partner_id is not null;
create index orders_by_city on orders.orders (city_key, id desc);
-- The region is included so that counting by state reads the index alone.
create index orders_by_status on orders.orders (status, id desc) include (region);
-- What a kitchen looks at all day. Without it a restaurant's few live orders would be sought among all it ever had.
create index orders_live on orders.orders (restaurant_id, status, id desc)
    where status in ('pending', 'confirmed', 'preparing', 'ready', 'picked_up');
create index orders_to_expire on orders.orders (accept_by) where status = 'pending';

-- The log: one row for each value of seq an order ever had. Two changes that both believe to be the next one cannot
-- both be written, whatever went wrong with the locks.
create table orders.history (
    order_id    uuid not null,
    seq         bigint not null,
    region      text not null,
    kind        text not null check (kind in ('transition', 'assignment')),
    from_status text,
    to_status   text not null,
    partner_id  uuid,
    actor_id    text not null,
    actor_role  text not null,
    reason      text not null default '',
    at          timestamptz not null,
    primary key (order_id, seq),
    check (kind = 'assignment' or from_status is distinct from to_status)
);

-- Idempotency keys. A row is written by the transaction that writes the order, so key and order exist together or not
-- at all. order_id is null for a claim: the customer's home region notes the key of an order that lives elsewhere, so
-- that the same key with another body is noticed whichever region that body leads to.
create table orders.keys (
    region      text not null,
    customer_id uuid not null,
    key         text not null,
    fingerprint bytea not null,
    order_id    uuid,
    created_at  timestamptz not null default now(),
    primary key (customer_id, key, region)
);

create index keys_by_age on orders.keys (created_at);

-- The regions, besides the one they are at home in, in which a customer has ever ordered. It lives in the customer's
-- home region and tells which shards their list has to ask, so that a dead shard does not cost everybody theirs.
create table orders.travels (
    region      text not null,
    customer_id uuid not null,
    elsewhere   text not null,
    primary key (customer_id, elsewhere)
);

-- What a customer's home region must be told: that they have ordered in this one. It is written with the order, delivered
-- at once, and again by a loop when the home was away or the process died.
create table orders.letters (
    region      text not null,
    customer_id uuid not null,
    primary key (region, customer_id)
);

-- +goose Down
drop table orders.letters, orders.travels, orders.keys, orders.history, orders.orders;
