import { bearing, distanceMeters, type Point } from '@/tracking/motion';

/** A position as devices report it. Degrees, meters a second. */
export interface Reading extends Point {
  heading: number | null;
  speed: number | null;
  accuracy: number | null;
}

/** A brisk scooter: fast enough to watch, slow enough that the server finds it plausible. */
export const SIMULATED_SPEED = 14;

/**
 * Where a simulated rider is after `seconds` on the way to `target`: a straight way with a slight
 * sway, because a marker that moves like a ruler is not believed. Arrives exactly.
 */
export function advance(at: Point, target: Point, seconds: number, speed = SIMULATED_SPEED): Reading {
  const left = distanceMeters(at, target);
  const step = speed * seconds;
  const heading = left < 1 ? null : bearing(at, target);
  if (step >= left || left < 1) {
    return { latitude: target.latitude, longitude: target.longitude, heading, speed: 0, accuracy: 5 };
  }
  const share = step / left;
  const sway = Math.sin(left / 90) * 0.12 * share;
  const north = target.latitude - at.latitude;
  const east = target.longitude - at.longitude;
  return {
    latitude: at.latitude + north * share - east * sway,
    longitude: at.longitude + east * share + north * sway,
    heading,
    speed,
    accuracy: 5,
  };
}
