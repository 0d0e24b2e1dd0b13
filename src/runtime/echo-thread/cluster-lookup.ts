// Names → addresses as a pod of the cluster sees them, for echo programs that dial out: the cluster's DNS
// with the pod's search domains first, then the system. What preload.cjs does for other programs.

import { lookup as systemLookup, promises } from 'node:dns';
import { isIP } from 'node:net';
import type { LookupFunction } from 'node:net';
import { callbackify } from 'node:util';

export interface ClusterDns {
  /** As `127.96.0.10:53`. */
  readonly server: string;
  /** The pod's search domains, its own namespace first. */
  readonly search: readonly string[];
}

const TIMEOUT_MS = 1000;

/** A lookup function for sockets. */
export function clusterLookup({ server, search }: ClusterDns): LookupFunction {
  const resolver = new promises.Resolver({ timeout: TIMEOUT_MS, tries: 1 });
  resolver.setServers([server]);

  async function ask(name: string): Promise<readonly string[]> {
    const complete = search.some((domain) => name.endsWith(`.${domain}`));
    const candidates = search.map((domain) => `${name}.${domain}`);
    for (const candidate of complete ? [name, ...candidates] : candidates) {
      try {
        return await resolver.resolve4(candidate);
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // A server that does not answer will not answer the next question either.
        if (code === 'ETIMEOUT' || code === 'ECONNREFUSED') return [];
      }
    }
    return [];
  }

  // Not a promise: what the socket does in its callback is no business of a promise's.
  const askThen = callbackify(ask);
  return (name, options, callback) => {
    if (isIP(name) !== 0 || name === 'localhost' || options.family === 6) {
      systemLookup(name, options, callback);
      return;
    }
    askThen(name, (_error, addresses) => {
      const [first] = addresses;
      if (first === undefined) systemLookup(name, options, callback);
      else if (options.all !== true) callback(null, first, 4);
      else {
        const all = addresses.map((address) => ({ address, family: 4 }));
        callback(null, all);
      }
    });
  };
}
