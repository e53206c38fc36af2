/**
 * Web Mercator, the projection of street tiles, so that tiles and our own outlines fit each other.
 * World coordinates run from 0 to 1 over the globe, x east, y south.
 */

export interface LngLat {
  lng: number;
  lat: number;
}

export interface XY {
  x: number;
  y: number;
}

export interface Camera {
  center: LngLat;
  /** Tile zoom: at z the globe is 256 * 2^z pixels wide. Fractions allowed. */
  zoom: number;
}

export interface Size {
  width: number;
  height: number;
}

const TILE = 256;
/** The projection's square ends here; beyond it y runs away to infinity. */
export const MAX_LATITUDE = 85.0511287798066;
export const MIN_ZOOM = 2;
export const MAX_ZOOM = 17;

export function toWorld({ lng, lat }: LngLat): XY {
  const clamped = Math.max(-MAX_LATITUDE, Math.min(MAX_LATITUDE, lat));
  const sin = Math.sin((clamped * Math.PI) / 180);
  return { x: lng / 360 + 0.5, y: 0.5 - Math.log((1 + sin) / (1 - sin)) / (4 * Math.PI) };
}

export function fromWorld({ x, y }: XY): LngLat {
  return { lng: (x - 0.5) * 360, lat: (Math.atan(Math.sinh((0.5 - y) * 2 * Math.PI)) * 180) / Math.PI };
}

/** Pixels per world unit. */
export function worldScale(zoom: number): number {
  return TILE * 2 ** zoom;
}

export function toScreen(point: LngLat, camera: Camera, size: Size): XY {
  const scale = worldScale(camera.zoom);
  const center = toWorld(camera.center);
  const world = toWorld(point);
  return { x: (world.x - center.x) * scale + size.width / 2, y: (world.y - center.y) * scale + size.height / 2 };
}

export function fromScreen(at: XY, camera: Camera, size: Size): LngLat {
  const scale = worldScale(camera.zoom);
  const center = toWorld(camera.center);
  return fromWorld({
    x: center.x + (at.x - size.width / 2) / scale,
    y: center.y + (at.y - size.height / 2) / scale,
  });
}

/** The same view shifted by pixels: positive moves the map's content left and up. */
export function panned(camera: Camera, dx: number, dy: number, size: Size): Camera {
  const center = fromScreen({ x: size.width / 2 + dx, y: size.height / 2 + dy }, camera, size);
  return { ...camera, center: held(center) };
}

/** Zooms while the place under `at` stays under it. */
export function zoomedAt(camera: Camera, at: XY, by: number, size: Size): Camera {
  const zoom = Math.min(MAX_ZOOM, Math.max(MIN_ZOOM, camera.zoom + by));
  const place = toWorld(fromScreen(at, camera, size));
  const scale = worldScale(zoom);
  const center = fromWorld({
    x: place.x - (at.x - size.width / 2) / scale,
    y: place.y - (at.y - size.height / 2) / scale,
  });
  return { center: held(center), zoom };
}

/** The closest view that shows all points with `padding` pixels around; one point gets `single` as its zoom. */
export function fitted(points: readonly LngLat[], size: Size, padding: number, single = 14): Camera | null {
  const first = points[0];
  if (!first || size.width === 0 || size.height === 0) return null;
  const worlds = points.map(toWorld);
  const west = Math.min(...worlds.map((p) => p.x));
  const east = Math.max(...worlds.map((p) => p.x));
  const north = Math.min(...worlds.map((p) => p.y));
  const south = Math.max(...worlds.map((p) => p.y));
  const center = fromWorld({ x: (west + east) / 2, y: (north + south) / 2 });
  const room = { x: Math.max(40, size.width - 2 * padding), y: Math.max(40, size.height - 2 * padding) };
  const ratio = Math.min(room.x / (east - west || Number.EPSILON), room.y / (south - north || Number.EPSILON));
  const zoom = Math.min(single, Math.max(MIN_ZOOM, Math.log2(ratio / TILE)));
  return { center, zoom };
}

/** Meters one pixel covers at the middle of the view. */
export function metersPerPixel(camera: Camera): number {
  return (40_075_016.686 * Math.cos((camera.center.lat * Math.PI) / 180)) / worldScale(camera.zoom);
}

function held(center: LngLat): LngLat {
  return {
    lng: Math.max(-180, Math.min(180, center.lng)),
    lat: Math.max(-80, Math.min(80, center.lat)),
  };
}
