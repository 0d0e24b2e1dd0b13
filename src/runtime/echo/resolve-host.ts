// A host name to one IPv4 address, by the pod's resolver where there is one: for UDP, whose sockets take a lookup of
// another shape than TCP's.

import { lookup as systemLookup } from 'node:dns';
import net, { type LookupFunction } from 'node:net';

/** Rejects with the resolver's error. Addresses are returned as they are. */
export function resolveHost(host: string, lookup: LookupFunction = systemLookup): Promise<string> {
  if (net.isIP(host) !== 0) return Promise.resolve(host);
  return new Promise((resolve, reject) => {
    lookup(host, { family: 4 }, (error, address) => {
      const found = Array.isArray(address) ? address[0]?.address : address;
      if (error) reject(error);
      else if (found === undefined) reject(new Error(`no address for ${host}`));
      else resolve(found);
    });
  });
}
