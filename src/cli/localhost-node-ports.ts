// Node ports on the loopback addresses of a node whose kernel carries everything else: the kernel would have
// to route 127.0.0.1, so they are relayed in user space instead (KEP-6032). Of TCP alone, and only when
// --nodeport-addresses names a loopback network.

import { isIn } from '../lib/cidr.ts';
import { DEFAULT_PATH_POLICY } from '../lib/http-path.ts';
import { lower } from '../lower/view.ts';
import type { Model, ServicePort } from '../model/model.ts';
import type { NodeFacts } from '../model/node.ts';
import { compileProxy } from '../targets/proxy/compile.ts';
import { DEFAULT_LIMITS } from '../targets/proxy/datapath/limits.ts';
import { Proxy } from '../targets/proxy/proxy.ts';
import type { Rejection } from '../targets/target.ts';

const LOOPBACK = ['127.0.0.1', '::1'];
const DRAIN_MS = 5000;

export interface LocalhostNodePorts {
  /** Gives the ports that somebody else has. */
  apply(model: Model): Promise<readonly Rejection[]>;
  stop(): Promise<void>;
}

/** Undefined where nobody asked for it. */
export function localhostNodePorts(facts: NodeFacts): LocalhostNodePorts | undefined {
  const addresses = LOOPBACK.filter((address) => isIn(address, facts.nodePortAddresses));
  if (addresses.length === 0) return undefined;
  const proxy = new Proxy({
    workers: 1,
    limits: DEFAULT_LIMITS,
    pathPolicy: DEFAULT_PATH_POLICY,
    explains: false,
    bindings: { firstOpenPort: 0, localhostOffset: null },
    servedPort: (_service, port) => port,
    nodePortAddresses: addresses,
  });
  return {
    async apply(model) {
      const services = model.services.flatMap((port) => nodePortOf(port) ?? []);
      const only = { ...model, entryPoints: [], backends: new Map(), services };
      return (await proxy.apply(compileProxy(lower(only, facts.name)))).rejected;
    },
    stop: () => proxy.stop(DRAIN_MS),
  };
}

const memo = new WeakMap<ServicePort, ServicePort | null>();

/** The port as its node itself sees it; null when it has no node port of TCP. */
function nodePortOf(port: ServicePort): ServicePort | null {
  let own = memo.get(port);
  if (own === undefined) {
    const frontends = port.frontends.filter(({ kind }) => kind === 'nodePort');
    const isServed = port.protocol === 'TCP' && frontends.length > 0;
    // The node reaches all endpoints, whatever the policy says of others.
    own = isServed ? { ...port, frontends, externalPolicy: 'Cluster' } : null;
    memo.set(port, own);
  }
  return own;
}
