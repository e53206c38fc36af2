import { useEffect, useRef, useState } from 'react';
import { apiClient } from '@/utils/apiClient';
import { borrowSocket, type TrackingSocket } from '@/utils/socketClient';
import type { Reading } from './drive';

/** Idle riders are placed for dispatch now and then; riders who carry are watched on a map. */
const IDLE_MS = 15_000;
const CARRYING_MS = 1_500;
const ACK_TIMEOUT_MS = 5_000;

/** Whether the last position arrived and counted. */
export type Report = 'none' | 'sent' | 'refused' | 'failed';

/** Sends the rider's position while online: over the socket with an order, over REST without. */
export function useReporter(partnerId: string | null, orderId: string | null, reading: Reading | null): Report {
  const [report, setReport] = useState<Report>('none');
  const latest = useRef(reading);
  latest.current = reading;
  const known = reading !== null;

  useEffect(() => {
    if (!partnerId || !known) return;
    const link = orderId ? borrowSocket() : null;
    let stopped = false;
    const send = async () => {
      const at = latest.current;
      if (!at) return;
      const sent = link && orderId ? overSocket(link.socket, orderId, partnerId, at) : overRest(partnerId, at);
      const outcome = await sent;
      if (!stopped) setReport(outcome);
    };
    void send();
    const timer = setInterval(send, orderId ? CARRYING_MS : IDLE_MS);
    return () => {
      stopped = true;
      clearInterval(timer);
      link?.release();
    };
  }, [partnerId, orderId, known]);
  return report;
}

async function overRest(partnerId: string, at: Reading): Promise<Report> {
  try {
    const { data } = await apiClient.patch<{ accepted: boolean }>(`/delivery/${partnerId}/location`, fix(at));
    return data.accepted ? 'sent' : 'refused';
  } catch {
    return 'failed';
  }
}

function overSocket(socket: TrackingSocket, orderId: string, partnerId: string, at: Reading): Promise<Report> {
  // Nothing is queued while disconnected: a burst of old positions helps nobody.
  if (!socket.connected) return Promise.resolve('failed');
  return new Promise((resolve) => {
    socket
      .timeout(ACK_TIMEOUT_MS)
      .emit(
        'rider-location-update',
        { orderId, deliveryPartnerId: partnerId, ...fix(at) },
        (lost: Error | null, answer) => {
          if (lost || answer?.error) resolve('failed');
          else resolve(answer?.data?.accepted === false ? 'refused' : 'sent');
        },
      );
  });
}

function fix(at: Reading) {
  return {
    latitude: at.latitude,
    longitude: at.longitude,
    timestamp: new Date().toISOString(),
    ...(at.heading !== null && { heading: at.heading }),
    ...(at.speed !== null && { speed: at.speed }),
    ...(at.accuracy !== null && { accuracy: at.accuracy }),
  };
}
