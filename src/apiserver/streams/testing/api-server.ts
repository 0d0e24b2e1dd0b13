// As much of an API server as the streaming subresources need to be asked for: discovery of pods and
// services, GET of them, and the subresources over a real runtime.

import { once } from 'node:events';
import { createServer as createHttpServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import type { TestContext } from 'node:test';
import type { KeyPair } from '../../../certificates/x509.ts';
import { readLog } from '../../../runtime/logs/read-log.ts';
import type { Harness } from '../../../runtime/testing.ts';
import { acceptCommand } from '../command/accept.ts';
import { serveAttach } from '../command/attach.ts';
import { serveExec } from '../command/exec.ts';
import { parseCommandOptions } from '../command/streams.ts';
import { parsePorts } from '../forward/ports.ts';
import { servePortForward } from '../forward/port-forward.ts';
import { STREAM_LIMITS } from '../limits.ts';
import type { StreamLimits } from '../limits.ts';
import { parseLogOptions, writeLog } from '../log.ts';
import { serveProxy, serveProxyUpgrade } from '../proxy/proxy.ts';
import type { ProxyRoute } from '../proxy/proxy.ts';
import { parseReference, podAddress } from '../proxy/reference.ts';
import { badRequest, failure } from '../status.ts';
import type { Status } from '../status.ts';
import { refuseUpgrade } from '../upgrade.ts';

export interface TestApiServer {
  readonly port: number;
  /** Upgrade headers of the requests so far, newest last. */
  readonly upgrades: string[];
}

const POD_PATH = /^\/api\/v1\/namespaces\/default\/pods\/([^/]+)(?:\/([a-z]+)(\/.*)?)?$/;

const resource = (name: string, kind: string): unknown => ({
  name,
  singularName: kind.toLowerCase(),
  namespaced: true,
  kind,
  verbs: ['get', 'list', 'create'],
});
const DISCOVERY: Readonly<Record<string, unknown>> = {
  '/version': { major: '1', minor: '32', gitVersion: 'v1.32.0' },
  '/api': { kind: 'APIVersions', versions: ['v1'] },
  '/apis': { kind: 'APIGroupList', apiVersion: 'v1', groups: [] },
  '/api/v1': {
    kind: 'APIResourceList',
    groupVersion: 'v1',
    resources: [
      resource('pods', 'Pod'),
      ...['exec', 'attach', 'log', 'portforward'].map((sub) => resource(`pods/${sub}`, 'Pod')),
    ],
  },
};

export async function startApiServer(
  t: TestContext,
  harness: Harness,
  options: { readonly tls?: KeyPair; readonly limits?: Partial<StreamLimits> } = {},
): Promise<TestApiServer> {
  const limits = { ...STREAM_LIMITS, ...options.limits };
  const upgrades: string[] = [];
  const { tls } = options;
  const server =
    tls === undefined
      ? createHttpServer()
      : createHttpsServer({ cert: tls.certificate, key: tls.privateKey });
  server.on('request', (request, response) => {
    void answer(harness, limits, request, response);
  });
  server.on('upgrade', (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    upgrades.push(`${request.method} ${request.headers.upgrade}`);
    void upgraded(harness, limits, request, socket, head);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { port: (server.address() as AddressInfo).port, upgrades };
}

async function answer(
  harness: Harness,
  limits: StreamLimits,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const url = new URL(request.url ?? '/', 'http://api');
  const send = (code: number, body: unknown): void => {
    response.writeHead(code, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  };
  const refuse = (status: Status): void => send(status.code ?? 500, status);
  const known = DISCOVERY[url.pathname];
  if (known !== undefined) return send(200, known);
  const [, name = '', subresource, rest = ''] = POD_PATH.exec(url.pathname) ?? [];
  if (subresource === 'proxy') {
    const route = routeOf(harness, url, name, rest, limits);
    return 'status' in route ? refuse(route) : serveProxy(request, response, route);
  }
  const pod = harness.get(name);
  if (pod === undefined) return refuse(failure(404, 'NotFound', `pods "${name}" not found`));
  if (subresource === undefined) return send(200, { ...pod, apiVersion: 'v1', kind: 'Pod' });
  if (subresource !== 'log') return refuse(badRequest('Upgrade request required'));
  const parsed = parseLogOptions(url.searchParams, name);
  if (!parsed.ok) return refuse(parsed.status);
  const {
    container = pod.spec.containers[0]?.name ?? '',
    tailLines,
    limitBytes,
    ...rest2
  } = parsed.options;
  const gone = new AbortController();
  response.once('close', () => gone.abort());
  response.writeHead(200, { 'content-type': 'text/plain' });
  const { sinceSeconds, sinceTime, stream, follow, previous, timestamps } = rest2;
  const lines = readLog(
    {
      stateDir: harness.stateDir,
      namespace: 'default',
      pod: name,
      container,
      follow,
      previous,
      timestamps,
      ...(tailLines === undefined ? {} : { tail: tailLines }),
      ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
      ...(sinceTime === undefined ? {} : { sinceTime }),
      ...(stream === undefined ? {} : { stream }),
    },
    gone.signal,
  );
  await writeLog(lines, response, gone.signal, limitBytes);
}

function routeOf(
  harness: Harness,
  url: URL,
  name: string,
  rest: string,
  limits: StreamLimits,
): ProxyRoute | Status {
  const reference = parseReference(name);
  const pod = reference && harness.get(reference.name);
  if (reference === undefined || pod === undefined) return badRequest('no such pod');
  const resolved = podAddress(reference, pod);
  if (!resolved.ok) return resolved.status;
  const [address] = resolved.addresses;
  if (address === undefined) return badRequest('no address');
  const prefix = `/api/v1/namespaces/default/pods/${name}/proxy`;
  return { address, prefix, rest: `${rest}${url.search}`, limits };
}

async function upgraded(
  harness: Harness,
  limits: StreamLimits,
  request: IncomingMessage,
  socket: Duplex,
  head: Buffer,
): Promise<void> {
  const upgrade = { request, socket, head };
  const url = new URL(request.url ?? '/', 'http://api');
  const [, name = '', subresource, rest = ''] = POD_PATH.exec(url.pathname) ?? [];
  if (subresource === 'proxy') {
    const route = routeOf(harness, url, name, rest, limits);
    if ('status' in route) refuseUpgrade(upgrade, route);
    else await serveProxyUpgrade(upgrade, route);
    return;
  }
  if (subresource === 'portforward') {
    const ports = parsePorts(url.searchParams);
    if (!ports.ok) return refuseUpgrade(upgrade, badRequest(ports.message));
    const address = harness.get(name)?.status.podIP ?? '';
    return servePortForward(upgrade, { address, name: `default/${name}` }, ports.ports, limits);
  }
  const parsed = parseCommandOptions(url.searchParams);
  if (!parsed.ok) return refuseUpgrade(upgrade, badRequest(parsed.message));
  const streams = await acceptCommand(upgrade, parsed.options, limits);
  if (streams === undefined) return;
  const { container = 'main' } = parsed.options;
  if (subresource === 'attach') {
    const log = { stateDir: harness.stateDir, namespace: 'default', pod: name, container };
    await serveAttach(streams, parsed.options, (stream, signal) =>
      readLog({ ...log, stream, tail: 0, follow: true }, signal),
    );
    return;
  }
  await serveExec(streams, parsed.options, ({ command, stdin, tty }) =>
    harness.runtime.exec({ namespace: 'default', pod: name, container, command, stdin, tty }),
  );
}
