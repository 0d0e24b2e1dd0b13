// A model with the hosts alone that can have a say in requests for one host: answering from it takes no
// longer where there are thousands of others.

import { hostMatches } from '../../lib/hostname.ts';
import type { Backend, Model, Rule } from '../../model/model.ts';

/** `host` is normalized. */
export function focusOn(model: Model, host: string, port: number): Model {
  const entryPoints = model.entryPoints
    .filter((entryPoint) => entryPoint.port === port)
    .map((entryPoint) => ({
      ...entryPoint,
      listeners: entryPoint.listeners
        .filter((l) => hostMatches(l.hostname, host))
        .map((l) => ({ ...l, hosts: l.hosts.filter((h) => hostMatches(h.hostname, host)) })),
    }));
  const backends = new Map<string, Backend>();
  for (const { listeners } of entryPoints) {
    for (const { hosts } of listeners) {
      for (const { rules } of hosts) {
        for (const key of rules.flatMap(backendsOf)) {
          const backend = model.backends.get(key);
          if (backend !== undefined) backends.set(key, backend);
        }
      }
    }
  }
  return { ...model, entryPoints, backends, services: [] };
}

function backendsOf({ action: { result, filters, errorPages } }: Rule): readonly string[] {
  const weighted = result.kind === 'forward' ? result.backends : [];
  return [
    ...weighted.flatMap(({ backend }) => (backend === null ? [] : [backend])),
    ...[...filters, ...weighted.flatMap((b) => b.filters)].flatMap((filter) =>
      filter.kind === 'mirror' || filter.kind === 'auth' ? [filter.backend] : [],
    ),
    ...(errorPages === undefined ? [] : [errorPages.backend]),
  ];
}
