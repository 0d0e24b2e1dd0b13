import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { PROTOBUF_LIMITS, decodeProtobuf } from './decode.ts';
import { messageNamed, messageNames, messageOfKind } from './messages.ts';

interface Fixture {
  readonly name: string;
  /** base64 of what Go sends. */
  readonly body: string;
  /** What Go writes as JSON after reading that again. */
  readonly json: unknown;
}

const folder = join(import.meta.dirname, '../../../testdata/protobuf');
const files = globSync('*.json', { cwd: folder }).toSorted();
const fixtures = files.flatMap((file) =>
  (JSON.parse(readFileSync(join(folder, file), 'utf8')) as Fixture[]).map((fixture) => ({
    ...fixture,
    kind: basename(file, '.json'),
    bytes: Buffer.from(fixture.body, 'base64'),
  })),
);

/** Writes fields by hand: a number is a varint, a text or a list of bytes is length-delimited. */
function wire(...fields: readonly (readonly [number, number | string | readonly number[]])[]) {
  const out: number[] = [];
  const varint = (n: number): void => {
    for (; n > 127; n = Math.floor(n / 128)) out.push((n % 128) + 128);
    out.push(n);
  };
  for (const [number, value] of fields) {
    varint(number * 8 + (typeof value === 'number' ? 0 : 2));
    if (typeof value === 'number') varint(value);
    else {
      const bytes = typeof value === 'string' ? [...Buffer.from(value)] : value;
      varint(bytes.length);
      out.push(...bytes);
    }
  }
  return out;
}

function body(apiVersion: string, kind: string, object: readonly number[]): Uint8Array {
  const unknown = wire([1, wire([1, apiVersion], [2, kind])], [2, object]);
  return Uint8Array.from([...Buffer.from('k8s\0'), ...unknown]);
}

function decoded(bytes: Uint8Array): unknown {
  const result = decodeProtobuf(bytes);
  assert.ok(result.ok, result.ok ? '' : result.failure.message);
  return result.object;
}

function refusal(bytes: Uint8Array): string {
  const result = decodeProtobuf(bytes);
  assert.ok(!result.ok);
  return `${result.failure.reason}: ${result.failure.message}`;
}

describe('bodies that Go wrote', () => {
  it('are there for every kind', () => {
    assert.ok(files.length >= 30, `only ${files.length} files in ${folder}`);
  });

  for (const { kind, name, bytes, json } of fixtures) {
    it(`${kind}: ${name}`, () => {
      assert.deepEqual(decoded(bytes), json);
    });
  }
});

describe('the messages', () => {
  it('refer to messages that are written down, and never to themselves', () => {
    const done = new Set<string>();
    const visit = (name: string, above: readonly string[]): void => {
      assert.ok(!above.includes(name), `${[...above, name].join(' → ')} is endless`);
      if (done.has(name)) return;
      done.add(name);
      for (const { type } of messageNamed(name)) {
        if (typeof type !== 'string') visit(type.message, [...above, name]);
      }
    };
    for (const name of messageNames()) visit(name, []);
    assert.ok(done.size > 200);
  });

  it('give each number and each name once', () => {
    for (const name of messageNames()) {
      const fields = messageNamed(name);
      assert.equal(new Set(fields.map((f) => f.number)).size, fields.length, name);
      const named = fields.flatMap((f) => (f.name === undefined ? [] : [f.name]));
      assert.equal(new Set(named).size, named.length, name);
    }
  });

  it('know options in whatever group they are sent', () => {
    assert.equal(messageOfKind('apps/v1', 'DeleteOptions'), 'meta.DeleteOptions');
    assert.equal(messageOfKind('v1', 'Deployment'), undefined);
    assert.equal(messageOfKind('toString', 'Pod'), undefined);
  });
});

