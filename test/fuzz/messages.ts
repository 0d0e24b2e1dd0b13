// HTTP/1.1 messages by chance: mostly nearly right, as that is where parsers differ. A message is put
// together from parts of which some are wrong on purpose, and then some of its bytes are changed.

import type { Random } from './random.ts';

const METHODS = ['GET', 'GET', 'GET', 'POST', 'PUT', 'HEAD', 'DELETE', 'OPTIONS', 'PATCH'];
const ODD_METHODS = ['get', 'G T', 'TRACE', 'CONNECT', '', 'GET\t', 'PRI', 'A'.repeat(30)];
const TARGETS = ['/', '/a', '/a/b?c=d', '/%41', '/a;b', '*', 'http://b.example/x', '/?', '/a//b'];
const ODD_TARGETS = [
  'a',
  '',
  '/a b',
  '/a#b',
  '/\xe4',
  '/\x01',
  'http://',
  'http://u@b/',
  '//x',
  'https://b',
  '/\x7f',
  'ftp://x/',
];
const VERSIONS = ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'];
const ODD_VERSIONS = [
  'HTTP/1.2',
  'HTTP/2.0',
  'HTTP/0.9',
  'http/1.1',
  'HTTP/1.',
  'HTTP/11',
  'HTTP/1.1 ',
  '',
];
const NAMES = [
  'X-A',
  'Accept',
  'Cookie',
  'x-b',
  'User-Agent',
  'TE',
  'Trailer',
  'Keep-Alive',
  "!#$%&'*+-.^_`|~",
];
const VALUES = ['b', '', ' b ', 'a, b', '"q"', '\xe4', 'a\tb', 'chunked', '0', 'close'];
const LENGTHS = [
  '+5',
  '0x5',
  '-1',
  '',
  '5 5',
  '5,5',
  '5, 5',
  '05',
  '0',
  '9007199254740993',
  '5;',
  ' 5 ',
  '5\x0b',
];
const CODINGS = [
  'chunked',
  'Chunked',
  'chunked, chunked',
  'identity',
  'gzip, chunked',
  'xchunked',
  '\x0bchunked',
  'chunked;q=1',
  ',chunked',
  '"chunked"',
  'chunked\x00',
];
const SIZES = [
  '0x5',
  '+5',
  ' 5',
  '5 ',
  '5_0',
  '-5',
  '',
  'g',
  '5\t',
  '00000005',
  'FFFFFFFFFFFFFFFFF',
  '5\x00',
];
const EXTENSIONS = ['', '', '', ';a', ';a=b', ';a="b"', ' ;a', ';', ';a=\n', ';\r', ';\xe4'];
const EOLS = ['\r\n', '\r\n', '\r\n', '\n', '\r', '\r\r\n', '\n\r', ''];
const BYTES = [
  '\r',
  '\n',
  '\0',
  ' ',
  '\t',
  ':',
  ',',
  ';',
  '=',
  '0',
  '\x0b',
  '\x7f',
  '\x80',
  '\xff',
  '"',
  '%',
  '_',
  '-',
];
const ODD_LINES = [
  'X-A : b',
  ' X-A: b',
  'X-A',
  ': b',
  'X A: b',
  'X-\xe4: b',
  'X-A: b\r\n c',
  'X-A:\0',
  '\tX: b',
  'X\0: b',
];

/** Mostly one of `usual`; now and then one of `odd`. */
function some(random: Random, usual: readonly string[], odd: readonly string[]): string {
  return random.pick(random.chance(0.04) ? odd : usual);
}

function eol(random: Random): string {
  return random.chance(0.01) ? random.pick(EOLS) : '\r\n';
}

/** One or more requests, one after the other. */
export function randomRequests(random: Random): string {
  let text = random.chance(0.02) ? random.pick(['\r\n', '\n', '\r\n\r\n', ' ']) : '';
  do {
    text += randomRequest(random);
  } while (random.chance(0.3));
  return mutate(random, text);
}

function randomRequest(random: Random): string {
  const blank = random.chance(0.01) ? random.pick(['  ', '\t', '']) : ' ';
  const line = [
    some(random, METHODS, ODD_METHODS),
    some(random, TARGETS, ODD_TARGETS),
    some(random, VERSIONS, ODD_VERSIONS),
  ].join(blank);
  const host = random.chance(0.02)
    ? random.pick([
        '',
        'Host: a\r\nHost: a\r\n',
        'Host: a,b\r\n',
        'Host: u@a\r\n',
        'Host:\r\n',
        'Host : a\r\n',
        'host: A.example:80\r\n',
      ])
    : 'Host: a.example\r\n';
  return `${line}${eol(random)}${host}${randomRest(random)}`;
}

