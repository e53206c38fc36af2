/** A sentence, or its forms by number. `{name}` stands for a value; `#` in a plural for the number. */
export type Message = string | { one: string; other: string };

type Names<S extends string> = S extends `${string}{${infer N}}${infer Rest}` ? N | Names<Rest> : never;

/** The values a message needs, read off its text: forgetting one does not compile. */
export type Values<M> = M extends string
  ? { [N in Names<M>]: string | number }
  : M extends { one: infer A extends string; other: infer B extends string }
    ? { count: number } & { [N in Names<A> | Names<B>]: string | number }
    : never;

/** Fills a message in the rules of a language. */
export function fill(message: Message, locale: string, values: Record<string, string | number> = {}): string {
  const text = typeof message === 'string' ? message : pick(message, locale, Number(values.count));
  return text.replace(/\{(\w+)\}/g, (whole, name: string) => (name in values ? String(values[name]) : whole));
}

function pick(message: { one: string; other: string }, locale: string, count: number): string {
  const form = new Intl.PluralRules(locale).select(count) === 'one' ? message.one : message.other;
  return form.replace('#', new Intl.NumberFormat(locale).format(count));
}
