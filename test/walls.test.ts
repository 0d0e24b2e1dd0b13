// The walls between folders: who may import whom, what pure code may not touch, and what no file may
// hold. A wall is moved on purpose, here and in ARCHITECTURE.md, with the reason there.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';

const root = join(import.meta.dirname, '..');
const files = globSync('src/**/*.{ts,cjs}', { cwd: root }).map((file) => ({
  file,
  text: readFileSync(join(root, file), 'utf8'),
}));

const FOLDERS = [
  'api',
  'apiserver',
  'certificates',
  'cli',
  'config',
  'controllers',
  'lib',
  'lower',
  'migrate',
  'model',
  'pipeline',
  'resolve',
  'runtime',
  'sources',
  'store',
  'targets',
  'telemetry',
];

function everything(...but: readonly string[]): readonly string[] {
  return FOLDERS.filter((folder) => !but.includes(folder));
}

/** Folder → what it may import besides itself. A target may never import another target. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  lib: [],
  telemetry: ['lib'],
  api: ['lib'],
  config: ['lib', 'api'],
  store: ['api', 'lib'],
  model: ['lib'],
  resolve: ['model', 'api', 'store', 'lib'],
  lower: ['model', 'lib'],
  migrate: ['resolve', 'model', 'api', 'store', 'lib'],
  targets: ['model', 'lower', 'telemetry', 'lib'],
  sources: ['api', 'store', 'telemetry', 'lib'],
  apiserver: ['api', 'store', 'telemetry', 'lib'],
  controllers: ['api', 'store', 'telemetry', 'lib'],
  certificates: ['api', 'store', 'telemetry', 'lib'],
  runtime: ['api', 'store', 'telemetry', 'lib'],
  pipeline: everything('cli', 'pipeline'),
  cli: everything('cli'),
};

/** Same bytes in, same bytes out: no network, no files, no processes, no time, no chance. */
const PURE = [
  'src/store/',
  'src/resolve/',
  'src/model/',
  'src/lower/',
  'src/migrate/',
  'src/controllers/',
  'src/apiserver/discovery/',
  'src/apiserver/openapi/',
  'src/apiserver/protobuf/',
];
const PURE_FILES = [
  'src/targets/proxy/compile.ts',
  'src/targets/proxy/render.ts',
  'src/targets/proxy/trace.ts',
  ...['commands', 'compile', 'frame', 'render', 'text', 'trace'].map(
    (file) => `src/targets/nftables/${file}.ts`,
  ),
  ...['compile', 'frame', 'text', 'trace'].map((file) => `src/targets/iptables/${file}.ts`),
  ...['compile', 'frame', 'sets', 'state', 'text', 'trace'].map(
    (file) => `src/targets/ipvs/${file}.ts`,
  ),
];
const IMPURE_IMPORT =
  /from 'node:(?:net|dns|fs|http|https|http2|child_process|timers|tls|dgram|os)(?:\/[a-z]+)?'/;
const IMPURE_CALL =
  /\b(?:Date\.now\(|new Date\(\)|Math\.random\(|performance\.now\(|process\.env|setTimeout\(|setInterval\()/;
/** The store stamps objects with the time, by a clock that can be given to it. */
const IMPURE_ALLOWED = new Set(['src/store/store.ts']);

interface Import {
  readonly from: string;
  readonly to: string;
}

function isTest(file: string): boolean {
  return /\.test\.ts$|\/testing\/|\/testing\.ts$|test-support\.ts$/.test(file);
}

function importsOf(file: string, text: string): readonly Import[] {
  const specifiers = text.matchAll(/(?:from|import\()\s*'(\.[^']+)'/g);
  return Array.from(specifiers, ([, specifier = '']) => ({
    from: file,
    to: relative(root, join(root, dirname(file), specifier)),
  }));
}

function folderOf(file: string): string {
  return file.split('/')[1] ?? '';
}

function targetOf(file: string): string | undefined {
  const [, folder, target, rest] = file.split('/');
  return folder === 'targets' && rest !== undefined ? target : undefined;
}

describe('the walls', () => {
  const imports = files
    .filter(({ file }) => !isTest(file))
    .flatMap(({ file, text }) => importsOf(file, text));

  it('are looked at', () => {
    assert.ok(files.length > 100, `only ${files.length} files were found`);
    assert.ok(imports.length > 300, `only ${imports.length} imports were found`);
  });

  it('name every folder', () => {
    const folders = new Set(files.map(({ file }) => folderOf(file)));
    assert.deepEqual(
      [...folders].filter((f) => MAY_IMPORT[f] === undefined),
      [],
    );
  });

  it('keep folders apart', () => {
    const broken = imports.filter(({ from, to }) => {
      const [a, b] = [folderOf(from), folderOf(to)];
      return a !== b && !(MAY_IMPORT[a] ?? []).includes(b);
    });
    assert.deepEqual(broken, []);
  });

  it('keep targets apart from each other', () => {
    const broken = imports.filter(({ from, to }) => {
      const [a, b] = [targetOf(from), targetOf(to)];
      return a !== undefined && b !== undefined && a !== b;
    });
    assert.deepEqual(broken, []);
  });

  it('keep the data path out of reach of the control plane, and the reverse', () => {
    const intoDatapath = imports.filter(
      ({ from, to }) => to.includes('/datapath/') && !from.startsWith('src/targets/proxy/'),
    );
    // Limits are what a user sets; they are plain numbers.
    assert.deepEqual(
      intoDatapath.filter(({ to }) => !to.endsWith('/limits.ts')),
      [],
    );
  });

  it('keep pure code pure', () => {
    const broken = files.filter(
      ({ file, text }) =>
        (PURE.some((folder) => file.startsWith(folder)) || PURE_FILES.includes(file)) &&
        !isTest(file) &&
        !IMPURE_ALLOWED.has(file) &&
        (IMPURE_IMPORT.test(text) || IMPURE_CALL.test(text)),
    );
    assert.deepEqual(
      broken.map(({ file }) => file),
      [],
    );
  });
});

describe('every file', () => {
  it('begins by saying what it is', () => {
    const silent = files.filter(
      ({ text, file }) => !/^(?:#!.*\n)?(?:'use strict';\n\n?)?\/\//.test(text) && !isTest(file),
    );
    assert.deepEqual(
      silent.map(({ file }) => file),
      [],
    );
  });

  it('holds no leftovers', () => {
    const leftovers = /\bTODO(?!\(#\d+\))|\bFIXME\b|\bXXX\b|\bconsole\.log\(/;
    const found = files.filter(({ text, file }) => leftovers.test(text) && !isTest(file));
    assert.deepEqual(
      found.map(({ file }) => file),
      [],
    );
  });

  it('is imported by another, or is an entry', () => {
    const imported = new Set(
      files.flatMap(({ file, text }) => importsOf(file, text)).map((i) => i.to),
    );
    const byUrl = files.flatMap(({ file, text }) =>
      Array.from(text.matchAll(/new URL\('(\.[^']+)'/g), ([, specifier = '']) =>
        relative(root, join(root, dirname(file), specifier)),
      ),
    );
    const entries = new Set(['src/cli/main.ts', 'src/model/trace-packet.ts', ...byUrl]);
    // Probes ask the tracer of each target, and probes are tests.
    const isTracer = (file: string): boolean => /^src\/targets\/[^/]+\/trace\.ts$/.test(file);
    const dead = files.filter(
      ({ file }) => !imported.has(file) && !entries.has(file) && !isTracer(file) && !isTest(file),
    );
    assert.deepEqual(
      dead.map(({ file }) => file),
      [],
    );
  });
});
