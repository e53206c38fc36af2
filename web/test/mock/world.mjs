// A small invented world for developing pages without a fleet: a few kitchens, menus, one of each account.
let serial = 0;
const now = () => new Date().toISOString();
const id = (prefix) => `${prefix}${String(++serial).padStart(24 - prefix.length, '0')}`;
const uuid = () => `0192a3b4-c5d6-8000-a000-${String(++serial).padStart(12, '0')}`;

const KITCHENS = [
  ['La Paloma Taquería', 'Mexican', 37.7599, -122.4148, '2889 Mission St', 4.7],
  ['Noodle Harbor', 'Ramen', 37.7856, -122.4294, '1581 Webster St', 4.5],
  ['Forno Vecchio', 'Pizza', 37.8001, -122.4101, '532 Columbus Ave', 4.8],
  ['Golden Gate Grill', 'Burgers', 37.7693, -122.4481, '1398 Haight St', 4.2],
  ['Saffron & Sons', 'Indian', 37.7648, -122.4214, '3021 16th St', 4.9],
  ['Umi no Sachi', 'Sushi', 37.7512, -122.4331, '4123 24th St', 4.6],
  ['Green Table', 'Vegan', 37.7766, -122.4243, '398 Hayes St', 0],
  ['Harbor Light Fish Co.', 'Seafood', 37.808, -122.4177, 'Pier 45', 4.1],
];
const DISHES = {
  Starters: [
    ['Soup of the day', 'With warm bread', 6.5],
    ['Crisp vegetables', 'Raw, pickled and grilled, with herb dip', 8.25],
  ],
  Mains: [
    ['House plate', 'What the kitchen is proudest of, with two sides', 17.9],
    ['Slow braise', 'Eight hours, shallots, thyme', 21.5],
    ['Garden bowl', 'Grains, greens, roasted roots', 14.75],
    ['Catch of the morning', 'Sold by noon on most days', 24],
  ],
  Sides: [
    ['Fried potatoes', 'Twice fried, sea salt', 5.25],
    ['Slaw', 'Cabbage, lime, coriander', 4.5],
  ],
  Sweets: [['Burnt cream', 'Vanilla, orange peel', 7]],
};

export function createWorld() {
  const users = new Map();
  const user = (email, role, firstName, lastName) => {
    const u = {
      id: uuid(),
      email,
      firstName,
      lastName,
      phoneNumber: '+14155550134',
      role,
      city: 'San Francisco',
      createdAt: now(),
      updatedAt: now(),
    };
    if (role === 'delivery_partner') u.partnerId = u.id;
    users.set(email, { ...u, password: 'tiffin-demo' });
    return u;
  };
  const customer = user('customer@demo.tiffin', 'customer', 'Ana', 'Rivera');
  const owner = user('owner@demo.tiffin', 'restaurant_owner', 'Omar', 'Haddad');
  const rider = user('rider@demo.tiffin', 'delivery_partner', 'Kim', 'Larsen');
  user('admin@demo.tiffin', 'admin', 'Ada', 'Okafor');
  const restaurants = KITCHENS.map(([name, cuisine, latitude, longitude, address, rating], i) => ({
    id: id('64f0'),
    name,
    city: 'San Francisco',
    address,
    latitude,
    longitude,
    phoneNumber: '+14155550100',
    email: 'hello@example.com',
    ownerUserId: owner.id,
    cuisine,
    rating,
    isActive: i !== 3,
    createdAt: now(),
    updatedAt: now(),
  }));
  const menus = new Map(
    restaurants.map((r) => [
      r.id,
      Object.entries(DISHES).flatMap(([category, list]) =>
        list.map(([name, description, price], i) => ({
          id: id('64f1'),
          restaurantId: r.id,
          name,
          description,
          price,
          category,
          isAvailable: !(category === 'Mains' && i === 3),
          createdAt: now(),
          updatedAt: now(),
        })),
      ),
    ]),
  );
  const orders = new Map();
  const partner = {
    id: rider.id,
    userId: rider.id,
    city: 'San Francisco',
    latitude: 37.77,
    longitude: -122.42,
    isAvailable: false,
    currentOrderId: null,
    totalDeliveries: 42,
    rating: 4.9,
    createdAt: now(),
    updatedAt: now(),
  };
  return { users, restaurants, menus, orders, partner, assignments: [], customer, owner, rider, uuid, now };
}

export function createOrder(world, body, customerId = world.customer.id) {
  const menu = world.menus.get(body.restaurantId);
  const items = body.items.map(({ menuItemId, quantity }) => {
    const item = menu.find((m) => m.id === menuItemId);
    return { menuItemId, name: item.name, quantity, unitPrice: item.price };
  });
  const totalAmount = Math.round(items.reduce((s, i) => s + i.unitPrice * i.quantity * 100, 0)) / 100;
  const order = {
    id: world.uuid(),
    customerId,
    restaurantId: body.restaurantId,
    deliveryPartnerId: null,
    status: 'pending',
    items,
    totalAmount,
    deliveryAddress: body.deliveryAddress,
    city: body.city,
    latitude: body.latitude,
    longitude: body.longitude,
    estimatedDeliveryTime: 35,
    createdAt: world.now(),
    updatedAt: world.now(),
  };
  const record = {
    order,
    seq: 1,
    history: [{ from: null, to: 'pending', actorId: customerId, actorRole: 'customer', at: world.now() }],
    fix: null,
    updates: [],
  };
  world.orders.set(order.id, record);
  return record;
}
