import type { OrderStatus } from '@/api/types';

/** `GET /admin/overview`. A part whose source did not answer is null and named in `unavailable`. */
export interface Overview {
  at: string;
  readiness: { status: 'ok' | 'degraded'; checks: Record<string, { status: string; error?: string }> };
  services: Service[];
  shards: { id: string; regions: string[]; healthy: boolean }[];
  bridge: { connected: boolean; relayed: number; lag: number; oldestSeconds: number; deadLettered: number } | null;
  orders: {
    orders: Record<OrderStatus, number>;
    stuck: { orderId: string; status: OrderStatus; city: string; updatedAt: string }[];
    stuckTotal: number;
    unavailableShards: string[] | null;
  } | null;
  riders: {
    riders: Record<RiderState, number>;
    waitingOrders: number;
    oldestWaitSeconds: number;
    unavailableShards: string[] | null;
  } | null;
  unavailable: string[];
}

export type RiderState = 'offline' | 'silent' | 'free' | 'offered' | 'carrying';

export interface Service {
  name: string;
  instances: Instance[];
}

export interface Instance {
  id: string;
  version: string;
  startedAt: string;
  requests: number;
  errors: number;
  averageMs: number;
  endpoints: Endpoint[];
}

export interface Endpoint {
  name: string;
  requests: number;
  errors: number;
  averageMs: number;
}