describe('the decoder', () => {
  it('passes over what it does not know, groups included', () => {
    const group = [0x9b, 0x06, 0x08, 0x01, 0x9c, 0x06];
    const object = [...wire([1, wire([1, 'a'], [99, 'new'])], [77, 5]), ...group];
    assert.deepEqual(decoded(body('v1', 'Namespace', object)), {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'a' },
      spec: {},
      status: {},
    });
  });

  it('merges a message in parts, and takes the last of several texts', () => {
    const object = wire(
      [1, wire([1, 'a'], [1, 'b'])],
      [1, wire([3, 'default'])],
      [2, wire([1, 'k'], [2, 'v'])],
    );
    assert.deepEqual(decoded(body('v1', 'ConfigMap', object)), {
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'b', namespace: 'default' },
      data: { k: 'v' },
    });
  });

  it('reads packed lists', () => {
    const context = wire([4, [1, 128, 1]]);
    const spec = wire([14, context]);
    const pod = decoded(body('v1', 'Pod', wire([2, spec]))) as {
      spec: { securityContext: unknown };
    };
    assert.deepEqual(pod.spec.securityContext, { supplementalGroups: [1, 128] });
  });

  it('keeps a key that would reach the prototype as a key', () => {
    const object = wire([2, wire([1, '__proto__'], [2, 'v'])]);
    const map = decoded(body('v1', 'ConfigMap', object)) as { data: object };
    assert.deepEqual(Object.entries(map.data), [['__proto__', 'v']]);
  });

  it('takes kind and version from the request when the body has none', () => {
    const bytes = Uint8Array.from([
      ...Buffer.from('k8s\0'),
      ...wire([2, wire([1, wire([1, 'a'])])]),
    ]);
    assert.match(refusal(bytes), /^unsupported: an object of no kind/);
    const result = decodeProtobuf(bytes, { apiVersion: 'v1', kind: 'ServiceAccount' });
    assert.deepEqual(result, {
      ok: true,
      object: { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'a' } },
    });
  });
});

