import type { Frame } from './clip';
import {
  type Camera,
  fitted,
  fromScreen,
  type LngLat,
  MAX_ZOOM,
  metersPerPixel,
  panned,
  type Size,
  toScreen,
  toWorld,
  worldScale,
  type XY,
  zoomedAt,
} from './mercator';
import { cellsOf, loadCell, loadOverview, loadPlaces, type Outlines, type Place } from './outlines';
import { type Palette, paintGrid, paintLand, paintNames, paintOutlines, paintTowns, readPalette } from './paint';
import { TileLayer } from './tiles';

/** A line on the map. `route` is dashed (the way still to go, as the crow flies), `trail` is what was ridden. */
export interface MapLine {
  kind: 'route' | 'trail';
  points: LngLat[];
}

/** Detail squares are fine enough from here on; further out they would be dozens. */
const DETAIL_ZOOM = 7.5;
/** Pixels a fitted view keeps free around what it shows, at least. */
const PADDING = 72;
/** Nearer than this a view may hold no shore at all. */
const GRID_ZOOM = 11;

/**
 * Draws the map on a canvas and holds the camera. Markers are HTML elements above the canvas that
 * follow `onCamera`, so that they can have names, focus and smooth motion of their own.
 * Draws only when something changed, at most once a frame.
 */
export class MapEngine {
  readonly #canvas: HTMLCanvasElement;
  readonly #listeners = new Set<() => void>();
  readonly #cells = new Map<string, Outlines>();
  readonly #tiles: TileLayer | null;
  #size: Size = { width: 0, height: 0 };
  #camera: Camera = { center: { lng: -98, lat: 40 }, zoom: 3 };
  #overview: Outlines | null = null;
  #places: Place[] = [];
  #lines: readonly MapLine[] = [];
  #palette: Palette;
  #frame = 0;
  #closed = false;

