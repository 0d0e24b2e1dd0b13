// What the proxies are asked for, one row of the table each.

import { BROWSER_FIELDS } from '../support/browser.ts';

export interface Row {
  readonly name: string;
  readonly title: string;
  readonly protocol: Protocol;
  readonly connections: number;
  /** Streams at a time on each connection; 1 but for HTTP/2. */
  readonly streams: number;
  /** Below `/app/`; the backend has a file of that name, or answers itself. */
  readonly path: string;
  readonly fields: readonly string[];
  /** Bytes of a request body; 0 makes it a GET. */
  readonly bodyBytes: number;
  /** What a response's body has to be. */
  readonly responseBytes: number;
  /** Whether it is among those of a quick look. */
  readonly quick: boolean;
  readonly group: Group;
}

/** `h2` is HTTP/2 over TLS; `grpc` is a unary call in HTTP/2 on both sides. */
export type Protocol = 'http' | 'https' | 'h2c' | 'h2' | 'grpc';

/**
 * Who is compared: all proxies with 1,000 routes and a core each; Fairway with itself at other numbers
 * of routes; or Fairway and nginx with two workers on both cores.
 */
export type Group = 'one' | 'routes' | 'two';

/** What the backend answers at /app/hello. */
export const HELLO = 'hello from backend\n';

/** What calls of gRPC are for. */
export const GRPC_HOST = 'grpc.example.test';

/** A gRPC message of 64 bytes with its prefix: not compressed, its length. */
export const GRPC_MESSAGE = Buffer.concat([Buffer.from([0, 0, 0, 0, 64]), Buffer.alloc(64, 'g')]);

/** Files of the backend. */
export const FILES: ReadonlyMap<string, number> = new Map([
  ['1k', 1_024],
  ['16k', 16_384],
  ['64k', 65_536],
  ['1m', 1_048_576],
]);

const TINY: Row = {
  name: 'tiny',
  title: 'GET, tiny head, 64 connections',
  protocol: 'http',
  connections: 64,
  streams: 1,
  path: 'hello',
  fields: [],
  bodyBytes: 0,
  responseBytes: HELLO.length,
  quick: false,
  group: 'one',
};

const H2: Row = {
  ...TINY,
  name: 'h2-4x32',
  title: 'h2c, 4 connections x 32 streams',
  protocol: 'h2c',
  connections: 4,
  streams: 32,
};

function download(path: string, title: string, more: Partial<Row> = {}): Row {
  return { ...TINY, name: path, title, path, responseBytes: FILES.get(path)!, ...more };
}

export const ROWS: readonly Row[] = [
  { ...TINY, quick: true },
  {
    ...TINY,
    name: 'browser',
    title: 'GET, browser head, 64 connections',
    fields: BROWSER_FIELDS,
    quick: true,
  },
  { ...TINY, name: 'c1', title: 'GET, 1 connection', connections: 1 },
  { ...TINY, name: 'c16', title: 'GET, 16 connections', connections: 16 },
  { ...TINY, name: 'c256', title: 'GET, 256 connections', connections: 256 },
  { ...TINY, name: 'c1024', title: 'GET, 1,024 connections', connections: 1_024 },
  download('1k', 'GET 1 KiB'),
  download('16k', 'GET 16 KiB', { quick: true }),
  download('64k', 'GET 64 KiB'),
  download('1m', 'GET 1 MiB, 16 connections', { connections: 16 }),
  { ...TINY, name: 'post-1k', title: 'POST 1 KiB', bodyBytes: 1_024 },
  { ...TINY, name: 'post-64k', title: 'POST 64 KiB', bodyBytes: 65_536 },
  {
    ...TINY,
    name: 'close',
    title: 'GET, new connection each time',
    fields: ['Connection: close'],
  },
  { ...TINY, name: 'tls', title: 'GET, TLS 1.3, keep-alive', protocol: 'https' },
  {
    ...TINY,
    name: 'tls-new',
    title: 'GET, TLS 1.3, new connection each time',
    protocol: 'https',
    connections: 16,
    fields: ['Connection: close'],
  },
  { ...H2, quick: true },
  { ...H2, name: 'h2-64x1', title: 'h2c, 64 connections x 1 stream', connections: 64, streams: 1 },
  {
    ...H2,
    name: 'h2-tls',
    title: 'h2 over TLS, 8 connections x 16 streams',
    protocol: 'h2',
    connections: 8,
    streams: 16,
  },
  {
    ...H2,
    name: 'grpc',
    title: 'gRPC unary, h2c to h2c, 4 connections x 32 streams',
    protocol: 'grpc',
    bodyBytes: GRPC_MESSAGE.length,
  },
  { ...TINY, name: 'routes', title: 'GET, tiny head, with so many routes', group: 'routes' },
  { ...TINY, name: 'two', title: 'GET, tiny head, two workers', group: 'two' },
  { ...H2, name: 'two-h2', title: 'h2c, 4 x 32, two workers', group: 'two' },
];
