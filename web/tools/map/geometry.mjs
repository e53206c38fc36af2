// Plane geometry on rings of [longitude, latitude] in degrees.

/** Cuts one ring to a box (Sutherland-Hodgman). Edges along the box are kept: they fill, and are never stroked. */
export function clipRing(ring, [west, south, east, north]) {
  const sides = [
    [(p) => p[0] >= west, (a, b) => crossX(a, b, west)],
    [(p) => p[0] <= east, (a, b) => crossX(a, b, east)],
    [(p) => p[1] >= south, (a, b) => crossY(a, b, south)],
    [(p) => p[1] <= north, (a, b) => crossY(a, b, north)],
  ];
  let out = ring;
  for (const [inside, cross] of sides) {
    const next = [];
    for (let i = 0; i < out.length; i++) {
      const from = out[(i + out.length - 1) % out.length];
      const to = out[i];
      if (inside(to)) {
        if (!inside(from)) next.push(cross(from, to));
        next.push(to);
      } else if (inside(from)) next.push(cross(from, to));
    }
    out = next;
    if (out.length === 0) break;
  }
  return out;
}

/** Cuts a line to a box; a line that leaves and comes back becomes several. */
export function clipLine(line, [west, south, east, north]) {
  const pieces = [];
  let piece = [];
  for (let i = 1; i < line.length; i++) {
    const cut = clipSegment(line[i - 1], line[i], west, south, east, north);
    if (!cut) continue;
    const joined = piece.length > 0 && same(piece.at(-1), cut[0]);
    if (!joined) {
      if (piece.length > 1) pieces.push(piece);
      piece = [cut[0]];
    }
    piece.push(cut[1]);
  }
  if (piece.length > 1) pieces.push(piece);
  return pieces;
}

// Liang-Barsky: the part of a segment inside the box, or nothing.
function clipSegment(a, b, west, south, east, north) {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  let from = 0;
  let to = 1;
  for (const [p, q] of [
    [-dx, a[0] - west],
    [dx, east - a[0]],
    [-dy, a[1] - south],
    [dy, north - a[1]],
  ]) {
    if (p === 0) {
      if (q < 0) return null;
      continue;
    }
    const r = q / p;
    if (p < 0) from = Math.max(from, r);
    else to = Math.min(to, r);
    if (from > to) return null;
  }
  return [
    [a[0] + from * dx, a[1] + from * dy],
    [a[0] + to * dx, a[1] + to * dy],
  ];
}

/** Twice the enclosed area in square degrees, always positive. */
export function area(ring) {
  let sum = 0;
  for (let i = 0, j = ring.length - 1; i < ring.length; j = i++) {
    sum += ring[j][0] * ring[i][1] - ring[i][0] * ring[j][1];
  }
  return Math.abs(sum);
}

/** Drops points that lie closer than tolerance (degrees) to the line through their neighbours (Douglas-Peucker). */
export function simplify(points, tolerance) {
  if (points.length < 4) return points;
  const keep = new Uint8Array(points.length);
  keep[0] = keep[points.length - 1] = 1;
  const stack = [[0, points.length - 1]];
  while (stack.length > 0) {
    const [from, to] = stack.pop();
    let far = 0;
    let at = -1;
    for (let i = from + 1; i < to; i++) {
      const d = distanceToSegment(points[i], points[from], points[to]);
      if (d > far) [far, at] = [d, i];
    }
    if (far > tolerance) {
      keep[at] = 1;
      stack.push([from, at], [at, to]);
    }
  }
  return points.filter((_, i) => keep[i]);
}

function distanceToSegment(p, a, b) {
  const dx = b[0] - a[0];
  const dy = b[1] - a[1];
  const length = dx * dx + dy * dy;
  const t = length === 0 ? 0 : Math.max(0, Math.min(1, ((p[0] - a[0]) * dx + (p[1] - a[1]) * dy) / length));
  return Math.hypot(p[0] - a[0] - t * dx, p[1] - a[1] - t * dy);
}

/** Whole steps of 1/scale degrees from the origin, each point relative to the one before: small numbers compress well. */
export function pack(points, [x0, y0], scale) {
  const out = [];
  let px = 0;
  let py = 0;
  for (const [lng, lat] of points) {
    const x = Math.round((lng - x0) * scale);
    const y = Math.round((lat - y0) * scale);
    if (out.length > 0 && x === px && y === py) continue;
    out.push(x - px, y - py);
    [px, py] = [x, y];
  }
  return out;
}

export function bounds(points) {
  const box = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    box[0] = Math.min(box[0], x);
    box[1] = Math.min(box[1], y);
    box[2] = Math.max(box[2], x);
    box[3] = Math.max(box[3], y);
  }
  return box;
}

export function overlaps(a, b) {
  return a[0] <= b[2] && a[2] >= b[0] && a[1] <= b[3] && a[3] >= b[1];
}

const same = (a, b) => a[0] === b[0] && a[1] === b[1];
const crossX = (a, b, x) => [x, a[1] + ((b[1] - a[1]) * (x - a[0])) / (b[0] - a[0])];
const crossY = (a, b, y) => [a[0] + ((b[0] - a[0]) * (y - a[1])) / (b[1] - a[1]), y];
