import type { Shape } from './outlines';

/**
 * Screen coordinates near a city reach millions of pixels for a shore that runs along a coast, and
 * a canvas draws such numbers wrongly (it computes in 32 bits). So shapes are cut to the view first.
 */

export interface Frame {
  /** World coordinates of the view's left top corner, and pixels per world unit. */
  x: number;
  y: number;
  scale: number;
  width: number;
  height: number;
}

const MARGIN = 8;

/** A ring in pixels, cut to the frame (Sutherland-Hodgman); empty when nothing is in view. */
export function clipRing(shape: Shape, frame: Frame): number[] {
  let points: number[] = [];
  for (let i = 0; i + 1 < shape.points.length; i += 2) {
    points.push(
      ((shape.points[i] as number) - frame.x) * frame.scale,
      ((shape.points[i + 1] as number) - frame.y) * frame.scale,
    );
  }
  points = cut(points, 0, -MARGIN, 1);
  points = cut(points, 0, frame.width + MARGIN, -1);
  points = cut(points, 1, -MARGIN, 1);
  return cut(points, 1, frame.height + MARGIN, -1);
}

// Keeps what lies on the side of `limit` that `sign` names, along one axis.
function cut(points: number[], axis: 0 | 1, limit: number, sign: 1 | -1): number[] {
  const out: number[] = [];
  const count = points.length;
  for (let i = 0; i < count; i += 2) {
    const p = (i + count - 2) % count;
    const [fx, fy, tx, ty] = [
      points[p] as number,
      points[p + 1] as number,
      points[i] as number,
      points[i + 1] as number,
    ];
    const from = (axis === 0 ? fx : fy) * sign >= limit * sign;
    const to = (axis === 0 ? tx : ty) * sign >= limit * sign;
    if (from !== to) {
      const t = axis === 0 ? (limit - fx) / (tx - fx) : (limit - fy) / (ty - fy);
      out.push(fx + (tx - fx) * t, fy + (ty - fy) * t);
    }
    if (to) out.push(tx, ty);
  }
  return out;
}

/** Calls `draw` with each part of a line that may be seen, in pixels. Parts are whole segments near the frame. */
export function eachVisible(
  shape: Shape,
  frame: Frame,
  closed: boolean,
  draw: (x1: number, y1: number, x2: number, y2: number, i: number) => void,
): void {
  const { points } = shape;
  const count = points.length;
  const start = closed ? 0 : 2;
  for (let i = start; i < count; i += 2) {
    const p = (i + count - 2) % count;
    const x1 = ((points[p] as number) - frame.x) * frame.scale;
    const y1 = ((points[p + 1] as number) - frame.y) * frame.scale;
    const x2 = ((points[i] as number) - frame.x) * frame.scale;
    const y2 = ((points[i + 1] as number) - frame.y) * frame.scale;
    if (Math.max(x1, x2) < -MARGIN || Math.min(x1, x2) > frame.width + MARGIN) continue;
    if (Math.max(y1, y2) < -MARGIN || Math.min(y1, y2) > frame.height + MARGIN) continue;
    draw(x1, y1, x2, y2, i);
  }
}
