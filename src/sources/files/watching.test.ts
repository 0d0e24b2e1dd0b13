import assert from 'node:assert/strict';
import {
  chmodSync,
  closeSync,
  cpSync,
  existsSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import fc from 'fast-check';
import { RunningSource, serviceYaml, startSource, testFolder } from './testing.ts';

/** Longer than a change that takes something away has to stand. */
const LONG_MS = 400;

interface Watched {
  readonly folder: string;
  readonly running: RunningSource;
  readonly write: (name: string, ...documents: readonly string[]) => void;
}

/** Starts a source on a folder with these files. */
async function watched(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Parameters<typeof startSource>[1] = {},
): Promise<Watched> {
  const folder = testFolder(t);
  const write = (name: string, ...documents: readonly string[]): void => {
    mkdirSync(join(folder, name, '..'), { recursive: true });
    writeFileSync(join(folder, name), documents.join('---\n'));
  };
  for (const [name, text] of Object.entries(files)) write(name, text);
  const running = await startSource(t, { paths: [folder], ...options });
  return { folder, running, write };
}

const a = serviceYaml('a', 1);
const b = serviceYaml('b', 1);

describe('a watched folder', () => {
  it('delivers what changed and nothing else', async (t) => {
    const { running, write } = await watched(t, { 'a.yaml': a, 'b.yaml': b });
    const before = running.entries.get('Service/b')?.object;
    write('a.yaml', serviceYaml('a', 2));
    await running.untilPorts({ 'Service/a': 2, 'Service/b': 1 });
    assert.equal(running.updates.length, 2);
    assert.equal(running.updates[1]?.writes.length, 1);
    assert.equal(running.entries.get('Service/b')?.object, before);
  });

  it('delivers nothing when a file is written again with the same contents', async (t) => {
    const { running, write } = await watched(t, { 'a.yaml': a, 'b.yaml': b });
    write('a.yaml', a);
    write('a.yaml', `# a comment\n${a}`);
    write('b.yaml', serviceYaml('b', 2));
    await running.untilPorts({ 'Service/a': 1, 'Service/b': 2 });
    const puts = running.updates.slice(1).flatMap(({ writes }) => writes);
    assert.equal(puts.length, 1);
  });

  it('sees new files, removed files, new folders and removed folders', async (t) => {
    const { folder, running, write } = await watched(t, { 'a.yaml': a });
    write('b.yaml', b);
    await running.untilPorts({ 'Service/a': 1, 'Service/b': 1 });
    unlinkSync(join(folder, 'b.yaml'));
    await running.untilPorts({ 'Service/a': 1 });
    write('new/deep/c.yaml', serviceYaml('c', 3));
    await running.untilPorts({ 'Service/a': 1, 'Service/c': 3 });
    write('new/deep/c.yaml', serviceYaml('c', 4));
    await running.untilPorts({ 'Service/a': 1, 'Service/c': 4 });
    rmSync(join(folder, 'new'), { recursive: true });
    await running.untilPorts({ 'Service/a': 1 });
    write('new/deep/c.yaml', serviceYaml('c', 5));
    await running.untilPorts({ 'Service/a': 1, 'Service/c': 5 });
  });

  it('sees a file that is replaced by another of the same name, again and again', async (t) => {
    const { folder, running, write } = await watched(t, { 'a.yaml': a });
    for (const port of [2, 3, 4]) {
      write('a.yaml.new', serviceYaml('a', port));
      renameSync(join(folder, 'a.yaml.new'), join(folder, 'a.yaml'));
      await running.untilPorts({ 'Service/a': port });
    }
  });

  it('never takes a file that is emptied and rewritten for a deletion', async (t) => {
    const { folder, running } = await watched(t, { 'a.yaml': `${a}---\n${b}` });
    for (const port of [2, 3, 4]) {
      const file = openSync(join(folder, 'a.yaml'), 'r+');
      ftruncateSync(file);
      await sleep(50);
      writeSync(file, serviceYaml('a', port));
      await sleep(50);
      writeSync(file, `---\n${b}`);
      closeSync(file);
      await running.untilPorts({ 'Service/a': port, 'Service/b': 1 });
    }
    const ops = new Set(running.updates.flatMap(({ writes }) => writes.map(({ op }) => op)));
    assert.deepEqual(ops, new Set(['put']));
  });

  it('never takes a file that is moved aside and back for a deletion', async (t) => {
    const { folder, running } = await watched(t, { 'a.yaml': a, 'b.yaml': b });
    const file = join(folder, 'a.yaml');
    for (const port of [2, 3]) {
      renameSync(file, join(folder, 'a.yaml~'));
      await sleep(50);
      writeFileSync(file, serviceYaml('a', port));
      await running.untilPorts({ 'Service/a': port, 'Service/b': 1 });
    }
    assert.ok(running.updates.every(({ writes }) => writes.every(({ op }) => op === 'put')));
  });

  it('lets a file go that stays empty', async (t) => {
    const { running, write } = await watched(t, { 'a.yaml': a, 'b.yaml': b });
    write('a.yaml', '');
    await running.untilPorts({ 'Service/b': 1 });
  });

  it('moves an object from one file to another without a gap or a duplicate', async (t) => {
    const { running, write } = await watched(t, { 'a.yaml': `${a}---\n${b}`, 'c.yaml': '# c\n' });
    write('a.yaml', a);
    write('c.yaml', serviceYaml('b', 2));
    await running.untilPorts({ 'Service/a': 1, 'Service/b': 2 });
    await sleep(LONG_MS);
    assert.deepEqual(running.ports, { 'Service/a': 1, 'Service/b': 2 });
    const seen = running.updates.flatMap(({ findings, writes }) => [
      ...findings.map(({ reason }) => reason),
      ...writes.map(({ op }) => op),
    ]);
    assert.deepEqual(new Set(seen), new Set(['put']));
  });

  it('follows the links of a mounted ConfigMap when they are swapped', async (t) => {
    const folder = testFolder(t);
    const publish = (version: string, port: number): void => {
      mkdirSync(join(folder, `..${version}`));
      writeFileSync(join(folder, `..${version}`, 'a.yaml'), serviceYaml('a', port));
      symlinkSync(`..${version}`, join(folder, '..data_tmp'));
      renameSync(join(folder, '..data_tmp'), join(folder, '..data'));
    };
    publish('v1', 1);
    symlinkSync('..data/a.yaml', join(folder, 'a.yaml'));
    const running = await startSource(t, { paths: [folder] });
    assert.deepEqual(running.ports, { 'Service/a': 1 });
    publish('v2', 2);
    await running.untilPorts({ 'Service/a': 2 });
    publish('v3', 3);
    rmSync(join(folder, '..v2'), { recursive: true });
    await running.untilPorts({ 'Service/a': 3 });
  });

  it('sees changes of a file that a link in it points to', async (t) => {
    const outside = testFolder(t);
    writeFileSync(join(outside, 'real.yaml'), a);
    const folder = testFolder(t);
    symlinkSync(join(outside, 'real.yaml'), join(folder, 'link.yaml'));
    const running = await startSource(t, { paths: [folder] });
    writeFileSync(join(outside, 'real.yaml'), serviceYaml('a', 2));
    await running.untilPorts({ 'Service/a': 2 });
  });

  it('is no longer watched when the signal aborts', async (t) => {
    const { folder, running } = await watched(t, { 'a.yaml': a });
    running.stop();
    writeFileSync(join(folder, 'a.yaml'), serviceYaml('a', 2));
    await sleep(LONG_MS);
    assert.equal(running.updates.length, 1);
    assert.ok(!process.getActiveResourcesInfo().includes('FSEventWrap'));
  });

  it('is not watched at all when the signal aborts before there is a first update', async (t) => {
    const folder = testFolder(t);
    writeFileSync(join(folder, 'a.yaml'), a);
    const running = new RunningSource({ paths: ['-', folder], stdin: new PassThrough() });
    const started = running.start();
    running.stop();
    await started;
    assert.equal(running.updates.length, 0);
    assert.ok(!process.getActiveResourcesInfo().includes('FSEventWrap'));
  });
});

describe('a mistake in a watched file', () => {
  it('in its syntax keeps the whole file as it was, until it is mended', async (t) => {
    const { running, write } = await watched(t, { 'a.yaml': `${a}---\n${b}` });
    write('a.yaml', serviceYaml('a', 2), 'x: "y\n');
    const finding = await running.untilFinding('InvalidYAML');
    assert.equal(finding.origin.position?.line, 11);
    assert.deepEqual(running.ports, { 'Service/a': 1, 'Service/b': 1 });
    const entry = running.entries.get('Service/b');
    assert.ok(entry);
    assert.equal(running.source.locate(entry.source, 'metadata.name')?.line, 14);
    write('a.yaml', serviceYaml('a', 3));
    await running.untilPorts({ 'Service/a': 3 });
    assert.equal(running.finding('InvalidYAML'), undefined);
  });

  it('in one object keeps that object, and the others go on', async (t) => {
    const { running, write } = await watched(t, { 'a.yaml': `${a}---\n${b}` });
    write('a.yaml', serviceYaml('a', 0), serviceYaml('b', 2));
    const finding = await running.untilFinding('Invalid');
    assert.deepEqual(finding.origin.object, { kind: 'Service', namespace: 'shop', name: 'a' });
    await running.untilPorts({ 'Service/a': 1, 'Service/b': 2 });
    write('a.yaml', serviceYaml('b', 2));
    await running.untilPorts({ 'Service/b': 2 });
  });

  it('in its size keeps the file as it was', async (t) => {
    const { running, write } = await watched(
      t,
      { 'a.yaml': a },
      { limits: { fileBytesMax: 1000 } },
    );
    write('a.yaml', '#'.repeat(2000));
    await running.untilFinding('FileTooLarge');
    assert.deepEqual(running.ports, { 'Service/a': 1 });
    write('a.yaml', serviceYaml('a', 2));
    await running.untilPorts({ 'Service/a': 2 });
    assert.equal(running.finding('FileTooLarge'), undefined);
  });

  it('in its permissions keeps the file, or the folder, as it was', async (t) => {
    if (process.getuid?.() === 0) return t.skip('root can read everything');
    const { folder, running } = await watched(t, { 'a.yaml': a, 'sub/b.yaml': b });
    try {
      chmodSync(join(folder, 'a.yaml'), 0);
      chmodSync(join(folder, 'sub'), 0);
      await running.untilFinding('FileUnreadable');
      await running.untilFinding('PathUnreadable');
      await sleep(LONG_MS);
      assert.deepEqual(running.ports, { 'Service/a': 1, 'Service/b': 1 });
    } finally {
      chmodSync(join(folder, 'a.yaml'), 0o600);
      chmodSync(join(folder, 'sub'), 0o700);
    }
    await running.untilNoFinding('FileUnreadable');
    await running.untilNoFinding('PathUnreadable');
    return undefined;
  });

  it('of a duplicate: the other declaration takes over when the first goes away', async (t) => {
    const { folder, running, write } = await watched(t, { 'b.yaml': a });
    write('a.yaml', serviceYaml('a', 2));
    await running.untilPorts({ 'Service/a': 2 });
    assert.ok(running.finding('Duplicate'));
    unlinkSync(join(folder, 'a.yaml'));
    await running.untilPorts({ 'Service/a': 1 });
    assert.equal(running.finding('Duplicate'), undefined);
    assert.ok(running.updates.every(({ writes }) => writes.every(({ op }) => op === 'put')));
  });
});

describe('a path given by the user', () => {
  for (const kind of ['folder', 'file'] as const) {
    it(`keeps its objects when it disappears, and goes on when it is back: a ${kind}`, async (t) => {
      const root = testFolder(t);
      const path = kind === 'folder' ? join(root, 'k8s') : join(root, 'a.yaml');
      const file = kind === 'folder' ? join(path, 'a.yaml') : path;
      const write = (port: number): void => {
        mkdirSync(join(file, '..'), { recursive: true });
        writeFileSync(file, serviceYaml('a', port));
      };
      write(1);
      const running = await startSource(t, { paths: [path] });
      for (const port of [2, 3]) {
        rmSync(path, { recursive: true });
        const finding = await running.untilFinding('PathMissing');
        assert.match(finding.message, /no such file or folder; its 1 objects stay as they were$/);
        assert.deepEqual(running.ports, { 'Service/a': port - 1 });
        write(port);
        await running.untilPorts({ 'Service/a': port });
        await running.untilNoFinding('PathMissing');
      }
    });
  }

  it('is read as soon as it is there, when it was missing from the start', async (t) => {
    const root = testFolder(t);
    writeFileSync(join(root, 'a.yaml'), a);
    const running = await startSource(t, { paths: [join(root, 'a.yaml'), join(root, 'x/y/z')] });
    assert.ok(running.finding('PathMissing'));
    mkdirSync(join(root, 'x/y/z'), { recursive: true });
    writeFileSync(join(root, 'x/y/z/b.yaml'), b);
    await running.untilPorts({ 'Service/a': 1, 'Service/b': 1 });
    await running.untilNoFinding('PathMissing');
  });

  it('may be a link that is swapped', async (t) => {
    const root = testFolder(t);
    for (const port of [1, 2]) {
      mkdirSync(join(root, `v${port}`));
      writeFileSync(join(root, `v${port}`, 'a.yaml'), serviceYaml('a', port));
    }
    symlinkSync('v1', join(root, 'current'));
    const running = await startSource(t, { paths: [join(root, 'current')] });
    symlinkSync('v2', join(root, 'next'));
    renameSync(join(root, 'next'), join(root, 'current'));
    await running.untilPorts({ 'Service/a': 2 });
  });
});

describe('a watched kustomization', () => {
  /** Stands in for kubectl: prints the Services of the folder, or fails when there is a file `broken`. */
  const SCRIPT = '#!/bin/sh\n[ -e "$2/broken" ] && { echo broken >&2; exit 1; }\ncat "$2"/*.part\n';

  it('is rendered anew when one of its files changes, and keeps what it was when that fails', async (t) => {
    const root = testFolder(t);
    const kubectl = join(root, 'kubectl');
    writeFileSync(kubectl, SCRIPT);
    chmodSync(kubectl, 0o755);
    const folder = join(root, 'k8s');
    mkdirSync(join(folder, 'app'), { recursive: true });
    const kustomization = join(folder, 'app/kustomization.yaml');
    writeFileSync(kustomization, 'resources: []\n');
    writeFileSync(join(folder, 'app/1.part'), a);
    writeFileSync(join(folder, 'b.yaml'), b);
    const running = await startSource(t, { paths: [folder], kubectl });
    assert.deepEqual(running.ports, { 'Service/a': 1, 'Service/b': 1 });
    const source = running.entries.get('Service/a')?.source;
    assert.ok(source);
    const position = { file: kustomization, line: 1, column: 1 };
    assert.deepEqual(running.source.locate(source, 'spec.ports[0].port'), position);

    writeFileSync(join(folder, 'app/1.part'), serviceYaml('a', 2));
    await running.untilPorts({ 'Service/a': 2, 'Service/b': 1 });

    writeFileSync(join(folder, 'app/broken'), '');
    const finding = await running.untilFinding('KustomizeFailed');
    assert.match(finding.message, /broken/);
    assert.deepEqual(finding.origin.position, position);
    assert.deepEqual(running.ports, { 'Service/a': 2, 'Service/b': 1 });

    unlinkSync(join(folder, 'app/broken'));
    await running.untilNoFinding('KustomizeFailed');
    rmSync(join(folder, 'app'), { recursive: true });
    await running.untilPorts({ 'Service/b': 1 });
  });

  it('is a finding when there is no kubectl, and the other files go on', async (t) => {
    const folder = testFolder(t);
    mkdirSync(join(folder, 'app'));
    writeFileSync(join(folder, 'app/kustomization.yaml'), 'resources: [a.yaml]\n');
    writeFileSync(join(folder, 'app/a.yaml'), a);
    writeFileSync(join(folder, 'b.yaml'), b);
    const running = await startSource(t, { paths: [folder], kubectl: join(folder, 'none') });
    assert.deepEqual(running.ports, { 'Service/b': 1 });
    assert.match(running.finding('KustomizeFailed')?.message ?? '', /it is not installed/);
  });
});

describe('where folders cannot be watched', () => {
  for (const code of ['ENOSPC', 'EMFILE']) {
    it(`files are polled, and that is told: ${code}`, async (t) => {
      const openWatcher = (() => {
        throw Object.assign(new Error(code), { code });
      }) as typeof watch;
      const { running, write } = await watched(t, { 'a.yaml': a }, { openWatcher });
      const finding = running.finding('WatchUnavailable');
      assert.match(finding?.hint ?? '', /sysctl fs\.inotify/);
      write('a.yaml', serviceYaml('a', 2));
      await running.untilPorts({ 'Service/a': 2 });
    });
  }

  it('watching goes on once it is possible again', async (t) => {
    let isBroken = true;
    const openWatcher = ((...args: Parameters<typeof watch>) => {
      if (isBroken) throw Object.assign(new Error('ENOSPC'), { code: 'ENOSPC' });
      return watch(...args);
    }) as typeof watch;
    const { running } = await watched(t, { 'a.yaml': a }, { openWatcher });
    assert.ok(running.finding('WatchUnavailable'));
    isBroken = false;
    await running.untilNoFinding('WatchUnavailable');
  });
});

describe('whatever happens to the files of a folder', () => {
  const name = fc.constantFrom('a', 'b', 'c');
  const file = fc.constantFrom('a.yaml', 'b.yaml', 'sub/c.yaml');
  const step = fc.oneof(
    fc.record({
      type: fc.constant('write' as const),
      file,
      documents: fc.array(fc.tuple(name, fc.integer({ min: 1, max: 9 })), { maxLength: 3 }),
      isAtomic: fc.boolean(),
    }),
    fc.record({ type: fc.constant('remove' as const), file }),
    fc.record({ type: fc.constant('removeFolder' as const) }),
    fc.record({ type: fc.constant('rename' as const), file, to: file }),
    fc.record({ type: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 60 }) }),
  );

  it('the source ends where a new one begins', async (t) => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const { folder, running, write } = await watched(t, { 'a.yaml': a });
        const at = (one: string): string => join(folder, one);
        for (const one of steps) {
          switch (one.type) {
            case 'write': {
              const documents = one.documents.map(([what, port]) => serviceYaml(what, port));
              write(one.isAtomic ? `${one.file}.tmp` : one.file, ...documents);
              if (one.isAtomic) renameSync(at(`${one.file}.tmp`), at(one.file));
              break;
            }
            case 'remove':
              rmSync(at(one.file), { force: true });
              break;
            case 'removeFolder':
              rmSync(at('sub'), { recursive: true, force: true });
              break;
            case 'rename':
              if (!existsSync(at(one.file))) break;
              mkdirSync(at('sub'), { recursive: true });
              renameSync(at(one.file), at(one.to));
              break;
            case 'wait':
              await sleep(one.ms);
              break;
          }
        }
        // Elsewhere, so that all events are those of the steps.
        const copy = testFolder(t);
        cpSync(folder, copy, { recursive: true });
        const fresh = await startSource(t, { paths: [copy], watch: false });
        await running.untilPorts(fresh.ports);
        await running.until(
          () => running.findings.length === fresh.findings.length,
          'the same findings',
        );
        running.stop();
      }),
      { numRuns: 25, endOnFailure: true },
    );
  });
});
