// A proxy at work for tests: rules and backends in, requests by real sockets out.

import { request } from 'node:http';
import { DEFAULT_PATH_POLICY } from '../../../lib/http-path.ts';
import { lower } from '../../../lower/view.ts';
import type { Action, Backend, Model } from '../../../model/model.ts';
import { compileProxy } from '../compile.ts';
import { DEFAULT_LIMITS } from '../datapath/limits.ts';
import type { Limits } from '../datapath/limits.ts';
import { Proxy } from '../proxy.ts';
import type { ProxyOptions } from '../proxy.ts';

export const ORIGIN = { kind: 'HTTPRoute', namespace: 'n', name: 'r', field: '' };

/** A rule for a prefix of paths, with one backend. */
export interface TestRule extends Partial<
  Pick<Action, 'filters' | 'timeouts' | 'retry' | 'session'>
> {
  readonly path: string;
  readonly backend: string;
}

export interface Place {
  readonly address: string;
  readonly port: number;
}

export function modelOf(
  { address, port }: Place,
  rules: readonly TestRule[],
  backends: readonly Backend[],
): Model {
  return {
    entryPoints: [
      {
        id: 'n/g:1',
        gateway: 'n/g',
        addresses: [address],
        port,
        protocol: 'http',
        listeners: [
          {
            id: 'n/g/l',
            name: 'l',
            hostname: '',
            certificates: [],
            hosts: [{ hostname: '', rules: rules.map(ruleOf) }],
            origin: ORIGIN,
          },
        ],
      },
    ],
    backends: new Map(backends.map((b) => [b.key, b])),
    certificates: new Map(),
    services: [],
  };
}

function ruleOf({ path, backend, filters = [], ...policy }: TestRule) {
  return {
    match: { path: { kind: 'prefix' as const, value: path }, headers: [], queryParams: [] },
    action: {
      id: path,
      filters,
      result: {
        kind: 'forward' as const,
        backends: [{ backend, weight: 1, filters: [], origin: ORIGIN }],
      },
      ...policy,
      origin: ORIGIN,
    },
    origin: ORIGIN,
  };
}

export function backendOf(
  key: string,
  protocol: Backend['protocol'],
  ports: readonly number[],
): Backend {
  const endpoints = ports.map((port) => ({
    address: '127.0.0.1',
    port,
    ready: true,
    serving: true,
    terminating: false,
    node: '',
    zone: '',
    target: '',
  }));
  return { key, protocol, endpoints, origin: ORIGIN };
}

/** One worker, so that what it counts is all there is to count. */
export function startProxy(
  options: { readonly limits?: Partial<Limits> } & Partial<Omit<ProxyOptions, 'limits'>> = {},
): Proxy {
  return new Proxy({
    workers: 1,
    pathPolicy: DEFAULT_PATH_POLICY,
    explains: false,
    bindings: { firstOpenPort: 0, localhostOffset: null },
    servedPort: (_, port) => port,
    nodePortAddresses: [],
    ...options,
    limits: { ...DEFAULT_LIMITS, ...options.limits },
  });
}

export async function serve(proxy: Proxy, model: Model): Promise<void> {
  const { rejected } = await proxy.apply(compileProxy(lower(model, 'node')));
  if (rejected.length > 0) throw new Error(rejected.map((r) => r.message).join('; '));
}

export interface Got {
  readonly status: number;
  readonly body: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
}

/** One request in HTTP/1.1, on a connection of its own. */
export function ask({ address, port }: Place, path: string, asked: Asked = {}): Promise<Got> {
  const { method = 'GET', headers = {}, body } = asked;
  return new Promise((resolve, reject) => {
    const sent = request(
      { host: address, port, path, method, headers, agent: false },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.once('error', reject);
        response.once('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            body: Buffer.concat(chunks).toString(),
            headers: response.headers,
          }),
        );
      },
    );
    sent.once('error', reject);
    sent.end(body);
  });
}
