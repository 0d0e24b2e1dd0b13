// The cells of Endpoints in `kubectl get`.

import { CELL_ITEMS_MAX, firstOf } from './columns.ts';
import type { Endpoints } from './endpoints.ts';

/** `10.0.0.1:80,10.0.0.2:80,10.0.0.3:80 + 4 more...`; addresses alone where there are no ports. */
export function endpointsColumn({ subsets = [] }: Endpoints): string | undefined {
  const shown: string[] = [];
  let count = 0;
  for (const { addresses = [], ports = [] } of subsets) {
    const suffixes = ports.length === 0 ? [undefined] : ports.map((port) => port.port);
    for (const port of suffixes) {
      count += addresses.length;
      for (const { ip } of addresses.slice(0, CELL_ITEMS_MAX - shown.length)) {
        shown.push(port === undefined ? ip : joinHostPort(ip, port));
      }
    }
  }
  // Subsets without ready addresses are something, though nothing is to be shown.
  return firstOf(shown, count) ?? (subsets.length > 0 ? '' : undefined);
}

function joinHostPort(host: string, port: number): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
