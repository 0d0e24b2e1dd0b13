// What relays of Services in user space could not open → what it means for each port of a Service.

import type { Rejection } from '../targets/target.ts';

/** The id of a relay is that of its port, its kind and its place: `shop/cart:80/TCP|clusterIP|10.96.0.1:80`. */
const SEPARATOR = '|';

/** Gives each port of a Service once, with every place that could not be opened. */
export function rejectedPorts(rejected: readonly Rejection[]): readonly Rejection[] {
  const byPort = Map.groupBy(rejected, ({ id }) => id.split(SEPARATOR)[0] ?? id);
  return [...byPort].map(([id, all]) => {
    const places = all.map(({ id: relay, message }) => {
      const [, kind = '', place = ''] = relay.split(SEPARATOR);
      return `${kind} ${place} (${message})`;
    });
    const message = `Service ${id} is not wholly in force: cannot open ${places.join(', ')}`;
    const [{ reason, hint } = { reason: 'PortUnavailable', hint: undefined }] = all;
    return { id, reason, message, ...(hint === undefined ? {} : { hint }) };
  });
}
