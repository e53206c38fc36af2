import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { advance, SIMULATED_SPEED } from '@/rider/drive';
import { bearing, distanceMeters, Motion, type Point } from '@/tracking/motion';

const sf = { latitude: 37.7749, longitude: -122.4194 };
const near = fc.record({
  latitude: fc.double({ min: 37.7, max: 37.8, noNaN: true }),
  longitude: fc.double({ min: -122.5, max: -122.4, noNaN: true }),
});

describe('distance and bearing', () => {
  test('from San Francisco to Los Angeles it is 559 km', () => {
    expect(distanceMeters(sf, { latitude: 34.0522, longitude: -118.2437 }) / 1000).toBeCloseTo(559.1, 0);
  });

  test('distance is symmetric and never negative', () => {
    fc.assert(
      fc.property(near, near, (a, b) => {
        expect(distanceMeters(a, b)).toBeCloseTo(distanceMeters(b, a), 6);
        expect(distanceMeters(a, b)).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test.each([
    [{ ...sf, latitude: 38 }, 0],
    [{ ...sf, longitude: -122 }, 90],
    [{ ...sf, latitude: 37 }, 180],
    [{ ...sf, longitude: -123 }, 270],
  ])('towards %j it is about %d degrees', (to, degrees) => {
    expect(Math.abs(bearing(sf, to) - degrees)).toBeLessThan(0.3);
  });
});

describe('a marker between fixes', () => {
  const north = (meters: number): Point => ({ ...sf, latitude: sf.latitude + meters / 111_195 });

  test('stands at its first fix', () => {
    const motion = new Motion();
    expect(motion.pose(0)).toBeNull();
    motion.push(sf, 1000);
    expect(motion.pose(1000)).toMatchObject(sf);
    expect(motion.settled(1000)).toBe(true);
  });

  test('glides to the next one in the time between the two', () => {
    const motion = new Motion();
    motion.push(sf, 1000);
    motion.push(north(100), 3000);
    expect(distanceMeters(sf, motion.pose(4000) as Point)).toBeCloseTo(50, 0);
    expect(distanceMeters(sf, motion.pose(5000) as Point)).toBeCloseTo(100, 0);
    expect(motion.settled(4999)).toBe(false);
    expect(motion.settled(5000)).toBe(true);
  });

  test('a fix in the middle of a glide bends the way without a jump', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(near, fc.integer({ min: 50, max: 4000 })), { minLength: 2, maxLength: 12 }),
        (steps) => {
          const motion = new Motion();
          let now = 0;
          for (const [fix, wait] of steps) {
            now += wait;
            const before = motion.pose(now);
            motion.push(fix, now);
            const after = motion.pose(now) as Point;
            const jumped = before === null || distanceMeters(before, fix) > 3000;
            if (!jumped) expect(distanceMeters(before as Point, after)).toBeLessThan(0.01);
          }
        },
      ),
    );
  });

  test('a far fix is a jump: gliding over a city would be a lie', () => {
    const motion = new Motion();
    motion.push(sf, 0);
    motion.push(north(5000), 1000);
    expect(distanceMeters(sf, motion.pose(1000) as Point)).toBeCloseTo(5000, -1);
  });

  test('it looks where it goes, and keeps looking there while it stands', () => {
    const motion = new Motion();
    motion.push(sf, 0);
    expect(motion.pose(0)?.heading).toBeNull();
    motion.push({ ...sf, longitude: -122.418 }, 1000);
    expect(motion.pose(2000)?.heading).toBeCloseTo(90, 0);
    motion.push({ ...sf, longitude: -122.41799 }, 3000);
    expect(motion.pose(4000)?.heading).toBeCloseTo(90, 0);
  });

  test('it turns the short way round north', () => {
    const motion = new Motion();
    motion.push({ ...sf, heading: 350 }, 0);
    motion.push({ ...north(50), heading: 10 }, 1000);
    const halfway = motion.pose(1000 + 1000 / 6)?.heading as number;
    expect(halfway > 340 || halfway < 20).toBe(true);
  });
});

describe('a simulated ride', () => {
  test('arrives, exactly, and at no more than its speed', () => {
    fc.assert(
      fc.property(near, near, (start, target) => {
        let at: Point = start;
        const steps = Math.ceil(distanceMeters(start, target) / SIMULATED_SPEED) * 1.2 + 10;
        for (let i = 0; i < steps; i++) {
          const next = advance(at, target, 1);
          expect(distanceMeters(at, next)).toBeLessThan(SIMULATED_SPEED * 1.05);
          at = next;
        }
        expect(at).toMatchObject(target);
      }),
      { numRuns: 25 },
    );
  });
});