describe('what is wrong is named', () => {
  const service = (spec: readonly number[]) => body('v1', 'Service', wire([2, spec]));
  const port = (fields: readonly number[]) => service(wire([1, wire([1, 'ok'])], [1, fields]));
  const rows: readonly [string, Uint8Array, RegExp][] = [
    ['no magic', Buffer.from('{"kind":"Pod"}'), /^malformed: the body does not begin with/],
    ['nothing', new Uint8Array(), /^malformed: the body does not begin with/],
    [
      'a kind that is not ours',
      body('batch/v1', 'Job', []),
      /^unsupported: Job of batch\/v1 is not/,
    ],
    [
      'text that is not UTF-8',
      port(wire([1, [0xff]])),
      /Service: spec\.ports\[1\]\.name: .* not UTF-8$/,
    ],
    [
      'bytes for a number',
      port(wire([3, 'x'])),
      /spec\.ports\[1\]\.port: bytes instead of a number/,
    ],
    ['a number for text', port(wire([1, 7])), /spec\.ports\[1\]\.name: a number instead of bytes/],
    [
      'a length beyond the end',
      port([0x0a, 9, 1]),
      /spec\.ports\[1\]: 9 bytes are announced and 1 are left/,
    ],
    [
      'a number without end',
      port(Array<number>(11).fill(0xff)),
      /spec\.ports\[1\]: a number is longer/,
    ],
    ['field number zero', port([0x00, 0x00]), /field number 0 is out of range/],
    ['a stray end of a group', port([0x0c]), /a group ends that has not begun/],
    ['wire type 7', port([0x0f]), /wire type 7 does not exist/],
    ['groups in groups', port(Array<number>(99).fill(0x0b)), /groups are nested more than 16 deep/],
    [
      'neither number nor text',
      port(wire([4, wire([1, 2])])),
      /spec\.ports\[1\]\.targetPort: type 2 is neither/,
    ],
    [
      'the year 10000',
      body('v1', 'Namespace', wire([1, wire([8, wire([1, 253402300800])])])),
      /metadata\.creationTimestamp: .* no time of years 0 to 9999/,
    ],
    [
      'fields that are no JSON',
      body('v1', 'Namespace', wire([1, wire([17, wire([7, wire([1, '{'])])])])),
      /metadata\.managedFields\[0\]\.fieldsV1: the text is not JSON/,
    ],
    [
      'fields that are too deep',
      body('v1', 'Namespace', wire([1, wire([17, wire([7, wire([1, '['.repeat(101)])])])])),
      /nested more than 100 deep/,
    ],
    [
      'a compressed body',
      Uint8Array.from([...Buffer.from('k8s\0'), ...wire([3, 'gzip'])]),
      /^unsupported: the content encoding gzip/,
    ],
  ];
  for (const [name, bytes, message] of rows) {
    it(name, () => assert.match(refusal(bytes), message));
  }

  it('too many bytes', () => {
    const bytes = new Uint8Array(PROTOBUF_LIMITS.bodyBytesMax + 1);
    assert.match(refusal(bytes), /^tooLarge: the body has 3145729 bytes; 3145728 are allowed/);
  });

  it('long text of nothing but quotes, in one pass', () => {
    const text = `"${'\\"'.repeat(500_000)}`;
    const raw = Buffer.from(text);
    const length = (n: number): number[] => (n < 128 ? [n] : [(n & 127) | 128, ...length(n >> 7)]);
    const around = (number: number, inner: Buffer): Buffer =>
      Buffer.concat([Buffer.from([number * 8 + 2]), Buffer.from(length(inner.length)), inner]);
    const entry = around(7, around(1, raw));
    // Field 17 has a tag of two bytes.
    const field = Buffer.from([0x8a, 0x01, ...length(entry.length)]);
    const object = around(1, Buffer.concat([field, entry]));
    const type = Buffer.from(wire([1, wire([1, 'v1'], [2, 'Namespace'])]));
    const bytes = Buffer.concat([Buffer.from('k8s\0'), type, around(2, object)]);
    assert.match(refusal(bytes), /managedFields\[0\]\.fieldsV1: the text is not JSON/);
  });

  it('few bytes that would become many values', () => {
    const length = 200_000;
    const containers = Buffer.alloc(length, Uint8Array.of(0x12, 0));
    // Field 2 of Unknown, field 2 of Pod: each announces its length in three bytes.
    const announce = (n: number): number[] => [
      0x12,
      (n & 127) | 128,
      ((n >> 7) & 127) | 128,
      n >> 14,
    ];
    const type = wire([1, wire([1, 'v1'], [2, 'Pod'])]);
    const bytes = Uint8Array.from([
      ...Buffer.from('k8s\0'),
      ...type,
      ...announce(length + 4),
      ...announce(length),
      ...containers,
    ]);
    assert.match(refusal(bytes), /^tooLarge: Pod: spec\.containers.*: more than 200000 values/);
  });
});

describe('whatever comes', () => {
  const property = (bytes: Uint8Array): void => {
    const result = decodeProtobuf(bytes);
    if (result.ok) JSON.stringify(result.object);
    else assert.ok(result.failure.message.length > 0);
  };

  it('random bytes never throw', () => {
    const magic = Buffer.from('k8s\0');
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        property(bytes);
        property(Buffer.concat([magic, bytes]));
        property(body('v1', 'Pod', [...bytes]));
      }),
      { numRuns: 2000 },
    );
  });

  it('real bodies with bytes changed, cut or doubled never throw', () => {
    const small = fixtures.filter(({ bytes }) => bytes.length < 8000);
    fc.assert(
      fc.property(
        fc.constantFrom(...small),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
        fc.nat(),
        (fixture, changes, cut) => {
          const bytes = Uint8Array.from(fixture.bytes);
          for (const [where, to] of changes) bytes[where % bytes.length] = to;
          property(bytes);
          property(bytes.subarray(0, cut % bytes.length));
          property(Buffer.concat([bytes, bytes.subarray(4)]));
        },
      ),
      { numRuns: 1500 },
    );
  });
});
