import { useEffect, useRef, useState } from 'react';
import type { Point } from '@/tracking/motion';
import { advance, type Reading } from './drive';

export type Source = 'device' | 'simulated';

const STEP_MS = 1500;

/** Where this rider is: from the device, or driven by simulation towards `target`. Null until known. */
export function usePosition(source: Source, enabled: boolean, start: Point | null, target: Point | null) {
  const device = useDevice(enabled && source === 'device');
  const simulated = useSimulated(enabled && source === 'simulated', start, target);
  return source === 'device' ? device : { reading: simulated, failed: false };
}

function useDevice(enabled: boolean): { reading: Reading | null; failed: boolean } {
  const [reading, setReading] = useState<Reading | null>(null);
  const [failed, setFailed] = useState(false);
  useEffect(() => {
    if (!enabled) return;
    setFailed(false);
    if (!navigator.geolocation) {
      setFailed(true);
      return;
    }
    const watch = navigator.geolocation.watchPosition(
      ({ coords }) => {
        setFailed(false);
        const { latitude, longitude, heading, speed, accuracy } = coords;
        // A standing device reports NaN for its heading.
        setReading({ latitude, longitude, heading: Number.isFinite(heading) ? heading : null, speed, accuracy });
      },
      () => setFailed(true),
      { enableHighAccuracy: true, maximumAge: 2_000 },
    );
    return () => navigator.geolocation.clearWatch(watch);
  }, [enabled]);
  return { reading, failed };
}

function useSimulated(enabled: boolean, start: Point | null, target: Point | null): Reading | null {
  const [reading, setReading] = useState<Reading | null>(null);
  const goal = useRef(target);
  goal.current = target;
  const origin = useRef(start);
  origin.current = start;
  useEffect(() => {
    if (!enabled) return;
    const step = () => {
      setReading((before) => {
        const at = before ?? (origin.current ? still(origin.current) : null);
        if (!at || !goal.current) return at;
        return advance(at, goal.current, STEP_MS / 1000);
      });
    };
    step();
    const timer = setInterval(step, STEP_MS);
    return () => clearInterval(timer);
  }, [enabled]);
  return reading;
}

function still(at: Point): Reading {
  return { latitude: at.latitude, longitude: at.longitude, heading: null, speed: 0, accuracy: 5 };
}
