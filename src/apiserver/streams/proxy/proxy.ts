// `pods/…/proxy` and `services/…/proxy`: an HTTP request to the API server → the same request to a pod,
// without what is between the client and the API server alone.

import { request as requestHttp } from 'node:http';
import type { ClientRequest, IncomingMessage, ServerResponse } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { Duplex } from 'node:stream';
import type { StreamLimits } from '../limits.ts';
import { failure } from '../status.ts';
import type { Status } from '../status.ts';
import { refuseUpgrade } from '../upgrade.ts';
import type { Upgrade } from '../upgrade.ts';
import { requestHeaders, responseHeaders, rewriteLocation } from './headers.ts';
import type { ForwardedFrom } from './headers.ts';
import type { ProxyAddress } from './reference.ts';

export interface ProxyRoute {
  readonly address: ProxyAddress;
  /** The path up to and with `/proxy`: what comes after it is the backend's. */
  readonly prefix: string;
  /** The rest of the path as the client wrote it, with its query: empty, or begins with / or ?. */
  readonly rest: string;
  readonly limits: StreamLimits;
}

/**
 * Proxies a request. Resolves when the answer has been sent, or cannot be any more; faults of the
 * backend are answers (503).
 */
export async function serveProxy(
  request: IncomingMessage,
  response: ServerResponse,
  route: ProxyRoute,
): Promise<void> {
  const { prefix, rest } = route;
  if ((rest === '' || rest.startsWith('?')) && ['GET', 'HEAD'].includes(request.method ?? '')) {
    // Relative links of the page must lie below the proxy.
    response.writeHead(301, { location: `${prefix}/${rest}` }).end();
    return;
  }
  const from = forwardedFrom(request);
  const backend = open(request, from, route, undefined);
  response.once('close', () => backend.destroy());
  request.on('error', () => backend.destroy());
  request.pipe(backend);
  await new Promise<void>((resolve) => {
    response.once('close', resolve);
    backend.once('error', (error) => {
      request.unpipe(backend);
      request.resume();
      if (response.headersSent) response.destroy();
      else sendStatus(response, unreachable(route.address, error));
    });
    backend.once('response', (answer) => {
      const headers = responseHeaders(answer.rawHeaders, (value) =>
        rewriteLocation(value, prefix, from, route.address),
      );
      response.writeHead(answer.statusCode ?? 502, answer.statusMessage ?? '', headers);
      // An answer that ends too early must not look whole.
      answer.once('error', () => response.destroy());
      answer.pipe(response);
    });
  });
}

/** Proxies a request that wants to become another protocol, and then every byte both ways. */
export async function serveProxyUpgrade(upgrade: Upgrade, route: ProxyRoute): Promise<void> {
  const { request, socket, head } = upgrade;
  socket.on('error', () => {});
  const from = forwardedFrom(request);
  const backend = open(request, from, route, request.headers.upgrade);
  socket.once('close', () => backend.destroy());
  backend.end();
  const location = (value: string): string =>
    rewriteLocation(value, route.prefix, from, route.address);
  await new Promise<void>((resolve) => {
    socket.once('close', resolve);
    backend.once('error', (error) => {
      if (socket.writable) refuseUpgrade(upgrade, unreachable(route.address, error));
    });
    backend.once('response', (answer) => {
      socket.write(
        answerHead(answer, [
          ...responseHeaders(answer.rawHeaders, location),
          'Connection',
          'close',
        ]),
      );
      answer.pipe(socket);
      socket.resume();
    });
    backend.once('upgrade', (answer, other, otherHead) => {
      const headers = responseHeaders(answer.rawHeaders, location);
      const protocol = answer.headers.upgrade ?? '';
      socket.write(answerHead(answer, [...headers, 'Connection', 'Upgrade', 'Upgrade', protocol]));
      if (otherHead.length > 0) socket.write(otherHead);
      if (head.length > 0) other.write(head);
      join(socket, other);
    });
  });
}

function join(client: Duplex, pod: Duplex): void {
  pod.on('error', () => {});
  client.once('close', () => pod.destroy());
  pod.once('close', () => client.end());
  client.pipe(pod).pipe(client);
}

function open(
  request: IncomingMessage,
  from: ForwardedFrom,
  { address, rest, limits }: ProxyRoute,
  upgrade: string | undefined,
): ClientRequest {
  const send = address.scheme === 'https' ? requestHttps : requestHttp;
  const headers = requestHeaders(request.rawHeaders, from, address, upgrade);
  // Without it, a body of a method that has none would go on as bytes of no message.
  if (request.headers['transfer-encoding'] !== undefined)
    headers.push('Transfer-Encoding', 'chunked');
  const backend = send({
    host: address.host,
    port: address.port,
    method: request.method ?? 'GET',
    path: rest.startsWith('/') ? rest : `/${rest}`,
    headers,
    // A connection for each request: whatever state one has does not leak into another.
    agent: false,
    // As from the API server of Kubernetes: pods have certificates of their own making.
    ...(address.scheme === 'https' ? { rejectUnauthorized: false } : {}),
  });
  const late = setTimeout(() => {
    backend.destroy(new Error('connection timed out'));
  }, limits.connectMs);
  backend.once('socket', (socket) => {
    const connected = address.scheme === 'https' ? 'secureConnect' : 'connect';
    socket.once(connected, () => clearTimeout(late));
  });
  backend.once('close', () => clearTimeout(late));
  return backend;
}

function forwardedFrom(request: IncomingMessage): ForwardedFrom {
  const { headers, socket, url } = request;
  return {
    uri: url ?? '/',
    host: headers.host ?? '',
    protocol: 'encrypted' in socket ? 'https' : 'http',
    clientAddress: socket.remoteAddress,
  };
}

function answerHead(answer: IncomingMessage, headers: readonly string[]): string {
  let text = `HTTP/1.1 ${answer.statusCode} ${answer.statusMessage}\r\n`;
  for (let i = 0; i + 1 < headers.length; i += 2) text += `${headers[i]}: ${headers[i + 1]}\r\n`;
  return `${text}\r\n`;
}

function unreachable({ host, port }: ProxyAddress, error: Error): Status {
  const message = `error trying to reach service: dial tcp ${host}:${port}: ${error.message}`;
  return failure(503, 'ServiceUnavailable', message);
}

function sendStatus(response: ServerResponse, status: Status): void {
  const body = `${JSON.stringify(status)}\n`;
  response.writeHead(status.code ?? 500, { 'content-type': 'application/json' }).end(body);
}
