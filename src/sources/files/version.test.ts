import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { fileFindings } from './findings.ts';
import { Parser } from './reading.ts';
import { serviceYaml, testContext } from './testing.ts';
import { claimsOf, nextVersion, refusedVersion } from './version.ts';
import type { Claim, FileVersion } from './version.ts';

const context = testContext();
const parser = new Parser(context);

async function read(text: string, before?: FileVersion): Promise<FileVersion> {
  const reading = await parser.parse(Buffer.from(text), before?.reading);
  return nextVersion('f.yaml', reading, before).version;
}

/** The versions of a file that has these contents one after the other. */
async function readAll(...texts: readonly string[]): Promise<readonly FileVersion[]> {
  const versions: FileVersion[] = [];
  for (const text of texts) versions.push(await read(text, versions.at(-1)));
  return versions;
}

/** Names and ports of the objects a version stands for. */
function portsOf(version: FileVersion | undefined): Readonly<Record<string, number>> {
  return Object.fromEntries(claimsOf(version).flatMap((claim) => portOf(claim)));
}

function portOf({ identity, object }: Claim): [string, number][] {
  const { spec } = (object ?? {}) as { spec?: { ports: { port: number }[] } };
  return spec === undefined ? [] : [[identity.ref.name, spec.ports[0]?.port ?? 0]];
}

function file(...documents: readonly string[]): string {
  return documents.join('---\n');
}

const BROKEN = 'a: "x\n';
const a = serviceYaml('a', 1);
const b = serviceYaml('b', 1);
const c = serviceYaml('c', 1);

describe('a file with a syntax error', () => {
  it('delivers its good documents when it was never good', async () => {
    const [first] = await readAll(file(a, BROKEN, b));
    assert.deepEqual(portsOf(first), { a: 1, b: 1 });
    assert.equal(first?.faults.length, 1);
  });

  it('keeps everything it said before: nothing changes, nothing goes, nothing comes', async () => {
    const [, broken] = await readAll(file(a, b), file(serviceYaml('a', 2), BROKEN, c));
    assert.deepEqual(portsOf(broken), { a: 1, b: 1 });
  });

  it('counts again as a whole once it is mended', async () => {
    const [, , mended] = await readAll(file(a, b), file(a, BROKEN), file(serviceYaml('a', 2), c));
    assert.deepEqual(portsOf(mended), { a: 2, c: 1 });
    assert.deepEqual(mended?.faults, []);
  });

  it('keeps its objects through a refusal as well', async () => {
    const [good] = await readAll(file(a, b));
    const { version } = refusedVersion({ reason: 'FileTooLarge', message: 'too large' }, good);
    assert.deepEqual(portsOf(version), { a: 1, b: 1 });
    const after = await read(file(a), version);
    assert.deepEqual(portsOf(after), { a: 1 });
    assert.equal(after.refusal, undefined);
  });
});

describe('a file that was refused from the start', () => {
  it('delivers its good documents once it can be read', async () => {
    const { version } = refusedVersion({ reason: 'FileUnreadable', message: 'no' }, undefined);
    assert.deepEqual(portsOf(await read(file(a, BROKEN), version)), { a: 1 });
  });
});

describe('an object that is wrong', () => {
  const wrong = serviceYaml('a', 70_000);

  it('keeps its last good version, while the others of the file go on', async () => {
    const [, second, third] = await readAll(
      file(a, b),
      file(wrong, serviceYaml('b', 2)),
      file(wrong, serviceYaml('b', 3)),
    );
    assert.deepEqual(portsOf(second), { a: 1, b: 2 });
    assert.deepEqual(portsOf(third), { a: 1, b: 3 });
  });

  it('is not there when it was never good', async () => {
    const [only] = await readAll(file(wrong, b));
    assert.deepEqual(portsOf(only), { b: 1 });
  });

  it('goes when it is taken out', async () => {
    const [, , third] = await readAll(file(a, b), file(wrong, b), file(b));
    assert.deepEqual(portsOf(third), { b: 1 });
  });
});

describe('something unrecognizable', () => {
  for (const [name, text] of [
    ['a kind half written', a.replace('kind: Service', 'kind: Servic')],
    ['a missing kind', a.replace('kind: Service\n', '')],
    ['a missing name', a.replace('  name: a\n', '  labels: {x: y}\n')],
    ['a wrong version', a.replace('apiVersion: v1', 'apiVersion: v2')],
    ['no mapping at all', 'apiVersion v1\n'],
  ] as const) {
    it(`keeps the object it may be meant to be: ${name}`, async () => {
      const [, second, third] = await readAll(file(a, b), file(text, b), file(a, b));
      assert.deepEqual(portsOf(second), { a: 1, b: 1 });
      assert.deepEqual(portsOf(third), { a: 1, b: 1 });
      assert.ok(claimsOf(third).every(({ isKept }) => isKept === undefined));
    });
  }

  it('keeps none of another name or kind', async () => {
    const typo = serviceYaml('x').replace('kind: Service', 'kind: Servic');
    const [, second] = await readAll(file(a, b), file(typo, b));
    assert.deepEqual(portsOf(second), { b: 1 });
  });

  it('keeps none that went while it was there all along', async () => {
    const typo = a.replace('kind: Service', 'kind: Servic');
    const [, second, third] = await readAll(file(typo, b), file(typo, a, b), file(typo, b));
    assert.deepEqual(portsOf(second), { a: 1, b: 1 });
    assert.deepEqual(portsOf(third), { b: 1 });
  });
});

