// ssl-passthrough: connections for a host go on to its backend as they are.

import type { Listener } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { BackendUse } from '../gateway/backends.ts';
import { problem } from '../status/conditions.ts';
import { resolveIngressBackend } from './backends.ts';
import { patternOf } from './nginx/rules.ts';
import type { IngressProblem, NginxServer } from './nginx/servers.ts';

/** The backend of `/` gets the connections; without one the annotation has no effect. */
export function passthroughListener(
  server: NginxServer,
  controller: string,
  snapshot: Snapshot,
  externalNames: boolean,
): { readonly listener: Listener; readonly use: BackendUse } | IngressProblem {
  const hostname = patternOf(server.hostname);
  const location = server.locations.find((l) => l.path === '/' && l.backend !== null);
  const backend = location?.backend ?? null;
  const ingress = server.ingresses[0]!;
  const field = 'metadata.annotations[nginx.ingress.kubernetes.io/ssl-passthrough]';
  if (location === undefined || backend === null) {
    const message = `connections for ${server.hostname} do not go through: it has no backend for path /`;
    return { ingress, problem: problem('NoPassthrough', field, message, 'add path /') };
  }
  const rules = { takesTargetPorts: true, externalNames };
  const resolved = resolveIngressBackend(backend.ref, backend.origin, snapshot, rules);
  if ('problem' in resolved) return { ingress, problem: resolved.problem };
  const use: BackendUse = { ...resolved.use, key: `${resolved.use.key}/TCP`, carries: 'streams' };
  const { origin } = location;
  return {
    use,
    listener: {
      id: `${controller}/tls-${hostname}`,
      name: `tls-${hostname}`,
      hostname,
      certificates: [],
      hosts: [],
      stream: {
        mode: 'passthrough',
        hosts: [
          {
            hostname,
            rule: {
              id: `Ingress ${origin.namespace}/${origin.name} passthrough`,
              backends: [{ backend: use.key, weight: 1, origin }],
              origin,
            },
          },
        ],
      },
      origin,
    },
  };
}
