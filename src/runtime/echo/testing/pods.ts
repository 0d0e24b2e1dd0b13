// For the tests of the echo programs: pods on loopback addresses of their own, raw HTTP/1.1 over a socket (a client
// library would tidy up what the tests are about) and HTTP/2 requests.

import http2, { type IncomingHttpHeaders, type OutgoingHttpHeaders } from 'node:http2';
import net from 'node:net';
import type { TestContext } from 'node:test';
import { startEcho, type EchoPod } from '../echo.ts';

export interface TestPod {
  readonly address: string;
  /** Lines of the pod's log so far. */
  readonly log: string[];
  readonly close: () => Promise<void>;
}

export interface TestPodOptions extends Partial<Omit<EchoPod, 'address' | 'log' | 'readFile'>> {
  readonly address: string;
  /** Container path → content. */
  readonly files?: Readonly<Record<string, string | Buffer>>;
}

/** Starts a pod and closes it when the test ends. The image is echo-basic unless said otherwise. */
export async function startPod(t: TestContext, options: TestPodOptions): Promise<TestPod> {
  const log: string[] = [];
  const { files = {}, ...given } = options;
  const running = await startEcho({
    image: 'registry.k8s.io/gateway-api/echo-basic:v1.5.1',
    args: [],
    env: {},
    ...given,
    log: (line) => log.push(line),
    readFile: async (path) => {
      const content = files[path];
      if (content === undefined) throw new Error(`ENOENT: no such file, open '${path}'`);
      return Buffer.from(content);
    },
  });
  t.after(() => running.close());
  return { address: options.address, log, close: () => running.close() };
}

/** What came back on a connection, as Latin-1 text, and how it ended: a system error code or undefined for a FIN. */
export interface RawAnswer {
  readonly text: string;
  readonly error: string | undefined;
}

/** Sends bytes (Latin-1) and reads until the server ends the connection. HTTP requests should say `Connection: close`. */
export function exchangeRaw(address: string, port: number, bytes: string): Promise<RawAnswer> {
  return new Promise((resolve) => {
    let text = '';
    let error: string | undefined;
    const socket = net.connect({ host: address, port, allowHalfOpen: true });
    socket.setEncoding('latin1');
    socket.on('data', (chunk: string) => (text += chunk));
    socket.on('error', (caught: NodeJS.ErrnoException) => (error = caught.code));
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve({ text, error }));
    socket.write(Buffer.from(bytes, 'latin1'));
  });
}

export interface HttpAnswer {
  readonly status: number;
  /** Header lines as sent, without Date. */
  readonly headers: readonly string[];
  readonly body: string;
  readonly error: string | undefined;
}

export interface HttpRequest {
  readonly port?: number;
  readonly method?: string;
  readonly headers?: readonly string[];
  readonly body?: string;
}

/** One HTTP/1.1 request with exactly the header lines given, plus Host and `Connection: close`. Port 3000 by default. */
export async function request(
  address: string,
  target: string,
  options: HttpRequest = {},
): Promise<HttpAnswer> {
  const { port = 3000, method = 'GET', headers = [], body = '' } = options;
  const lines = [
    `${method} ${target} HTTP/1.1`,
    'Host: echo.example',
    ...headers,
    'Connection: close',
    '',
    body,
  ];
  const { text, error } = await exchangeRaw(address, port, lines.join('\r\n'));
  return { ...parseAnswer(text), error };
}

/** Splits one HTTP/1 answer with Content-Length or until the end of the connection. */
export function parseAnswer(text: string): Omit<HttpAnswer, 'error'> {
  const end = text.indexOf('\r\n\r\n');
  const [statusLine = '', ...headers] = text.slice(0, end).split('\r\n');
  return {
    status: Number(statusLine.split(' ')[1] ?? 0),
    headers: headers.filter((line) => !line.startsWith('Date: ')),
    body: text.slice(end + 4),
  };
}

export interface Http2Answer {
  readonly headers: IncomingHttpHeaders & { readonly ':status'?: number };
  readonly trailers: IncomingHttpHeaders;
  readonly body: Buffer;
  /** Code of the stream's error, if it was reset. */
  readonly error: string | undefined;
}

/** One request on an HTTP/2 connection of its own. */
export function requestHttp2(
  url: string,
  headers: OutgoingHttpHeaders,
  body?: Buffer,
  options: http2.SecureClientSessionOptions = {},
): Promise<Http2Answer> {
  return new Promise((resolve, reject) => {
    const session = http2.connect(url, options);
    session.on('error', reject);
    const stream = session.request(headers, { endStream: body === undefined });
    const chunks: Buffer[] = [];
    let received: Http2Answer['headers'] = {};
    let trailers: IncomingHttpHeaders = {};
    let error: string | undefined;
    stream.on('response', (fields) => (received = fields));
    stream.on('trailers', (fields) => (trailers = fields));
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', (caught: NodeJS.ErrnoException) => (error = caught.code));
    stream.on('close', () => {
      session.close();
      resolve({ headers: received, trailers, body: Buffer.concat(chunks), error });
    });
    if (body !== undefined) stream.end(body);
  });
}
