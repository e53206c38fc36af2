/**
 * The shapes the edge answers with. Money is a JSON number with two places; turn it into
 * cents with `toCents` before any arithmetic. Times are RFC 3339 in UTC.
 */

export type Role = 'customer' | 'restaurant_owner' | 'delivery_partner' | 'admin';

export interface User {
  id: string;
  email: string;
  firstName: string;
  lastName: string;
  phoneNumber: string;
  role: Role;
  city: string;
  /** Riders only: the id their location and offers go by. */
  partnerId?: string;
  createdAt: string;
  updatedAt: string;
}

export interface SessionAnswer {
  user: User;
  token: string;
  refreshToken: string;
  /** Seconds the access token lives from now. */
  expiresIn: number;
}

export interface City {
  name: string;
  state: string;
  country: string;
  latitude: number;
  longitude: number;
  region: string;
}

export interface Restaurant {
  id: string;
  name: string;
  city: string;
  address: string;
  latitude: number;
  longitude: number;
  phoneNumber: string;
  email: string;
  ownerUserId: string;
  cuisine?: string;
  rating?: number | null;
  isActive: boolean;
  distanceKm?: number;
  createdAt: string;
  updatedAt: string;
}

export interface MenuItem {
  id: string;
  restaurantId: string;
  name: string;
  description: string;
  price: number;
  category: string;
  isAvailable: boolean;
  createdAt: string;
  updatedAt: string;
}

export type OrderStatus =
  | 'pending'
  | 'confirmed'
  | 'preparing'
  | 'ready'
  | 'picked_up'
  | 'delivered'
  | 'rejected'
  | 'expired'
  | 'cancelled'
  | 'failed';

export interface OrderItem {
  menuItemId: string;
  name: string;
  quantity: number;
  unitPrice: number;
}

export interface Order {
  id: string;
  customerId: string;
  restaurantId: string;
  restaurantName?: string;
  deliveryPartnerId: string | null;
  status: OrderStatus;
  items: OrderItem[];
  totalAmount: number;
  deliveryAddress: string;
  city: string;
  latitude: number;
  longitude: number;
  /** Minutes. */
  estimatedDeliveryTime: number;
  createdAt: string;
  updatedAt: string;
}

export interface Transition {
  from: OrderStatus | null;
  to: OrderStatus;
  actorId: string | null;
  actorRole: string;
  reason?: string;
  at: string;
}

export interface Partner {
  id: string;
  userId: string;
  city: string;
  latitude: number | null;
  longitude: number | null;
  isAvailable: boolean;
  currentOrderId: string | null;
  totalDeliveries: number;
  rating: number | null;
  createdAt: string;
  updatedAt: string;
}

export type AssignmentStatus =
  | 'offered'
  | 'accepted'
  | 'picked_up'
  | 'delivered'
  | 'failed'
  | 'declined'
  | 'expired'
  | 'withdrawn';

export interface Assignment {
  orderId: string;
  partnerId: string;
  status: AssignmentStatus;
  offeredAt: string;
  offerExpiresAt: string;
  acceptedAt?: string;
  order: Order;
  restaurant: { id: string; name: string; address: string; latitude: number; longitude: number };
  dropoff: { address: string; latitude: number; longitude: number };
}

export interface Fix {
  orderId: string;
  deliveryPartnerId: string;
  latitude: number;
  longitude: number;
  timestamp: string;
  heading?: number;
  speed?: number;
  etaMinutes?: number;
}

export interface TrackingSnapshot {
  orderId: string;
  status: OrderStatus;
  seq: number;
  deliveryPartnerId: string | null;
  location: Fix | null;
  etaMinutes?: number;
}

export interface OrderUpdate {
  orderId: string;
  seq: number;
  status: OrderStatus;
  deliveryPartnerId: string | null;
  estimatedDeliveryTime: number;
  timestamp: string;
}
