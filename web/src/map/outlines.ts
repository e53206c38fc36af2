import overviewUrl from './data/overview.json?url';
import placesUrl from './data/places.json?url';
import { toWorld } from './mercator';

/** Rings and lines as world coordinates (x, y, x, y, …), with the box they lie in. */
export interface Shape {
  points: Float64Array;
  west: number;
  north: number;
  east: number;
  south: number;
}

export interface Outlines {
  water: Shape[];
  borders: Shape[];
  minor: Shape[];
  /** The square the data was cut to, in world coordinates: shore lines along it are no shores. */
  box: { west: number; north: number; east: number; south: number };
}

export interface Place {
  name: string;
  x: number;
  y: number;
  /** Thousands. */
  population: number;
}

interface Packed {
  /** West, south, east, north in degrees; what is packed counts from the south-west corner. */
  box: [number, number, number, number];
  scale: number;
  water: number[][];
  borders: number[][];
  minor: number[][];
}

const CELL = 2;
const cellUrls = import.meta.glob<string>('./data/cells/*.json', { query: '?url', import: 'default', eager: true });

/** Undoes tools/map's packing: whole steps from the origin, each point relative to the one before. */
export function unpack(deltas: readonly number[], [lng0, lat0]: readonly [number, number], scale: number): Shape {
  const points = new Float64Array(deltas.length);
  const shape = { points, west: Infinity, north: Infinity, east: -Infinity, south: -Infinity };
  let x = 0;
  let y = 0;
  for (let i = 0; i + 1 < deltas.length; i += 2) {
    x += deltas[i] as number;
    y += deltas[i + 1] as number;
    const world = toWorld({ lng: lng0 + x / scale, lat: lat0 + y / scale });
    points[i] = world.x;
    points[i + 1] = world.y;
    shape.west = Math.min(shape.west, world.x);
    shape.east = Math.max(shape.east, world.x);
    shape.north = Math.min(shape.north, world.y);
    shape.south = Math.max(shape.south, world.y);
  }
  return shape;
}

function decode(packed: Packed): Outlines {
  const [west, south, east, north] = packed.box;
  const all = (list: number[][]) => list.map((deltas) => unpack(deltas, [west, south], packed.scale));
  const northWest = toWorld({ lng: west, lat: north });
  const southEast = toWorld({ lng: east, lat: south });
  return {
    water: all(packed.water),
    borders: all(packed.borders),
    minor: all(packed.minor),
    box: { west: northWest.x, north: northWest.y, east: southEast.x, south: southEast.y },
  };
}

const loads = new Map<string, Promise<unknown>>();

// A failed load is forgotten, so that the next look at the same place tries again.
function once<T>(url: string, make: (json: unknown) => T): Promise<T> {
  const known = loads.get(url) as Promise<T> | undefined;
  if (known) return known;
  const load = fetch(url)
    .then((answer) => (answer.ok ? answer.json() : Promise.reject(new Error(`${url}: ${answer.status}`))))
    .then(make);
  loads.set(url, load);
  load.catch(() => loads.delete(url));
  return load;
}

export function loadOverview(): Promise<Outlines> {
  return once(overviewUrl, (json) => decode(json as Packed));
}

export function loadPlaces(): Promise<Place[]> {
  return once(placesUrl, (json) =>
    (json as [string, number, number, number][]).map(([name, lng, lat, population]) => ({
      name,
      population,
      ...toWorld({ lng, lat }),
    })),
  );
}

/** Names of the detail squares a view touches; empty where there is no town. */
export function cellsOf(west: number, south: number, east: number, north: number): string[] {
  const names: string[] = [];
  for (let x = Math.floor(west / CELL) * CELL; x < east; x += CELL) {
    for (let y = Math.floor(south / CELL) * CELL; y < north; y += CELL) {
      if (cellUrls[path(`${x}_${y}`)]) names.push(`${x}_${y}`);
    }
  }
  return names;
}

export function loadCell(name: string): Promise<Outlines> {
  const url = cellUrls[path(name)];
  if (!url) return Promise.reject(new Error(`no map cell ${name}`));
  return once(url, (json) => decode(json as Packed));
}

const path = (name: string) => `./data/cells/${name}.json`;
