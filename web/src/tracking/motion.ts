/** Moves a marker smoothly between fixes that arrive every second or few. Degrees, milliseconds. */

export interface Pose {
  latitude: number;
  longitude: number;
  /** Degrees clockwise from north, null while unknown. */
  heading: number | null;
}

interface Leg {
  from: Pose;
  to: Pose;
  start: number;
  duration: number;
}

const SHORTEST_MS = 250;
const LONGEST_MS = 6_000;
/** Beyond this a glide would be a lie (a tunnel, a phone that slept): jump instead. */
const JUMP_METERS = 3_000;
/** Below this, noise of the receiver decides the bearing. */
const STILL_METERS = 4;

/**
 * Glides from where the marker is now to the newest fix in about the time fixes lie apart, so it
 * arrives as the next one comes in: one interval behind the truth, never ahead of it.
 */
export class Motion {
  #leg: Leg | null = null;
  #lastFixAt = 0;

  get started(): boolean {
    return this.#leg !== null;
  }

  /** `now` is any clock that only goes forward; the same one for `pose`. */
  push(fix: { latitude: number; longitude: number; heading?: number | null | undefined }, now: number): void {
    const here = this.pose(now);
    const gap = this.#lastFixAt === 0 ? 0 : now - this.#lastFixAt;
    this.#lastFixAt = now;
    const meters = here ? distanceMeters(here, fix) : 0;
    const heading = fix.heading ?? (here && meters > STILL_METERS ? bearing(here, fix) : (here?.heading ?? null));
    const to = { latitude: fix.latitude, longitude: fix.longitude, heading };
    if (!here || meters > JUMP_METERS) {
      this.#leg = { from: to, to, start: now, duration: 0 };
      return;
    }
    const duration = Math.min(LONGEST_MS, Math.max(SHORTEST_MS, gap));
    this.#leg = { from: here, to, start: now, duration };
  }

  pose(now: number): Pose | null {
    const leg = this.#leg;
    if (!leg) return null;
    const t = leg.duration === 0 ? 1 : Math.min(1, Math.max(0, (now - leg.start) / leg.duration));
    return {
      latitude: leg.from.latitude + (leg.to.latitude - leg.from.latitude) * t,
      longitude: leg.from.longitude + (leg.to.longitude - leg.from.longitude) * t,
      // A turn is made in the first third of a leg, as a rider does, not over its whole length.
      heading: turn(leg.from.heading, leg.to.heading, Math.min(1, t * 3)),
    };
  }

  /** True when nothing will move until the next fix: the caller may stop drawing. */
  settled(now: number): boolean {
    return !this.#leg || now >= this.#leg.start + this.#leg.duration;
  }
}

function turn(from: number | null, to: number | null, t: number): number | null {
  if (from === null || to === null) return to;
  const shortest = ((to - from + 540) % 360) - 180;
  return (from + shortest * t + 360) % 360;
}

export interface Point {
  latitude: number;
  longitude: number;
}

const RADIANS = Math.PI / 180;
const EARTH_METERS = 6_371_008.8;

/** Great-circle distance. */
export function distanceMeters(a: Point, b: Point): number {
  const dLat = (b.latitude - a.latitude) * RADIANS;
  const dLng = (b.longitude - a.longitude) * RADIANS;
  const h =
    Math.sin(dLat / 2) ** 2 + Math.cos(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS) * Math.sin(dLng / 2) ** 2;
  return 2 * EARTH_METERS * Math.asin(Math.min(1, Math.sqrt(h)));
}

/** Initial bearing from a to b, degrees clockwise from north. */
export function bearing(a: Point, b: Point): number {
  const dLng = (b.longitude - a.longitude) * RADIANS;
  const y = Math.sin(dLng) * Math.cos(b.latitude * RADIANS);
  const x =
    Math.cos(a.latitude * RADIANS) * Math.sin(b.latitude * RADIANS) -
    Math.sin(a.latitude * RADIANS) * Math.cos(b.latitude * RADIANS) * Math.cos(dLng);
  return (Math.atan2(y, x) / RADIANS + 360) % 360;
}
