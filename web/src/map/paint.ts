import { clipRing, eachVisible, type Frame } from './clip';
import type { Outlines, Place, Shape } from './outlines';

/** Colours of the map, read from the page's tokens so that it follows the theme. */
export interface Palette {
  land: string;
  water: string;
  shore: string;
  border: string;
  minor: string;
  town: string;
  grid: string;
  label: string;
  halo: string;
  route: string;
  trail: string;
}

export function readPalette(element: Element): Palette {
  const style = getComputedStyle(element);
  const of = (name: string) => style.getPropertyValue(`--map-${name}`).trim() || '#888';
  return {
    land: of('land'),
    water: of('water'),
    shore: of('shore'),
    border: of('border'),
    minor: of('minor'),
    town: of('town'),
    grid: of('grid'),
    label: of('label'),
    halo: of('halo'),
    route: of('route'),
    trail: of('trail'),
  };
}

/** The ground that outlines cover; their water is cut out of it afterwards. */
export function paintLand(ctx: CanvasRenderingContext2D, { box }: Outlines, frame: Frame, palette: Palette): void {
  const left = Math.max(0, (box.west - frame.x) * frame.scale);
  const top = Math.max(0, (box.north - frame.y) * frame.scale);
  const right = Math.min(frame.width, (box.east - frame.x) * frame.scale);
  const bottom = Math.min(frame.height, (box.south - frame.y) * frame.scale);
  ctx.fillStyle = palette.land;
  if (right > left && bottom > top) ctx.fillRect(left, top, right - left, bottom - top);
}

/** One set of outlines: water filled, shores and borders stroked. */
export function paintOutlines(ctx: CanvasRenderingContext2D, outlines: Outlines, frame: Frame, palette: Palette): void {
  const seen = outlines.water.filter((shape) => inView(shape, frame));
  ctx.beginPath();
  for (const shape of seen) tracePolygon(ctx, clipRing(shape, frame));
  ctx.fillStyle = palette.water;
  ctx.fill('evenodd');

  ctx.beginPath();
  for (const shape of seen) {
    eachVisible(shape, frame, true, (x1, y1, x2, y2, i) => {
      if (alongCut(shape, i, outlines.box)) return;
      ctx.moveTo(x1, y1);
      ctx.lineTo(x2, y2);
    });
  }
  stroke(ctx, palette.shore, 1, []);
  strokeAll(ctx, outlines.minor, frame, palette.minor, 1, [2, 3]);
  strokeAll(ctx, outlines.borders, frame, palette.border, 1.25, [6, 3]);
}

function tracePolygon(ctx: CanvasRenderingContext2D, points: number[]): void {
  for (let i = 0; i < points.length; i += 2) {
    if (i === 0) ctx.moveTo(points[0] as number, points[1] as number);
    else ctx.lineTo(points[i] as number, points[i + 1] as number);
  }
  if (points.length > 0) ctx.closePath();
}

function strokeAll(
  ctx: CanvasRenderingContext2D,
  shapes: Shape[],
  frame: Frame,
  color: string,
  width: number,
  dash: number[],
): void {
  ctx.beginPath();
  for (const shape of shapes) {
    if (!inView(shape, frame)) continue;
    let last = -1;
    eachVisible(shape, frame, false, (x1, y1, x2, y2, i) => {
      if (last !== i - 2) ctx.moveTo(x1, y1);
      ctx.lineTo(x2, y2);
      last = i;
    });
  }
  stroke(ctx, color, width, dash);
}

function stroke(ctx: CanvasRenderingContext2D, color: string, width: number, dash: number[]): void {
  ctx.strokeStyle = color;
  ctx.lineWidth = width;
  ctx.setLineDash(dash);
  ctx.stroke();
  ctx.setLineDash([]);
}

function inView(shape: Shape, frame: Frame): boolean {
  return (
    shape.east >= frame.x &&
    shape.west <= frame.x + frame.width / frame.scale &&
    shape.south >= frame.y &&
    shape.north <= frame.y + frame.height / frame.scale
  );
}