/** One or more responses, for a client that has asked as often. */
export function randomResponses(random: Random): string {
  let text = '';
  do {
    const status = random.pick([
      '200 OK',
      '200 OK',
      '404',
      '204 No Content',
      '304 X',
      '100 Continue',
      '103 E',
      '500 ',
      '301 Moved',
    ]);
    const odd = [
      '20 OK',
      '2000 OK',
      '099 X',
      '200',
      '-200 X',
      '200\tOK',
      '200 \0',
      '101 X',
      'abc',
      '600 X',
    ];
    const version = some(random, ['HTTP/1.1', 'HTTP/1.1', 'HTTP/1.0'], ODD_VERSIONS);
    const line = `${version} ${random.chance(0.04) ? random.pick(odd) : status}`;
    text += `${line}${eol(random)}${randomRest(random)}`;
  } while (random.chance(0.3));
  return mutate(random, text);
}

/** Fields, the empty line, and a body that goes with them, more or less. */
function randomRest(random: Random): string {
  const fields = Array.from({ length: random.below(4) }, () => randomField(random));
  const kind = random.below(10);
  let body = '';
  if (kind < 3) {
    body = 'hello'.slice(0, random.below(6));
    const length = random.chance(0.1) ? random.pick(LENGTHS) : String(body.length);
    fields.push(`Content-Length: ${length}`);
    if (random.chance(0.02)) fields.push(`Content-Length: ${length}`);
    if (random.chance(0.02)) fields.push('Transfer-Encoding: chunked');
  } else if (kind < 6) {
    const coding = random.chance(0.1) ? random.pick(CODINGS) : 'chunked';
    fields.push(`Transfer-Encoding: ${coding}`);
    if (random.chance(0.02)) fields.push('Transfer-Encoding: chunked');
    body = randomChunks(random);
  }
  if (random.chance(0.1)) {
    fields.push(
      `Connection: ${random.pick(['close', 'keep-alive', 'X-A', 'close, X-A', 'Upgrade', 'upgrade, x'])}`,
    );
  }
  if (random.chance(0.02)) fields.push(`Upgrade: ${random.pick(['websocket', 'h2c', ''])}`);
  if (random.chance(0.02)) fields.push(`Expect: ${random.pick(['100-continue', 'x'])}`);
  if (random.chance(0.03)) fields.push(random.pick(ODD_LINES));
  const lines = shuffled(random, fields).map((line) => `${line}${eol(random)}`);
  return `${lines.join('')}${eol(random)}${body}`;
}

function randomField(random: Random): string {
  const blank = random.chance(0.8) ? ' ' : random.pick(['', '\t', '   ']);
  return `${random.pick(NAMES)}:${blank}${random.pick(VALUES)}`;
}

function randomChunks(random: Random): string {
  let text = '';
  for (let n = random.below(3); n > 0; n--) {
    const data = 'hello world'.slice(0, 1 + random.below(10));
    const size = random.chance(0.05) ? random.pick(SIZES) : data.length.toString(16);
    const extension = random.chance(0.1) ? random.pick(EXTENSIONS) : '';
    text += `${size}${extension}${eol(random)}${data}${eol(random)}`;
  }
  const trailers = random.chance(0.15) ? `${randomField(random)}${eol(random)}` : '';
  return `${text}0${eol(random)}${trailers}${eol(random)}`;
}

function shuffled<T>(random: Random, items: readonly T[]): readonly T[] {
  const out = [...items];
  for (let i = out.length - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [out[i], out[j]] = [out[j]!, out[i]!];
  }
  return out;
}

/** Changes, removes, adds, or moves a few bytes; most messages are left as they are. */
function mutate(random: Random, text: string): string {
  let out = text;
  for (let n = random.chance(0.4) ? 1 + random.below(3) : 0; n > 0; n--) {
    const at = random.below(out.length + 1);
    const to = Math.min(out.length, at + random.below(8));
    switch (random.below(5)) {
      case 0:
        out = out.slice(0, at) + random.pick(BYTES) + out.slice(at);
        break;
      case 1:
        out = out.slice(0, at) + out.slice(at + 1);
        break;
      case 2:
        out = out.slice(0, at) + String.fromCharCode(random.below(256)) + out.slice(at + 1);
        break;
      case 3:
        out = out.slice(0, at) + out.slice(at, to) + out.slice(at);
        break;
      default:
        out = out.slice(0, at) + out.slice(to);
    }
  }
  return out;
}

/** Cuts bytes into pieces, anywhere. */
export function cut(random: Random, text: string): readonly string[] {
  const pieces: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = at + 1 + random.below(random.chance(0.5) ? 4 : text.length);
    pieces.push(text.slice(at, end));
    at = end;
  }
  return pieces;
}
