import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { FairwayError } from '../../lib/errors.ts';
import { RunningSource, serviceYaml, startSource, testFolder } from './testing.ts';

/** Messages of all findings with their places. */
function told(running: RunningSource, folder: string): readonly string[] {
  return running.findings.map(({ severity, reason, message, origin: { position } }) => {
    const place =
      position === undefined ? '' : `${position.file}:${position.line}:${position.column}`;
    return `${severity} ${reason} ${place} ${message}`.replaceAll(`${folder}/`, '');
  });
}

describe('the files source, started', () => {
  it('delivers every object once, with its place, in one update', async (t) => {
    const folder = testFolder(t);
    mkdirSync(join(folder, 'sub'));
    writeFileSync(join(folder, 'a.yaml'), `---\n${serviceYaml('a')}---\n${serviceYaml('b', 81)}`);
    writeFileSync(
      join(folder, 'sub/c.json'),
      '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Service","metadata":{"name":"c"},"spec":{"ports":[{"port":82}]}}]}',
    );
    const running = await startSource(t, { paths: [folder], watch: false });
    assert.equal(running.updates.length, 1);
    assert.deepEqual(running.ports, { 'Service/a': 80, 'Service/b': 81, 'Service/c': 82 });
    assert.deepEqual(running.findings, []);
    assert.deepEqual(
      [...running.entries.values()].map(({ source }) => source),
      [
        { source: 'files', file: join(folder, 'a.yaml'), document: 0 },
        { source: 'files', file: join(folder, 'a.yaml'), document: 1 },
        { source: 'files', file: join(folder, 'sub/c.json'), document: 0, item: 0 },
      ],
    );
  });

  it('finds the place of a field of what it delivered', async (t) => {
    const folder = testFolder(t);
    const file = join(folder, 'a.yaml');
    writeFileSync(file, `# first\n${serviceYaml('a')}---\n${serviceYaml('b')}`);
    const list = join(folder, 'list.yaml');
    writeFileSync(
      list,
      'apiVersion: v1\nkind: List\nitems:\n- apiVersion: v1\n  kind: Service\n  metadata: {name: p}\n- apiVersion: v1\n  kind: Service\n  metadata:\n    name: q\n',
    );
    const running = await startSource(t, { paths: [folder], watch: false });
    const locate = (name: string, field: string): unknown => {
      const entry = running.entries.get(`Service/${name}`);
      assert.ok(entry);
      return running.source.locate(entry.source, field);
    };
    assert.deepEqual(locate('a', ''), { file, line: 2, column: 1 });
    assert.deepEqual(locate('b', 'spec.ports[0].port'), { file, line: 20, column: 7 });
    assert.deepEqual(locate('b', 'spec.ports[0].protocol'), { file, line: 19, column: 7 });
    assert.deepEqual(locate('q', 'metadata.name'), { file: list, line: 10, column: 5 });
    assert.deepEqual(locate('q', ''), { file: list, line: 7, column: 3 });
    assert.equal(
      running.source.locate({ source: 'files', file: 'other', document: 0 }, ''),
      undefined,
    );
  });

  it('reads standard input, and other paths with it', async (t) => {
    const folder = testFolder(t);
    writeFileSync(join(folder, 'a.yaml'), serviceYaml('a'));
    const stdin = Readable.from([Buffer.from(serviceYaml('b')), '---\na: "x\n']);
    const running = await startSource(t, { paths: ['-', folder, '-'], stdin, watch: false });
    assert.deepEqual(Object.keys(running.ports), ['Service/a', 'Service/b']);
    assert.match(told(running, folder)[0] ?? '', /^error InvalidYAML -:11:4 .* the quote /);
    assert.equal(running.entries.get('Service/b')?.source.file, '-');
  });

  it('reads a named pipe as it reads standard input', async (t) => {
    const folder = testFolder(t);
    const pipe = join(folder, 'pipe');
    try {
      execFileSync('mkfifo', [pipe]);
    } catch {
      return t.skip('there is no mkfifo');
    }
    const [running] = await Promise.all([
      startSource(t, { paths: [pipe], watch: false }),
      writeFile(pipe, serviceYaml('a')),
    ]);
    assert.deepEqual(running.ports, { 'Service/a': 80 });
    return undefined;
  });

  it('rejects when there is nothing it can read, and names it', async (t) => {
    const folder = testFolder(t);
    const paths = [join(folder, 'none'), join(folder, 'neither')];
    const running = new RunningSource({ paths });
    await assert.rejects(running.start(), (error: unknown) => {
      assert.ok(error instanceof FairwayError);
      assert.equal(error.code, 'FW_PATH_NOT_FOUND');
      assert.match(error.message, /none: no such file or folder; .*neither: no such file/);
      return true;
    });
    assert.equal(running.updates.length, 0);
  });

  it('tells of a path that is missing beside others, and of a folder with nothing in it', async (t) => {
    const folder = testFolder(t);
    mkdirSync(join(folder, 'empty'));
    const paths = [join(folder, 'none'), join(folder, 'empty')];
    const running = await startSource(t, { paths, watch: false });
    assert.deepEqual(told(running, folder), [
      'error PathMissing none:1:1 none: no such file or folder',
      'warning NothingFound empty:1:1 empty: no .yaml, .yml or .json file in this folder or below',
    ]);
  });

  it('lets the first of two declarations count, and tells where both are', async (t) => {
    const folder = testFolder(t);
    writeFileSync(join(folder, 'b.yaml'), serviceYaml('a', 81));
    writeFileSync(
      join(folder, 'a.yaml'),
      `# x\n${serviceYaml('a', 80)}---\n${serviceYaml('a', 82)}`,
    );
    const running = await startSource(t, { paths: [folder], watch: false });
    assert.deepEqual(running.ports, { 'Service/a': 80 });
    assert.deepEqual(told(running, folder), [
      'error Duplicate a.yaml:12:1 Service shop/a at a.yaml:12 is already declared at a.yaml:2; the first counts',
      'error Duplicate b.yaml:1:1 Service shop/a at b.yaml:1 is already declared at a.yaml:2; the first counts',
    ]);
    assert.deepEqual(running.findings[0]?.origin.object, {
      kind: 'Service',
      namespace: 'shop',
      name: 'a',
    });
  });
});