// Data cut to a square has edges along the square that are no shore.
function alongCut(shape: Shape, i: number, box: Outlines['box']): boolean {
  const { points } = shape;
  const p = (i + points.length - 2) % points.length;
  const near = (a: number, b: number) => Math.abs(a - b) < 1e-9;
  const [x1, y1, x2, y2] = [points[p], points[p + 1], points[i], points[i + 1]] as [number, number, number, number];
  return (
    (near(x1, x2) && (near(x1, box.west) || near(x1, box.east))) ||
    (near(y1, y2) && (near(y1, box.north) || near(y1, box.south)))
  );
}

const LABEL_FONT = '600 11px "Figtree Variable", system-ui, sans-serif';

/**
 * A surveyor's grid over land and water, a kilometer wide near a city: where no streets are drawn
 * it is what a moving marker moves against.
 */
export function paintGrid(ctx: CanvasRenderingContext2D, frame: Frame, metersPerPixel: number, palette: Palette): void {
  const meters = [250, 500, 1000, 2000, 5000, 10_000].find((step) => step / metersPerPixel >= 56);
  if (!meters) return;
  const step = meters / metersPerPixel;
  ctx.beginPath();
  // Anchored to the world, so that it moves with the map.
  for (let x = -((frame.x * frame.scale) % step); x < frame.width; x += step) {
    ctx.moveTo(Math.round(x) + 0.5, 0);
    ctx.lineTo(Math.round(x) + 0.5, frame.height);
  }
  for (let y = -((frame.y * frame.scale) % step); y < frame.height; y += step) {
    ctx.moveTo(0, Math.round(y) + 0.5);
    ctx.lineTo(frame.width, Math.round(y) + 0.5);
  }
  stroke(ctx, palette.grid, 1, []);
}

function placesInView(places: Place[], frame: Frame, zoom: number): Place[] {
  const smallest = 4000 / 2 ** (zoom - 2);
  const margin = 0.15 / 360;
  return places.filter(
    (place) =>
      place.population >= smallest &&
      place.x > frame.x - margin &&
      place.y > frame.y - margin &&
      place.x < frame.x + frame.width / frame.scale + margin &&
      place.y < frame.y + frame.height / frame.scale + margin,
  );
}

/** Towns as built-up ground, one shape however they overlap. Painted before water, which cuts them to their shores. */
export function paintTowns(
  ctx: CanvasRenderingContext2D,
  places: Place[],
  frame: Frame,
  zoom: number,
  palette: Palette,
): void {
  ctx.fillStyle = palette.town;
  ctx.beginPath();
  for (const place of placesInView(places, frame, zoom)) {
    const x = (place.x - frame.x) * frame.scale;
    const y = (place.y - frame.y) * frame.scale;
    // Roughly the ground a town of that size covers: 1.5 km around for 15 000 people, 18 km for 2 million.
    const radius = Math.max(1.6, ((0.4 * Math.sqrt(place.population)) / 40_075) * frame.scale);
    ctx.moveTo(x + radius, y);
    ctx.arc(x, y, radius, 0, 2 * Math.PI);
  }
  ctx.fill();
}

/** Names of towns, largest first, where they do not collide. */
export function paintNames(
  ctx: CanvasRenderingContext2D,
  all: Place[],
  frame: Frame,
  zoom: number,
  palette: Palette,
): void {
  const places = placesInView(all, frame, zoom);
  ctx.font = LABEL_FONT;
  ctx.textAlign = 'center';
  ctx.textBaseline = 'middle';
  ctx.lineJoin = 'round';
  ctx.lineWidth = 3;
  ctx.strokeStyle = palette.halo;
  ctx.fillStyle = palette.label;
  const taken: [number, number, number, number][] = [];
  for (const place of places.slice(0, 120)) {
    const x = (place.x - frame.x) * frame.scale;
    const y = (place.y - frame.y) * frame.scale - (zoom < 9 ? 10 : 0);
    const half = ctx.measureText(place.name).width / 2 + 4;
    const box: [number, number, number, number] = [x - half, y - 9, x + half, y + 9];
    if (taken.some((b) => b[0] < box[2] && b[2] > box[0] && b[1] < box[3] && b[3] > box[1])) continue;
    taken.push(box);
    ctx.strokeText(place.name, x, y);
    ctx.fillText(place.name, x, y);
  }
}
