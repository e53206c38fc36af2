/**
 * The value of one metric without labels in Prometheus's text format, null when it is not there.
 * The page wants one figure of this edge, not a monitoring system.
 */
export function readMetric(text: string, name: string): number | null {
  const line = text.split('\n').find((row) => row.startsWith(`${name} `));
  const value = Number(line?.slice(name.length + 1).trim());
  return line && Number.isFinite(value) ? value : null;
}
