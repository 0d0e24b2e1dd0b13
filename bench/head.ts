// What reading and writing HTTP/1.1 heads costs: a request from the bytes in the read buffer to a
// RequestHead, a backend's response likewise, and both written again for the other side.

import { HeadBuffer } from '../src/targets/proxy/datapath/h1/head-buffer.ts';
import { parseRequestHead, parseResponseHead } from '../src/targets/proxy/datapath/h1/head.ts';
import { writeRequestHead, writeResponseHead } from '../src/targets/proxy/datapath/h1/write.ts';
import { DEFAULT_LIMITS } from '../src/targets/proxy/datapath/limits.ts';
import type { RequestHead, ResponseHead } from '../src/targets/proxy/datapath/stream.ts';
import { nanosecondsOfRounds } from './support/measure.ts';
import { isWanted } from './support/benchmark.ts';
import type { Benchmark, Context, Outcome } from './support/benchmark.ts';
import { BROWSER_FIELDS } from './support/browser.ts';
import { formatSpread } from './support/report.ts';
import { spreadOf } from './support/stats.ts';

/** A call measured alone would see its own last result; so many heads with other paths take turns. */
const VARIANTS = 64;

function bytesOf(firstLine: string, fields: readonly string[]): Buffer {
  return Buffer.from([firstLine, ...fields, '', ''].join('\r\n'), 'latin1');
}

function requests(fields: readonly string[]): readonly Buffer[] {
  return Array.from({ length: VARIANTS }, (_, i) =>
    bytesOf(`GET /app/hello-${i} HTTP/1.1`, fields),
  );
}

const TINY = requests(['Host: h500.example.test']);
const BROWSER = requests(['Host: h500.example.test', ...BROWSER_FIELDS]);
const RESPONSE = Array.from({ length: VARIANTS }, (_, i) =>
  bytesOf('HTTP/1.1 200 OK', [
    'Server: nginx/1.22.1',
    'Date: Mon, 21 Oct 2024 20:13:21 GMT',
    'Content-Type: text/plain',
    `Content-Length: ${i}`,
    'Connection: keep-alive',
  ]),
);

const buffer = new HeadBuffer(DEFAULT_LIMITS.headBytesMax);

function textOf(bytes: Buffer): string {
  const text = buffer.take(bytes);
  if (text === null) throw new Error('the head is not whole');
  return text;
}

function readRequest(bytes: Buffer): RequestHead {
  const head = parseRequestHead(textOf(bytes), 'http', DEFAULT_LIMITS);
  if ('reason' in head) throw new Error(head.reason);
  return head;
}

function readResponse(bytes: Buffer): ResponseHead {
  const head = parseResponseHead(textOf(bytes), DEFAULT_LIMITS);
  if ('reason' in head) throw new Error(head.reason);
  return head;
}

/** What dispatch.ts adds. */
function forwarded(bytes: Buffer): RequestHead {
  const head = readRequest(bytes);
  const own = ['x-forwarded-for', '127.0.0.1', 'x-forwarded-proto', 'http'];
  return { ...head, fields: [...head.fields, ...own, 'x-forwarded-host', head.authority] };
}

interface Row {
  readonly name: string;
  readonly title: string;
  readonly headBytes: number;
  /** All the variants once; gives something of the result, so that it has to be made. */
  readonly call: () => number;
}

function row(
  name: string,
  title: string,
  heads: readonly Buffer[],
  one: (at: number) => number,
): Row {
  const call = (): number => {
    let sum = 0;
    for (let at = 0; at < VARIANTS; at++) sum += one(at);
    return sum;
  };
  return { name, title, headBytes: heads.at(-1)!.length, call };
}

function rows(): readonly Row[] {
  const written = { tiny: TINY.map(forwarded), browser: BROWSER.map(forwarded) };
  const answered = RESPONSE.map(readResponse);
  return [
    row('text', 'browser: bytes to text', BROWSER, (i) => textOf(BROWSER[i]!).length),
    row('tiny', 'tiny request: bytes to head', TINY, (i) => readRequest(TINY[i]!).target.length),
    row(
      'browser',
      'browser: bytes to head',
      BROWSER,
      (i) => readRequest(BROWSER[i]!).target.length,
    ),
    row('response', 'response: bytes to head', RESPONSE, (i) => readResponse(RESPONSE[i]!).status),
    row('write-tiny', 'tiny request: head to text', TINY, (i) =>
      flat(writeRequestHead(written.tiny[i]!, false)),
    ),
    row('write-browser', 'browser: head to text', BROWSER, (i) =>
      flat(writeRequestHead(written.browser[i]!, false)),
    ),
    row('write-response', 'response: head to text', RESPONSE, (i) =>
      flat(writeResponseHead(answered[i]!, 'content-length: 19\r\n')),
    ),
  ];
}

const sink = Buffer.alloc(4096);

/** Joined text costs where it is made one piece, as the socket does when it is written. */
function flat(text: string): number {
  return sink.write(text, 0, 'latin1');
}

function run(context: Context): Promise<Outcome> {
  const measured = rows()
    .filter(({ name }) => isWanted(context, name))
    .map(({ name, title, headBytes, call }) => {
      context.signal.throwIfAborted();
      context.progress(title);
      let sum = 0;
      const times = nanosecondsOfRounds(VARIANTS, () => (sum += call()));
      if (sum === 0) throw new Error(`${title} gave nothing`);
      const microseconds = spreadOf(times.map((time) => time / 1000));
      return { name, title, headBytes, microseconds };
    });
  return Promise.resolve({
    tables: [
      {
        title: 'µs per head: median (min-max)',
        columns: ['head', 'bytes', 'µs'],
        rows: measured.map(({ title, headBytes, microseconds }) => [
          title,
          String(headBytes),
          formatSpread(microseconds, 2),
        ]),
      },
    ],
    notes: ['to head: from the read buffer; to text: until the bytes are in a buffer again'],
    values: measured,
  });
}

export const head: Benchmark = {
  about: 'microseconds to read and write HTTP/1.1 heads',
  limitMs: 120_000,
  run,
};
