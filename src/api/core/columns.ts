// How `kubectl get` writes times and long lists.

const SECOND_MS = 1000;

/** The age of an RFC 3339 time, as `5m30s`; undefined when there is none. `nowMs` is the clock. */
export function ageOf(time: string | undefined, nowMs: number): string | undefined {
  const thenMs = time === undefined ? Number.NaN : Date.parse(time);
  return Number.isNaN(thenMs) ? undefined : humanDuration(nowMs - thenMs);
}

/** A duration with two or three digits that count: `90s`, `5m30s`, `3h20m`, `47h`, `5d3h`, `3y20d`. */
export function humanDuration(durationMs: number): string {
  const seconds = Math.trunc(durationMs / SECOND_MS);
  // Clocks differ: up to two seconds in the future still count as now.
  if (seconds < -1) return '<invalid>';
  if (seconds < 0) return '0s';
  if (seconds < 120) return `${seconds}s`;
  const minutes = Math.trunc(seconds / 60);
  if (minutes < 10) return pair(minutes, 'm', seconds % 60, 's');
  if (minutes < 180) return `${minutes}m`;
  const hours = Math.trunc(minutes / 60);
  if (hours < 8) return pair(hours, 'h', minutes % 60, 'm');
  if (hours < 48) return `${hours}h`;
  const days = Math.trunc(hours / 24);
  if (days < 8) return pair(days, 'd', hours % 24, 'h');
  if (days < 2 * 365) return `${days}d`;
  const years = Math.trunc(days / 365);
  return years < 8 ? pair(years, 'y', days % 365, 'd') : `${years}y`;
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large}${largeUnit}` : `${large}${largeUnit}${small}${smallUnit}`;
}

/** Items a cell shows at most. */
export const CELL_ITEMS_MAX = 3;

/** `a,b,c + 2 more...`; `count` is the number of all items. Undefined when there are none. */
export function firstOf(items: readonly string[], count = items.length): string | undefined {
  if (items.length === 0) return undefined;
  const shown = items.slice(0, CELL_ITEMS_MAX).join(',');
  return count > CELL_ITEMS_MAX ? `${shown} + ${count - CELL_ITEMS_MAX} more...` : shown;
}

/** `app=web,tier=front`, by key; undefined for no labels. */
export function formatLabels(
  labels: Readonly<Record<string, string>> | undefined,
): string | undefined {
  if (labels === undefined) return undefined;
  const text = Object.keys(labels)
    .toSorted()
    .map((key) => `${key}=${labels[key]}`)
    .join(',');
  return text === '' ? undefined : text;
}

/** Addresses of a load balancer, each once, sorted; '' when there are none. */
export function formatLoadBalancer(
  ingress: readonly { readonly ip?: string; readonly hostname?: string }[] = [],
): string {
  const addresses = new Set<string>();
  for (const { ip = '', hostname = '' } of ingress) {
    const address = ip === '' ? hostname : ip;
    if (address !== '') addresses.add(address);
  }
  return [...addresses].toSorted().join(',');
}
