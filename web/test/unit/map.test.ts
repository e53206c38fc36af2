import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clipRing, eachVisible, type Frame } from '@/map/clip';
import {
  type Camera,
  fitted,
  fromScreen,
  fromWorld,
  type LngLat,
  panned,
  toScreen,
  toWorld,
  zoomedAt,
} from '@/map/mercator';
import { type Shape, unpack } from '@/map/outlines';

const place = fc.record({
  lng: fc.double({ min: -170, max: -50, noNaN: true }),
  lat: fc.double({ min: 14, max: 72, noNaN: true }),
});
const camera: fc.Arbitrary<Camera> = fc.record({ center: place, zoom: fc.double({ min: 6, max: 16, noNaN: true }) });
const size = { width: 800, height: 600 };
const spot = fc.record({ x: fc.integer({ min: 0, max: 800 }), y: fc.integer({ min: 0, max: 600 }) });

function close(a: LngLat, b: LngLat, digits = 6): void {
  expect(a.lng).toBeCloseTo(b.lng, digits);
  expect(a.lat).toBeCloseTo(b.lat, digits);
}

describe('projection', () => {
  test('known places of the tile scheme', () => {
    expect(toWorld({ lng: 0, lat: 0 })).toEqual({ x: 0.5, y: 0.5 });
    expect(toWorld({ lng: -180, lat: 85.0511287798066 }).y).toBeCloseTo(0, 9);
    // The Golden Gate lies in tile 12/654/1582 of every street map.
    const { x, y } = toWorld({ lng: -122.478, lat: 37.82 });
    expect([Math.floor(x * 4096), Math.floor(y * 4096)]).toEqual([654, 1582]);
  });

  test('there and back is the same place', () => {
    fc.assert(fc.property(place, (p) => close(fromWorld(toWorld(p)), p, 9)));
  });

  test('a place on the screen is where it was drawn', () => {
    fc.assert(
      fc.property(camera, spot, (view, at) => {
        const back = toScreen(fromScreen(at, view, size), view, size);
        expect(back.x).toBeCloseTo(at.x, 3);
        expect(back.y).toBeCloseTo(at.y, 3);
      }),
    );
  });
});

describe('camera', () => {
  test('panning moves the content by just as many pixels', () => {
    fc.assert(
      fc.property(camera, place, (view, p) => {
        const before = toScreen(p, view, size);
        const after = toScreen(p, panned(view, 30, -20, size), size);
        expect(after.x).toBeCloseTo(before.x - 30, 2);
        expect(after.y).toBeCloseTo(before.y + 20, 2);
      }),
    );
  });

  test('zooming keeps the place under the pointer', () => {
    fc.assert(
      fc.property(camera, spot, fc.double({ min: -1, max: 1, noNaN: true }), (view, at, by) => {
        close(fromScreen(at, zoomedAt(view, at, by, size), size), fromScreen(at, view, size), 4);
      }),
    );
  });

  test('fitting shows every point, inside the padding', () => {
    fc.assert(
      fc.property(fc.array(place, { minLength: 2, maxLength: 6 }), (points) => {
        const view = fitted(points, size, 80) as Camera;
        for (const point of points) {
          const { x, y } = toScreen(point, view, size);
          // MIN_ZOOM may keep a whole continent from fitting; nothing else may.
          if (view.zoom > 2.01) {
            expect(x).toBeGreaterThan(79);
            expect(x).toBeLessThan(721);
            expect(y).toBeGreaterThan(79);
            expect(y).toBeLessThan(521);
          }
        }
      }),
    );
  });

  test('one point is shown from a sensible height, none at all is no view', () => {
    expect(fitted([{ lng: -122, lat: 37 }], size, 80, 14)).toMatchObject({ zoom: 14 });
    expect(fitted([], size, 80)).toBeNull();
    expect(fitted([{ lng: 0, lat: 0 }], { width: 0, height: 0 }, 80)).toBeNull();
  });
});

describe('cutting to the view', () => {
  const frame: Frame = { x: 0, y: 0, scale: 1, width: 100, height: 100 };
  const shape = (...points: number[]): Shape => ({
    points: Float64Array.from(points),
    west: 0,
    north: 0,
    east: 0,
    south: 0,
  });

  test('a ring inside stays as it is', () => {
    expect(clipRing(shape(10, 10, 90, 10, 50, 90), frame)).toHaveLength(6);
  });

  test('a ring outside is nothing', () => {
    expect(clipRing(shape(200, 200, 300, 200, 250, 300), frame)).toEqual([]);
  });

  test('an ocean far larger than the view becomes the view', () => {
    const big = clipRing(shape(-1e7, -1e7, 1e7, -1e7, 1e7, 1e7, -1e7, 1e7), frame);
    expect(Math.max(...big)).toBe(108);
    expect(Math.min(...big)).toBe(-8);
  });

  test('nothing beyond the margin is ever drawn', () => {
    const wild = fc.array(fc.double({ min: -1e6, max: 1e6, noNaN: true }), { minLength: 6, maxLength: 40 });
    fc.assert(
      fc.property(wild, (points) => {
        const cut = clipRing(shape(...points.slice(0, points.length - (points.length % 2))), frame);
        for (const value of cut) {
          expect(value).toBeGreaterThanOrEqual(-8.001);
          expect(value).toBeLessThanOrEqual(108.001);
        }
      }),
    );
  });

  test('of a line only the segments near the view are drawn', () => {
    const drawn: number[] = [];
    eachVisible(shape(-500, 50, -200, 50, 50, 50, 60, 60, 900, 900, 950, 900), frame, false, (...segment) =>
      drawn.push(segment[4]),
    );
    expect(drawn).toEqual([4, 6, 8]);
  });
});

test('packed outlines unpack to where they were', () => {
  // 1/2000 of a degree from (-124, 36): San Francisco's middle.
  const { points } = unpack([3161, 3550, 100, 0], [-124, 36], 2000);
  close(fromWorld({ x: points[0] as number, y: points[1] as number }), { lng: -122.4195, lat: 37.775 }, 6);
  close(fromWorld({ x: points[2] as number, y: points[3] as number }), { lng: -122.3695, lat: 37.775 }, 6);
});
