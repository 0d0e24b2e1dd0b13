// A whole data path for tests, with threads and sockets: one Gateway at an address of the test's own, a
// rule for each path, and backends by the ports they listen on.

import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { DEFAULT_PATH_POLICY } from '../../../lib/http-path.ts';
import { lower } from '../../../lower/view.ts';
import type {
  Action,
  Backend,
  Certificate,
  ClientValidation,
  Endpoint,
  EntryPoint,
  Listener,
  Model,
  Rule,
} from '../../../model/model.ts';
import { compileProxy } from '../compile.ts';
import { DEFAULT_LIMITS } from '../datapath/limits.ts';
import type { Limits } from '../datapath/limits.ts';
import { Proxy } from '../proxy.ts';
import type { ProxyOptions } from '../proxy.ts';

export const ORIGIN = { kind: 'HTTPRoute', namespace: 'n', name: 'r', field: '' };
const PATIENCE_MS = 20_000;

export interface RigRule {
  readonly path: string;
  /** Key of the backend; absent answers 200 here. */
  readonly backend: string;
  readonly hostname?: string;
  readonly filters?: Action['filters'];
  readonly policy?: Pick<Action, 'timeouts' | 'retry' | 'session'>;
}

export interface RigPort {
  readonly port: number;
  readonly protocol: EntryPoint['protocol'];
  readonly rules?: readonly RigRule[];
  readonly certificates?: readonly string[];
  readonly clientValidation?: ClientValidation;
  /** Hands connections on to that backend. */
  readonly stream?: { readonly mode: 'passthrough' | 'plain'; readonly backend: string };
}

/** A model of one Gateway at `address`. */
export function modelOf(
  address: string,
  ports: readonly RigPort[],
  backends: readonly Backend[],
  certificates: readonly Certificate[] = [],
): Model {
  return {
    entryPoints: ports.map((port) => entryPoint(address, port)),
    backends: new Map(backends.map((b) => [b.key, b])),
    certificates: new Map(certificates.map((c) => [c.key, c])),
    services: [],
  };
}

function entryPoint(address: string, options: RigPort): EntryPoint {
  const { port, protocol, rules = [], certificates = [], clientValidation, stream } = options;
  const hostnames = [...new Set(rules.map((rule) => rule.hostname ?? ''))];
  const listener: Listener = {
    id: `n/g/${port}`,
    name: String(port),
    hostname: '',
    certificates,
    hosts: hostnames.map((hostname) => ({
      hostname,
      rules: rules.filter((rule) => (rule.hostname ?? '') === hostname).map(ruleOf),
    })),
    ...(stream === undefined ? {} : { stream: streamOf(stream) }),
    origin: ORIGIN,
  };
  return {
    id: `n/g:${port}`,
    gateway: 'n/g',
    addresses: [address],
    port,
    protocol,
    ...(clientValidation === undefined ? {} : { clientValidation }),
    listeners: [listener],
  };
}

function streamOf({
  mode,
  backend,
}: NonNullable<RigPort['stream']>): NonNullable<Listener['stream']> {
  const share = { backend, weight: 1, origin: ORIGIN };
  return { mode, hosts: [{ hostname: '', rule: { id: 's', backends: [share], origin: ORIGIN } }] };
}

function ruleOf({ path, backend, filters = [], policy = {} }: RigRule): Rule {
  return {
    match: { path: { kind: 'prefix', value: path }, headers: [], queryParams: [] },
    action: {
      id: path,
      filters,
      result: { kind: 'forward', backends: [{ backend, weight: 1, filters: [], origin: ORIGIN }] },
      ...policy,
      origin: ORIGIN,
    },
    origin: ORIGIN,
  };
}

/** A backend on loopback; ports marked `draining` are about to end. */
export function backendOf(
  key: string,
  protocol: Backend['protocol'],
  ports: readonly number[],
  { draining = [], ...rest }: Partial<Backend> & { readonly draining?: readonly number[] } = {},
): Backend {
  const endpoint = (port: number, ready: boolean): Endpoint => ({
    address: '127.0.0.1',
    port,
    ready,
    serving: true,
    terminating: !ready,
    node: '',
    zone: '',
    target: '',
  });
  const endpoints = [
    ...ports.map((port) => endpoint(port, true)),
    ...draining.map((port) => endpoint(port, false)),
  ];
  return { key, protocol, endpoints, origin: ORIGIN, ...rest };
}

export interface RigOptions extends Partial<Omit<ProxyOptions, 'limits'>> {
  readonly limits?: Partial<Limits>;
}

/** A proxy with everything at its default but what the test says. */
export function newProxy({ limits = {}, ...rest }: RigOptions = {}): Proxy {
  return new Proxy({
    workers: 1,
    pathPolicy: DEFAULT_PATH_POLICY,
    explains: false,
    bindings: { firstOpenPort: 0, localhostOffset: null },
    servedPort: (_service, port) => port,
    nodePortAddresses: [],
    ...rest,
    limits: { ...DEFAULT_LIMITS, ...limits },
  });
}

/** Puts a model in force; throws when an address cannot be opened. */
export async function serve(proxy: Proxy, model: Model): Promise<void> {
  const { rejected } = await proxy.apply(compileProxy(lower(model, 'node')));
  if (rejected.length > 0) throw new Error(JSON.stringify(rejected));
}

export async function until(
  condition: () => boolean | Promise<boolean>,
  what: string,
): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`waited for ${what}`);
    await delay(5);
  }
}

/** Listens on a free port of loopback, and gives it. */
export async function listenAny(server: {
  listen(port: number, host: string, done: () => void): unknown;
  address(): unknown;
}): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}
