// `fairway.dev/address: "localhost:3000"` on a Service: processes that already run stand in for its pods,
// so that a developer can debug one Service of many in an editor. Every port of the Service leads there.

import type { Service } from '../../api/core/service.ts';
import { parseIPv4 } from '../../lib/ipv4.ts';

export const ADDRESS_ANNOTATION = 'fairway.dev/address';

export interface StandIn {
  /** An IPv4 address. */
  readonly address: string;
  readonly port: number;
}

export type ServiceAddress =
  /** The Service has no such annotation. */
  | { readonly type: 'none' }
  | { readonly type: 'standIns'; readonly standIns: readonly StandIn[] }
  /** What is wrong with it, as the end of a sentence. The annotation then has no effect. */
  | { readonly type: 'bad'; readonly why: string };

/** What stands in for the pods of a Service: `host:port`, or several with commas between them. */
export function serviceAddressOf({ metadata }: Service): ServiceAddress {
  const text = metadata.annotations?.[ADDRESS_ANNOTATION];
  if (text === undefined) return { type: 'none' };
  const standIns: StandIn[] = [];
  for (const item of text.split(',')) {
    const parsed = parseStandIn(item.trim());
    if (typeof parsed === 'string') return { type: 'bad', why: parsed };
    standIns.push(parsed);
  }
  return { type: 'standIns', standIns };
}

/** A list item, or what is wrong with it. */
function parseStandIn(item: string): StandIn | string {
  const shown = JSON.stringify(item);
  const match = /^([^:]*):(\d{1,6})$/.exec(item);
  if (match === null) return `${shown} is not of the form host:port, as localhost:3000`;
  const [, host = '', digits = ''] = match;
  const port = Number(digits);
  if (port < 1 || port > 65_535) return `${shown} has no port from 1 to 65535`;
  const address = host.toLowerCase() === 'localhost' ? '127.0.0.1' : host;
  if (parseIPv4(address) === undefined) {
    return `${shown} does not begin with localhost or an IPv4 address`;
  }
  return { address, port };
}
