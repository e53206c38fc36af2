-- +goose Up
-- Owners' lists ask where they have orders, as customers' do. What is there already is told to their homes by letter; one
-- to the home itself says nothing new and does no harm.
insert into orders.letters (region, customer_id) select distinct region, owner_id::uuid from orders.orders on conflict do nothing;

comment on table orders.travels is 'Regions in which a customer, or the owner of a restaurant, has orders besides their home.';
comment on table orders.letters is 'What somebody''s home must be told: that they have orders in this region.';

-- +goose Down
comment on table orders.travels is null;
comment on table orders.letters is null;
