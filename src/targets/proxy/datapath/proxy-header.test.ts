import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { parseProxyHeader } from './proxy-header.ts';

const SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n', 'latin1');

function binary(command: number, family: number, addresses: readonly number[]): Buffer {
  const fixed = Buffer.from([command, family, addresses.length >> 8, addresses.length & 0xff]);
  return Buffer.concat([SIGNATURE, fixed, Buffer.from(addresses)]);
}

const V4 = [203, 0, 113, 9, 127, 0, 0, 1, 0x30, 0x39, 0, 80];
const V6 = [...Array.from({ length: 15 }, () => 0), 1, ...Array.from({ length: 20 }, () => 0)];
const text = (line: string): Buffer => Buffer.from(`${line}\r\n`, 'latin1');

const good: readonly (readonly [string, Buffer, string | null])[] = [
  ['version 1, IPv4', text('PROXY TCP4 203.0.113.9 127.0.0.1 12345 80'), '203.0.113.9'],
  ['version 1, IPv6', text('PROXY TCP6 2001:db8::9 ::1 12345 80'), '2001:db8::9'],
  ['version 1, unknown', text('PROXY UNKNOWN'), null],
  ['version 1, unknown with more', text('PROXY UNKNOWN ffff::1 ffff::2 1 2'), null],
  ['version 2, IPv4', binary(0x21, 0x11, V4), '203.0.113.9'],
  ['version 2, IPv4 and what follows', binary(0x21, 0x11, [...V4, 4, 0, 1, 9]), '203.0.113.9'],
  ['version 2, IPv6', binary(0x21, 0x21, V6), '0:0:0:0:0:0:0:1'],
  ['version 2, of the proxy itself', binary(0x20, 0, []), null],
  [
    'version 2, a path',
    binary(
      0x21,
      0x31,
      Array.from({ length: 216 }, () => 0),
    ),
    null,
  ],
];

const bad: readonly (readonly [string, Buffer])[] = [
  ['a request', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
  ['no address', text('PROXY TCP4 203.0.113 127.0.0.1 1 2')],
  ['the other family', text('PROXY TCP6 203.0.113.9 127.0.0.1 1 2')],
  ['too few parts', text('PROXY TCP4 203.0.113.9')],
  ['no end', Buffer.from(`PROXY UNKNOWN ${'x'.repeat(120)}`)],
  ['a version there is none of', binary(0x31, 0x11, V4)],
  ['a command there is none of', binary(0x22, 0x11, V4)],
  ['too short for its addresses', binary(0x21, 0x11, V4.slice(0, 8))],
  ['too long', Buffer.concat([SIGNATURE, Buffer.from([0x21, 0x11, 0xff, 0xff])])],
];

describe('a PROXY header', () => {
  for (const [name, bytes, address] of good) {
    it(`${name}: tells the address, and leaves the rest`, () => {
      const whole = Buffer.concat([bytes, Buffer.from('GET /')]);
      assert.deepEqual(parseProxyHeader(whole), { kind: 'header', bytes: bytes.length, address });
    });
    it(`${name}: is awaited byte by byte`, () => {
      for (let length = 0; length < bytes.length; length++) {
        assert.equal(parseProxyHeader(bytes.subarray(0, length)).kind, 'partial', `${length}`);
      }
    });
  }
  for (const [name, bytes] of bad) {
    it(`${name}: is none`, () => assert.equal(parseProxyHeader(bytes).kind, 'bad'));
  }

  it('never takes more bytes than there are', () => {
    const anything = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.uint8Array({ maxLength: 300 }).map((rest) => Buffer.concat([SIGNATURE, rest])),
      fc.string({ maxLength: 120 }).map((rest) => Buffer.from(`PROXY TCP4 ${rest}\r\n`)),
    );
    fc.assert(
      fc.property(anything, (bytes) => {
        const header = parseProxyHeader(Buffer.from(bytes));
        assert.ok(header.kind !== 'header' || header.bytes <= bytes.length);
      }),
    );
  });
});
