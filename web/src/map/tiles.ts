import type { Frame } from './clip';

/** Street tiles from MAP_TILES_URL (`https://…/{z}/{x}/{y}.png`), when an operator has switched them on. */
export class TileLayer {
  readonly #url: string;
  readonly #onLoad: () => void;
  readonly #images = new Map<string, HTMLImageElement>();

  constructor(url: string, onLoad: () => void) {
    this.#url = url;
    this.#onLoad = onLoad;
  }

  /** Draws what has arrived; false while not one tile of the view has, so that outlines stand in. */
  paint(ctx: CanvasRenderingContext2D, frame: Frame, zoom: number): boolean {
    const z = Math.round(zoom);
    const count = 2 ** z;
    const size = frame.scale / count;
    let drawn = 0;
    for (let x = Math.floor(frame.x * count); x * size < frame.x * frame.scale + frame.width; x++) {
      for (let y = Math.floor(frame.y * count); y * size < frame.y * frame.scale + frame.height; y++) {
        if (x < 0 || y < 0 || x >= count || y >= count) continue;
        const image = this.#tile(z, x, y);
        if (!image.complete || image.naturalWidth === 0) continue;
        // One pixel more hides the seams that rounding leaves between tiles.
        ctx.drawImage(image, x * size - frame.x * frame.scale, y * size - frame.y * frame.scale, size + 1, size + 1);
        drawn++;
      }
    }
    return drawn > 0;
  }

  #tile(z: number, x: number, y: number): HTMLImageElement {
    const url = this.#url.replace('{z}', String(z)).replace('{x}', String(x)).replace('{y}', String(y));
    const known = this.#images.get(url);
    if (known) return known;
    const image = new Image();
    image.onload = this.#onLoad;
    image.src = url;
    this.#images.set(url, image);
    // A long pan must not keep every tile of a country.
    if (this.#images.size > 300) this.#images.delete(this.#images.keys().next().value as string);
    return image;
  }
}