  constructor(canvas: HTMLCanvasElement, tilesUrl: string | null) {
    this.#canvas = canvas;
    this.#palette = readPalette(canvas);
    this.#tiles = tilesUrl ? new TileLayer(tilesUrl, () => this.redraw()) : null;
    const keep = (take: () => void) => {
      if (this.#closed) return;
      take();
      this.redraw();
    };
    // Without outlines the markers still tell the story on a plain ground.
    loadOverview().then((outlines) => keep(() => (this.#overview = outlines)), ignore);
    loadPlaces().then((places) => keep(() => (this.#places = places)), ignore);
  }

  get camera(): Camera {
    return this.#camera;
  }

  get size(): Size {
    return this.#size;
  }

  get lines(): readonly MapLine[] {
    return this.#lines;
  }

  resize(size: Size): void {
    if (size.width === this.#size.width && size.height === this.#size.height) return;
    this.#size = size;
    const ratio = window.devicePixelRatio || 1;
    this.#canvas.width = Math.round(size.width * ratio);
    this.#canvas.height = Math.round(size.height * ratio);
    this.#moved();
  }

  setCamera(camera: Camera): void {
    this.#camera = camera;
    this.#moved();
  }

  setLines(lines: readonly MapLine[]): void {
    this.#lines = lines;
    this.redraw();
  }

  /** Shows all points with room around them: for a pin's height, and for what lies between here and there. */
  fit(points: readonly LngLat[], single = 14): void {
    const padding = Math.max(PADDING, 0.24 * Math.min(this.#size.width, this.#size.height));
    const camera = fitted(points, this.#size, padding, single);
    if (camera) this.setCamera(camera);
  }

  pan(dx: number, dy: number): void {
    this.setCamera(panned(this.#camera, dx, dy, this.#size));
  }

  zoomAt(at: XY, by: number): void {
    this.setCamera(zoomedAt(this.#camera, at, by, this.#size));
  }

  zoomMiddle(by: number): void {
    this.zoomAt({ x: this.#size.width / 2, y: this.#size.height / 2 }, by);
  }

  toScreen(point: LngLat): XY {
    return toScreen(point, this.#camera, this.#size);
  }

  fromScreen(at: XY): LngLat {
    return fromScreen(at, this.#camera, this.#size);
  }

  /** Called after each move of the camera. Returns the way to stop. */
  onCamera(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The theme changed: read the colours again. */
  restyle(): void {
    this.#palette = readPalette(this.#canvas);
    this.redraw();
  }

  redraw(): void {
    if (this.#frame !== 0 || this.#closed) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      this.#paint();
    });
  }

  close(): void {
    this.#closed = true;
    cancelAnimationFrame(this.#frame);
    this.#listeners.clear();
  }

  #moved(): void {
    this.#loadCells();
    for (const listener of this.#listeners) listener();
    this.redraw();
  }

  #loadCells(): void {
    if (this.#camera.zoom < DETAIL_ZOOM || this.#size.width === 0) return;
    const northWest = this.fromScreen({ x: 0, y: 0 });
    const southEast = this.fromScreen({ x: this.#size.width, y: this.#size.height });
    for (const name of cellsOf(northWest.lng, southEast.lat, southEast.lng, northWest.lat)) {
      if (this.#cells.has(name)) continue;
      loadCell(name).then((cell) => {
        if (this.#closed) return;
        this.#cells.set(name, cell);
        this.redraw();
      }, ignore);
    }
  }

  #paint(): void {
    const ctx = this.#canvas.getContext('2d');
    const { width, height } = this.#size;
    if (!ctx || width === 0) return;
    const ratio = this.#canvas.width / width;
    const scale = worldScale(this.#camera.zoom);
    const center = toWorld(this.#camera.center);
    const frame = { x: center.x - width / 2 / scale, y: center.y - height / 2 / scale, scale, width, height };
    ctx.setTransform(ratio, 0, 0, ratio, 0, 0);
    // Beyond the outlines lies the sea.
    ctx.fillStyle = this.#overview ? this.#palette.water : this.#palette.land;
    ctx.fillRect(0, 0, width, height);
    const tiled = this.#tiles?.paint(ctx, frame, Math.min(this.#camera.zoom, MAX_ZOOM)) ?? false;
    if (!tiled) this.#paintGround(ctx, frame);
    this.#paintLines(ctx);
  }

  #paintGround(ctx: CanvasRenderingContext2D, frame: Frame): void {
    const { zoom } = this.#camera;
    if (this.#overview) paintLand(ctx, this.#overview, frame, this.#palette);
    paintTowns(ctx, this.#places, frame, zoom, this.#palette);
    if (this.#overview) paintOutlines(ctx, this.#overview, frame, this.#palette);
    if (zoom >= DETAIL_ZOOM) for (const cell of this.#cells.values()) this.#paintCell(ctx, frame, cell);
    if (zoom >= GRID_ZOOM) paintGrid(ctx, frame, metersPerPixel(this.#camera), this.#palette);
    paintNames(ctx, this.#places, frame, zoom, this.#palette);
  }

  // A detail square replaces the coarse outlines beneath it.
  #paintCell(ctx: CanvasRenderingContext2D, frame: Frame, cell: Outlines): void {
    const left = Math.max(-1, (cell.box.west - frame.x) * frame.scale);
    const top = Math.max(-1, (cell.box.north - frame.y) * frame.scale);
    const right = Math.min(frame.width + 1, (cell.box.east - frame.x) * frame.scale);
    const bottom = Math.min(frame.height + 1, (cell.box.south - frame.y) * frame.scale);
    if (right <= left || bottom <= top) return;
    ctx.save();
    ctx.beginPath();
    ctx.rect(left, top, right - left, bottom - top);
    ctx.clip();
    ctx.fillStyle = this.#palette.land;
    ctx.fillRect(left, top, right - left, bottom - top);
    paintTowns(ctx, this.#places, frame, this.#camera.zoom, this.#palette);
    paintOutlines(ctx, cell, frame, this.#palette);
    ctx.restore();
  }

  #paintLines(ctx: CanvasRenderingContext2D): void {
    ctx.lineCap = 'round';
    ctx.lineJoin = 'round';
    for (const line of this.#lines) {
      ctx.beginPath();
      for (const [i, point] of line.points.entries()) {
        const { x, y } = this.toScreen(point);
        if (i === 0) ctx.moveTo(x, y);
        else ctx.lineTo(x, y);
      }
      ctx.strokeStyle = line.kind === 'route' ? this.#palette.route : this.#palette.trail;
      ctx.lineWidth = line.kind === 'route' ? 3 : 4;
      ctx.setLineDash(line.kind === 'route' ? [1, 8] : []);
      ctx.stroke();
    }
    ctx.setLineDash([]);
  }
}

const ignore = () => undefined;
