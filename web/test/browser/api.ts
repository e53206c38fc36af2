import type { Assignment, MenuItem, Order, OrderStatus, Restaurant, Role, SessionAnswer } from '../../src/api/types';
import { BASE } from './fleet';

/** A few requests to set the stage, as a program would make them. Tests act through pages only. */
async function call<T>(method: string, path: string, token: string | null, body?: object): Promise<T> {
  for (let attempt = 0; ; attempt++) {
    const answer = await fetch(`${BASE}${path}`, {
      method,
      headers: {
        ...(body && { 'content-type': 'application/json' }),
        ...(token && { authorization: `Bearer ${token}` }),
      },
      ...(body && { body: JSON.stringify(body) }),
    });
    if (answer.ok) return (answer.status === 204 ? undefined : await answer.json()) as T;
    // The pages under test share this address and its limits.
    if (answer.status !== 429 || attempt > 20)
      throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    await new Promise((resolve) => setTimeout(resolve, 1000));
  }
}

export const login = (email: string, password = 'tiffin-demo') =>
  call<SessionAnswer>('POST', '/auth/login', null, { email, password });

/** What the app keeps of a session, for a page that begins signed in. */
export function storage(session: SessionAnswer): Record<string, string> {
  const { user, token, refreshToken, expiresIn } = session;
  return { 'tiffin.session': JSON.stringify({ user, token, refreshToken, expiresAt: Date.now() + expiresIn * 1000 }) };
}

let serial = 0;

/** Somebody new, with a session. */
export function newcomer(role: Role, city: string): Promise<SessionAnswer> {
  const email = `web-api-${Date.now().toString(36)}-${++serial}@test.tiffin`;
  const person = { firstName: 'Test', lastName: 'Person', phoneNumber: '+17075550134' };
  return call('POST', '/auth/register', null, { email, password: 'a-long-password', ...person, role, city });
}

/** A restaurant of somebody's own with one dish. */
export async function openKitchen(token: string, city: string, at: { latitude: number; longitude: number }) {
  const contact = { address: '1 Main Street', phoneNumber: '+17075550134', email: 'kitchen@test.tiffin' };
  const restaurant = await call<Restaurant>('POST', '/restaurants', token, {
    name: `Web Kitchen ${++serial}`,
    city,
    ...at,
    ...contact,
  });
  const dish = await call<MenuItem>('POST', `/restaurants/${restaurant.id}/menu`, token, { name: 'Stew', price: 9.5 });
  return { restaurant, dish };
}

/** An open restaurant of a city with something on its menu. */
export async function kitchenIn(city: string): Promise<{ restaurant: Restaurant; dish: MenuItem }> {
  const { restaurants } = await call<{ restaurants: Restaurant[] }>(
    'GET',
    `/restaurants?city=${encodeURIComponent(city)}&isActive=true`,
    null,
  );
  for (const restaurant of restaurants) {
    const { items } = await call<{ items: MenuItem[] }>('GET', `/restaurants/${restaurant.id}/menu`, null);
    const dish = items.find((item) => item.isAvailable);
    if (dish) return { restaurant, dish };
  }
  throw new Error(`no kitchen in ${city}: was the demo data left out?`);
}

/** A restaurant of a city that belongs to somebody, with what is on its menu. */
export async function kitchenOf(owner: SessionAnswer, city: string) {
  const { restaurants } = await call<{ restaurants: Restaurant[] }>(
    'GET',
    `/restaurants?ownerUserId=${owner.user.id}&city=${encodeURIComponent(city)}&isActive=true`,
    owner.token,
  );
  const restaurant = restaurants[0];
  if (!restaurant) throw new Error(`nothing of theirs in ${city}: was the demo data left out?`);
  const { items } = await call<{ items: MenuItem[] }>('GET', `/restaurants/${restaurant.id}/menu`, null);
  return { restaurant, dishes: items.filter((item) => item.isAvailable) };
}

export function order(
  token: string,
  restaurant: Restaurant,
  dishes: MenuItem | MenuItem[],
  to = { latitude: restaurant.latitude + 0.012, longitude: restaurant.longitude + 0.009 },
): Promise<Order> {
  return call('POST', '/orders', token, {
    restaurantId: restaurant.id,
    items: [dishes].flat().map((dish) => ({ menuItemId: dish.id, quantity: 2 })),
    deliveryAddress: '1 Test Street',
    city: restaurant.city,
    ...to,
  });
}

export const setStatus = (token: string, id: string, status: OrderStatus) =>
  call<Order>('PATCH', `/orders/${id}/status`, token, { status });

/** A rider begins to work at a place. */
export async function goOnline(
  rider: SessionAnswer,
  { latitude, longitude }: { latitude: number; longitude: number },
): Promise<void> {
  await report(rider, { latitude, longitude });
  await call('PATCH', `/delivery/${rider.user.id}/availability`, rider.token, { isAvailable: true });
}

/** A rider stops working, after what they carry. */
export const goOffline = (rider: SessionAnswer) =>
  call('PATCH', `/delivery/${rider.user.id}/availability`, rider.token, { isAvailable: false });

/** Waits until the order, or any, is offered to the rider, and says which. */
export async function offerTo(rider: SessionAnswer, orderId?: string): Promise<string> {
  for (let i = 0; i < 100; i++) {
    const { assignments } = await call<{ assignments: Assignment[] }>('GET', '/delivery/assignments', rider.token);
    if (assignments[0] && (!orderId || assignments[0].orderId === orderId)) return assignments[0].orderId;
    await new Promise((resolve) => setTimeout(resolve, 300));
  }
  throw new Error(`order ${orderId} was not offered`);
}

export async function declineOffer(rider: SessionAnswer, orderId: string): Promise<void> {
  await offerTo(rider, orderId);
  await call('POST', `/delivery/${orderId}/decline`, rider.token);
}

export async function acceptOffer(rider: SessionAnswer, orderId: string): Promise<void> {
  await offerTo(rider, orderId);
  await call('POST', `/delivery/${orderId}/accept`, rider.token);
}

/** Where the rider is now, as a phone would tell. */
export const report = (rider: SessionAnswer, at: { latitude: number; longitude: number; heading?: number }) =>
  call('PATCH', `/delivery/${rider.user.id}/location`, rider.token, at);