describe('limits are told with their name, and nothing else is affected', () => {
  it('of a file, by its size and without reading it', async (t) => {
    const folder = testFolder(t);
    writeFileSync(join(folder, 'a.yaml'), serviceYaml('a'));
    writeFileSync(join(folder, 'big.yaml'), '');
    // A file with a hole has a size and takes no space: to read it would take gigabytes.
    truncateSync(join(folder, 'big.yaml'), 8 * 1024 ** 3);
    const running = await startSource(t, { paths: [folder], watch: false });
    assert.deepEqual(running.ports, { 'Service/a': 80 });
    assert.deepEqual(told(running, folder), [
      'error FileTooLarge big.yaml:1:1 8589934592 bytes is more than the 33554432 bytes a file may have (limit fileBytesMax)',
    ]);
  });

  it('of standard input', async (t) => {
    const stdin = Readable.from([serviceYaml('a'), serviceYaml('b')]);
    const limits = { fileBytesMax: 200 };
    const running = await startSource(t, { paths: ['-'], stdin, limits, watch: false });
    assert.deepEqual(running.ports, {});
    assert.match(told(running, '')[0] ?? '', /^error FileTooLarge -:1:1 .*limit fileBytesMax/);
  });

  it('of objects, by refusing the file that would exceed it', async (t) => {
    const folder = testFolder(t);
    writeFileSync(join(folder, 'a.yaml'), serviceYaml('a'));
    writeFileSync(join(folder, 'b.yaml'), `${serviceYaml('b')}---\n${serviceYaml('c')}`);
    writeFileSync(join(folder, 'd.yaml'), serviceYaml('d'));
    const running = await startSource(t, {
      paths: [folder],
      limits: { objectsMax: 2 },
      watch: false,
    });
    assert.deepEqual(running.ports, { 'Service/a': 80, 'Service/d': 80 });
    assert.match(
      told(running, folder)[0] ?? '',
      /^error TooManyObjects b.yaml:1:1 .*limit objectsMax/,
    );
  });

  it('of files', async (t) => {
    const folder = testFolder(t);
    for (const name of ['a', 'b', 'c'])
      writeFileSync(join(folder, `${name}.yaml`), serviceYaml(name));
    const running = await startSource(t, {
      paths: [folder],
      limits: { filesMax: 2 },
      watch: false,
    });
    assert.deepEqual(Object.keys(running.ports), ['Service/a', 'Service/b']);
    assert.match(told(running, folder)[0] ?? '', /^error TooManyFiles .*limit filesMax/);
  });
});

describe('what the source delivers at the start', () => {
  const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
  const document = fc.oneof(
    fc.tuple(name, fc.integer({ min: 1, max: 3 })).map(([one, port]) => serviceYaml(one, port)),
    name.map((one) => serviceYaml(one, 0)),
    fc.constantFrom('a: "x\n', '# nothing\n', 'a: 1\n'),
  );
  const folder = fc.dictionary(
    fc.constantFrom('a.yaml', 'b.yaml', 'sub/a.yaml', 'c.json'),
    fc.array(document, { maxLength: 4 }),
  );

  it('are the first good declarations in the order of names, whatever else is there', async (t) => {
    await fc.assert(
      fc.asyncProperty(folder, async (files) => {
        const root = testFolder(t);
        mkdirSync(join(root, 'sub'));
        const expected = new Map<string, number>();
        for (const file of Object.keys(files).toSorted()) {
          const documents = files[file] ?? [];
          writeFileSync(join(root, file), documents.join('---\n'));
          for (const text of documents) {
            const [, key = '', port = '0'] = /name: (\w)\n[^]*port: (\d)/.exec(text) ?? [];
            if (port !== '0' && !expected.has(key)) expected.set(key, Number(port));
          }
        }
        const running = await startSource(t, { paths: [root], watch: false });
        const ports = [...expected].map(([key, port]) => [`Service/${key}`, port] as const);
        assert.deepEqual(running.ports, Object.fromEntries(ports));
      }),
      { numRuns: 50 },
    );
  });
});
