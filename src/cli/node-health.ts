// What others ask a node over HTTP: whether the proxy is well, what it has counted, and, for load
// balancers, whether a Service has endpoints here.

import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import { hostname } from 'node:os';
import { joinHostPort } from '../lib/cidr.ts';
import { FairwayError } from '../lib/errors.ts';
import type { PacketView, PortView } from '../lower/packets.ts';
import type { NodeLoop } from '../pipeline/node-loop.ts';
import type { ServiceWarning } from './node-events.ts';

/** Serves /healthz, /livez and /metrics. Rejects when it cannot listen. */
export async function serveHealth(loop: NodeLoop, address: string, port: number): Promise<Server> {
  try {
    return await listen(address, port, answerHealth(loop));
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const at = joinHostPort(address, port);
    const why = code === 'EADDRINUSE' ? 'somebody else has the port' : message;
    throw new FairwayError(
      'FW_HEALTH_UNAVAILABLE',
      `cannot answer health checks at ${at}: ${why}`,
      {
        hint: 'stop who has it (kube-proxy does when it runs here), or choose another --health-port, 0 for none',
        cause: error,
      },
    );
  }
}

function answerHealth(loop: NodeLoop): RequestListener {
  return (request, response) => {
    const path = new URL(request.url ?? '/', 'http://node').pathname;
    if (path === '/metrics') {
      response.setHeader('Content-Type', loop.metrics.contentType);
      void loop.metrics.text().then((text) => response.end(text));
      return;
    }
    if (path !== '/healthz' && path !== '/livez') {
      response.statusCode = 404;
      response.end();
      return;
    }
    const isLive = path === '/livez';
    const isWell = isLive ? loop.isLive() : loop.isHealthy();
    response.statusCode = isWell ? 200 : 503;
    loop.metrics.asked(isLive ? 'livez' : 'healthz', response.statusCode);
    response.setHeader('Content-Type', 'application/json');
    response.setHeader('X-Content-Type-Options', 'nosniff');
    const currentTime = new Date().toISOString();
    // Nothing that waits is as good as just written.
    const lastUpdated = loop.isLive() ? currentTime : new Date(loop.lastSyncMs).toISOString();
    const eligible = isLive ? {} : { nodeEligible: loop.isEligible() };
    response.end(JSON.stringify({ lastUpdated, currentTime, ...eligible }));
  };
}

/** The ports where load balancers ask for endpoints of this node; they come and go with Services. */
export class HealthCheckPorts {
  readonly #addresses: readonly string[];
  readonly #isHealthy: () => boolean;
  readonly #onTrouble: (trouble: ServiceWarning) => void;
  /** By port and address. A port that is being opened, or that somebody else has, has none yet. */
  readonly #servers = new Map<number, Map<string, Server>>();
  readonly #opening = new Set<number>();
  /** Said once, and tried again with every round. */
  readonly #complained = new Set<string>();
  #ports: ReadonlyMap<number, PortView> = new Map();

  constructor(
    addresses: readonly string[],
    isHealthy: () => boolean,
    onTrouble: (trouble: ServiceWarning) => void,
  ) {
    this.#addresses = addresses;
    this.#isHealthy = isHealthy;
    this.#onTrouble = onTrouble;
  }

  update(view: PacketView): void {
    const wanted = new Map<number, PortView>();
    for (const { ports } of view.families) {
      for (const port of ports) {
        const number = port.healthCheckNodePort;
        if (number > 0 && (wanted.get(number)?.localReady ?? 0) <= port.localReady) {
          wanted.set(number, port);
        }
      }
    }
    this.#ports = wanted;
    for (const [number, servers] of this.#servers) {
      if (wanted.has(number)) continue;
      for (const server of servers.values()) server.close();
      this.#servers.delete(number);
      for (const address of this.#addresses) this.#complained.delete(joinHostPort(address, number));
    }
    for (const number of wanted.keys()) {
      const isWhole = this.#servers.get(number)?.size === this.#addresses.length;
      if (!isWhole && !this.#opening.has(number)) void this.#open(number);
    }
  }

  stop(): void {
    this.update({ families: [], conflicts: [] });
  }

  async #open(number: number): Promise<void> {
    this.#opening.add(number);
    const servers = this.#servers.get(number) ?? new Map<string, Server>();
    this.#servers.set(number, servers);
    for (const address of this.#addresses) {
      if (servers.has(address)) continue;
      try {
        servers.set(address, await listen(address, number, this.#answer(number)));
        this.#complained.delete(joinHostPort(address, number));
      } catch (error) {
        this.#complain(address, number, error as NodeJS.ErrnoException);
      }
    }
    this.#opening.delete(number);
    if (this.#servers.get(number) === servers) return;
    // Nobody wants it any more.
    for (const server of servers.values()) server.close();
  }

  #complain(address: string, number: number, error: NodeJS.ErrnoException): void {
    const at = joinHostPort(address, number);
    if (this.#complained.has(at)) return;
    this.#complained.add(at);
    const [namespace = '', name = ''] = (this.#ports.get(number)?.service ?? '').split('/');
    const why = error.code === 'EADDRINUSE' ? 'somebody else has the port' : error.message;
    this.#onTrouble({
      namespace,
      name,
      reason: 'FailedToStartServiceHealthcheck',
      message: `node ${hostname()} cannot answer health checks at ${at}: ${why}`,
    });
  }

  #answer(number: number): RequestListener {
    return (_request, response) => {
      const port = this.#ports.get(number);
      const [namespace = '', name = ''] = (port?.service ?? '').split('/');
      const localEndpoints = port?.localReady ?? 0;
      const serviceProxyHealthy = this.#isHealthy();
      response.statusCode = localEndpoints > 0 && serviceProxyHealthy ? 200 : 503;
      response.setHeader('Content-Type', 'application/json');
      response.setHeader('X-Content-Type-Options', 'nosniff');
      response.setHeader('X-Load-Balancing-Endpoint-Weight', String(localEndpoints));
      response.end(
        JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }),
      );
    };
  }
}

function listen(address: string, port: number, listener: RequestListener): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer(listener);
    server.once('error', reject);
    server.listen({ host: address, port }, () => resolve(server));
  });
}