describe('the identity of objects', () => {
  it('stays when the text changes and the object does not', async () => {
    const [first, second] = await readAll(file(a, b), file(`# new\n${a}`, b));
    assert.equal(claimsOf(second)[0]?.object, claimsOf(first)[0]?.object);
  });

  it('stays for the items of a List that did not change', async () => {
    const list = (port: number): string =>
      `apiVersion: v1\nkind: List\nitems: [${[1, port].map((p, i) => `{apiVersion: v1, kind: Service, metadata: {name: s${i}}, spec: {ports: [{port: ${p}}]}}`).join(', ')}]\n`;
    const [first, second] = await readAll(list(1), list(2));
    const [same, changed] = claimsOf(second);
    assert.equal(same?.object, claimsOf(first)[0]?.object);
    assert.notEqual(changed?.object, claimsOf(first)[1]?.object);
  });

  it('and of documents stays with what is inserted above, so that nothing is delivered', async () => {
    const [first] = await readAll(file(a, b));
    const reading = await parser.parse(Buffer.from(file(c, a, b)), first?.reading);
    const { version, removed, added } = nextVersion('f.yaml', reading, first);
    assert.deepEqual(removed, []);
    assert.deepEqual(
      added.map(({ identity }) => identity.ref.name),
      ['c'],
    );
    assert.deepEqual(
      claimsOf(version).map(({ source }) => source.document),
      [2, 0, 1],
    );
    assert.deepEqual(
      version.placed.map(({ line }) => line),
      [1, 11, 21],
    );
  });

  it('of a document is that of the object in it when it is edited', async () => {
    const [, second] = await readAll(file(a, b), file(a, serviceYaml('b', 2)));
    assert.deepEqual(
      claimsOf(second).map(({ source }) => source.document),
      [0, 1],
    );
  });
});

describe('reading a file again', () => {
  const documents = fc.array(
    fc.oneof(
      fc.nat({ max: 9 }).map((i) => serviceYaml(`s${i}`, i + 1)),
      fc.nat({ max: 3 }).map((i) => serviceYaml(`s${i}`, 70_000)),
      fc.constantFrom('', '\n\n', '# comment\n', `${JSON.stringify({ a: 1 })}\n{"b":2}\n`, BROKEN),
    ),
    { maxLength: 8 },
  );

  it('gives the same documents, lines and faults as reading it for the first time', async () => {
    await fc.assert(
      fc.asyncProperty(documents, documents, async (before, after) => {
        const last = await parser.parse(Buffer.from(file(...before)), undefined);
        const bytes = Buffer.from(file(...after));
        const again = await parser.parse(bytes, last);
        const fresh = await parser.parse(bytes, undefined);
        const shape = ({ documents: all, faults }: typeof again): unknown => [
          all.map(({ document, line }) => [document.text, line]),
          faults,
        ];
        assert.deepEqual(shape(again), shape(fresh));
        assert.deepEqual(
          again.chunks.map(({ start, end, line }) => [start, end, line]),
          fresh.chunks.map(({ start, end, line }) => [start, end, line]),
        );
        for (const { document } of again.documents) {
          const copies = again.documents.filter((one) => one.document.text === document.text);
          const known = last.documents.filter((one) => one.document.text === document.text);
          if (copies.length > 1 || known.length === 0) continue;
          assert.ok(
            known.some((one) => one.document === document),
            'parsed again',
          );
        }
      }),
    );
  });

  it('gives the same objects as reading it for the first time, when all are good', async () => {
    const good = fc.array(
      fc.tuple(fc.nat({ max: 9 }), fc.nat({ max: 3 })).map(([i, p]) => serviceYaml(`s${i}`, p + 1)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(good, { minLength: 1, maxLength: 5 }), async (contents) => {
        const versions = await readAll(...contents.map((one) => file(...one)));
        const fresh = await read(file(...(contents.at(-1) ?? [])));
        assert.deepEqual(claimsOf(versions.at(-1)).map(portOf), claimsOf(fresh).map(portOf));
        const ids = versions.at(-1)?.placed.map(({ id }) => id) ?? [];
        assert.equal(new Set(ids).size, ids.length);
      }),
    );
  });
});

describe('the findings of a file', () => {
  const names = { file: 'f.yaml', isGenerated: false };

  it('have positions counted in the file, also after lines were inserted', async () => {
    const bad = serviceYaml('x', 70_000);
    const [first, second] = await readAll(file(a, bad), file(a, b, bad));
    for (const [version, line] of [
      [first, 19],
      [second, 29],
    ] as const) {
      assert.ok(version);
      const [finding] = fileFindings(names, version, context.limits);
      assert.deepEqual(finding?.origin, {
        object: { kind: 'Service', namespace: 'shop', name: 'x' },
        field: 'spec.ports[0].port',
        position: { file: 'f.yaml', line, column: 7 },
      });
      assert.equal(finding.reason, 'Invalid');
    }
  });

  it('are all told up to the limit, and the rest is counted', async () => {
    const [version] = await readAll(
      file(...Array.from({ length: 9 }, (_, i) => serviceYaml(`x${i}`, 0))),
    );
    assert.ok(version);
    const findings = fileFindings(names, version, { ...context.limits, fileFindingsMax: 4 });
    assert.equal(findings.length, 5);
    assert.match(findings[4]?.message ?? '', /^5 more findings .*fileFindingsMax, 4/);
  });

  it('point to the file as a whole when the contents were generated', async () => {
    const [version] = await readAll(file(a, serviceYaml('x', 0)));
    assert.ok(version);
    const [finding] = fileFindings(
      { file: 'kustomization.yaml', isGenerated: true },
      version,
      context.limits,
    );
    assert.deepEqual(finding?.origin.position, { file: 'kustomization.yaml', line: 1, column: 1 });
  });
});
