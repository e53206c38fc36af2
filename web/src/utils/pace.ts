/**
 * Spreads requests so that one page does not run into the edge's limit per address (10 a second):
 * waiting a moment here costs less than being refused there. A burst passes at once.
 */
export class Pace {
  readonly #perSecond: number;
  readonly #burst: number;
  readonly #now: () => number;
  /** When all turns taken so far would be over at an even pace (GCRA's theoretical arrival time). */
  #next = 0;

  constructor(perSecond: number, burst: number, now: () => number = () => performance.now()) {
    this.#perSecond = perSecond;
    this.#burst = burst;
    this.#now = now;
  }

  /** Milliseconds to wait before sending; the turn is taken. */
  take(): number {
    const now = this.#now();
    const interval = 1000 / this.#perSecond;
    const slack = interval * (this.#burst - 1);
    const turn = Math.max(this.#next, now);
    this.#next = turn + interval;
    return Math.max(0, turn - slack - now);
  }
}
