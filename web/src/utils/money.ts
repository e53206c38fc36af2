/**
 * Money is counted in whole cents here and only here becomes text. The API's numbers have two
 * places, and 45.99 has no exact binary form: rounding once at the border keeps every sum exact.
 */

export function toCents(amount: number): number {
  return Math.round(amount * 100);
}

/** The number the API takes for an amount in cents. */
export function fromCents(cents: number): number {
  return cents / 100;
}

/** `4599` → `$45.99`, in the reader's language. All three countries write their currency with $. */
export function formatCents(cents: number, locale: string): string {
  return new Intl.NumberFormat(locale, {
    style: 'currency',
    currency: 'USD',
    currencyDisplay: 'narrowSymbol',
  }).format(cents / 100);
}

/**
 * What a person typed as a price, in cents, or null. Both `12.50` and `12,50` count, because the
 * decimal mark depends on where one learned to write.
 */
export function parsePrice(text: string): number | null {
  const match = /^\s*(\d{1,7})(?:[.,](\d{1,2}))?\s*$/.exec(text);
  if (!match) return null;
  return Number(match[1]) * 100 + Number((match[2] ?? '').padEnd(2, '0'));
}
