import type { components } from './schema';

/**
 * The shapes the edge answers with, generated from its own description (`npm run api:types`).
 * Money is a JSON number with two places; turn it into cents with `toCents` before any arithmetic.
 * Times are RFC 3339 in UTC.
 */
type Schemas = components['schemas'];

export type User = Schemas['AuthUser'];
export type Role = User['role'];
export type SessionAnswer = Schemas['AuthSession'];
export type Registration = Schemas['AuthRegisterRequest'];
export type City = Schemas['City'];
export type Restaurant = Schemas['Restaurant'];
export type MenuItem = Schemas['RestaurantMenuItem'];
export type Order = Schemas['Order'];
export type OrderStatus = Order['status'];
export type NewOrder = Schemas['OrderCreateRequest'];
export type Transition = Schemas['OrderHistoryEntry'];
export type Partner = Schemas['DeliveryPartner'];
export type Assignment = Schemas['DeliveryAssignment'];
export type Fix = Schemas['TrackingLocation'];
export type TrackingSnapshot = Schemas['TrackingView'];
export type Rider = Schemas['DeliveryRider'];
export type Offer = Schemas['DeliveryOffer'];
export type Overview = Schemas['OpsOverview'];
export type Service = Schemas['OpsService'];
export type Endpoint = Schemas['OpsEndpoint'];

/** Data of the socket event order-updated, which OpenAPI does not describe. */
export interface OrderUpdate {
  orderId: string;
  /** Rises by one for each change of an order, beginning with 1. */
  seq: number;
  status: OrderStatus;
  deliveryPartnerId: string | null;
  estimatedDeliveryTime: number;
  timestamp: string;
}
