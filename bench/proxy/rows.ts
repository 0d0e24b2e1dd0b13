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
}

export type Protocol = 'http' | 'https' | 'h2c';

/** What the backend answers at /app/hello. */
export const HELLO = 'hello from backend\n';

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
    name: 'h2-4x32',
    title: 'h2c, 4 connections x 32 streams',
    protocol: 'h2c',
    connections: 4,
    streams: 32,
    quick: true,
  },
  { ...TINY, name: 'h2-64x1', title: 'h2c, 64 connections x 1 stream', protocol: 'h2c' },
];
