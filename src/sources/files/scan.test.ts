import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  linkSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { scan } from './scan.ts';
import type { Scan } from './scan.ts';
import { testFolder } from './testing.ts';

const LIMITS = { filesMax: 1000 };

/** Makes files (and the folders they are in) and gives the folder they are in. */
function folderWith(t: TestContext, ...files: readonly string[]): string {
  const folder = testFolder(t);
  for (const file of files) {
    mkdirSync(join(folder, file, '..'), { recursive: true });
    writeFileSync(join(folder, file), '');
  }
  return folder;
}

function filesOf(found: Scan, folder: string): readonly string[] {
  return found.files.map(({ file }) => relative(folder, file));
}

describe('a scan', () => {
  it('says what it leaves out though its name is that of a file with objects', (t) => {
    const folder = folderWith(t, 'a.yaml');
    symlinkSync('nowhere', join(folder, 'dangling.yaml'));
    symlinkSync('nowhere', join(folder, 'was-a-folder'));
    symlinkSync('round.yaml', join(folder, 'round.yaml'));
    symlinkSync('nowhere', join(folder, '.#a.yaml'));
    execFileSync('mkfifo', [join(folder, 'pipe.yaml'), join(folder, 'other-pipe')]);
    const found = scan([folder], LIMITS);
    assert.deepEqual(filesOf(found, folder), ['a.yaml']);
    assert.deepEqual(
      found.skipped.map(({ path, why }) => `${relative(folder, path)} ${why}`),
      [
        'dangling.yaml is a symbolic link to nothing',
        'pipe.yaml is a named pipe',
        'round.yaml is a symbolic link that cannot be followed: its symbolic links go round in a circle',
        'was-a-folder is a symbolic link to nothing',
      ],
    );
  });

  it('finds YAML and JSON in a folder and below, in the order of names', (t) => {
    const folder = folderWith(
      t,
      'b.yml',
      'B.yaml',
      'a.json',
      'sub/deep/x.yaml',
      'sub.yaml',
      'README.md',
      'a.yaml.bak',
      'node_modules/p/x.yaml',
      '.git/x.yaml',
      '.hidden.yaml',
    );
    const expected = ['B.yaml', 'a.json', 'b.yml', 'sub/deep/x.yaml', 'sub.yaml'];
    assert.deepEqual(filesOf(scan([folder], LIMITS), folder), expected);
    const { files } = scan([folder], LIMITS);
    const orders = files.map(({ order }) => order);
    assert.deepEqual(orders, orders.toSorted());
  });

  it('takes any file that is named, whatever it is called', (t) => {
    const folder = folderWith(t, 'manifest', '.hidden.yaml');
    const paths = ['manifest', '.hidden.yaml'].map((name) => join(folder, name));
    assert.deepEqual(filesOf(scan(paths, LIMITS), folder), ['manifest', '.hidden.yaml']);
  });

  it('keeps the order of the paths, and counts what two of them lead to once', (t) => {
    const folder = folderWith(t, 'a.yaml', 'z/b.yaml');
    const paths = [join(folder, 'z'), folder, join(folder, 'a.yaml')];
    assert.deepEqual(filesOf(scan(paths, LIMITS), folder), ['z/b.yaml', 'a.yaml']);
  });

  it('follows symbolic links once and is safe from loops', (t) => {
    const folder = folderWith(t, 'real/a.yaml', 'outside/b.yaml');
    const inside = join(folder, 'real');
    symlinkSync('..', join(inside, 'loop'));
    symlinkSync(join(folder, 'outside'), join(inside, 'link'));
    symlinkSync(join(folder, 'outside'), join(inside, 'link2'));
    symlinkSync('nowhere', join(inside, 'dangling.yaml'));
    symlinkSync('self.yaml', join(inside, 'self.yaml'));
    symlinkSync('a.yaml', join(inside, 'z.yaml'));
    assert.deepEqual(filesOf(scan([inside], LIMITS), inside), ['a.yaml', 'link/b.yaml']);
  });

  it('takes hard links for files of their own', (t) => {
    const folder = folderWith(t, 'a.yaml');
    linkSync(join(folder, 'a.yaml'), join(folder, 'b.yaml'));
    assert.deepEqual(filesOf(scan([folder], LIMITS), folder), ['a.yaml', 'b.yaml']);
  });

  it('does not go into a folder with a kustomization, and sees changes of what it uses', (t) => {
    const folder = folderWith(t, 'app/kustomization.yaml', 'app/x.yaml', 'base/y.yaml', 'z.yaml');
    writeFileSync(join(folder, 'app/kustomization.yaml'), 'resources: [x.yaml, ../base]\n');
    const paths = [join(folder, 'app'), join(folder, 'z.yaml')];
    const before = scan(paths, LIMITS);
    assert.deepEqual(filesOf(before, folder), ['app/kustomization.yaml', 'z.yaml']);
    assert.equal(before.files[0]?.type, 'kustomization');
    assert.ok(before.folders.has(join(folder, 'base')));
    utimesSync(join(folder, 'base/y.yaml'), 1, 1);
    const after = scan(paths, LIMITS);
    assert.notEqual(after.files[0]?.identity, before.files[0].identity);
    assert.equal(after.files[1]?.identity, before.files[1]?.identity);
  });

  it('tells what is not there, what has nothing to read, and where it stopped', (t) => {
    const folder = folderWith(t, 'a.yaml', 'b.yaml', 'empty/README.md');
    const found = scan([join(folder, 'none'), join(folder, 'empty')], LIMITS);
    assert.deepEqual([...found.lost], [[0, { path: join(folder, 'none'), code: 'ENOENT' }]]);
    assert.deepEqual(found.empty, [1]);
    const cut = scan([folder], { filesMax: 1 });
    assert.deepEqual(filesOf(cut, folder), ['a.yaml']);
    assert.ok(cut.isCutOff);
    assert.ok(!scan([folder], { filesMax: 2 }).isCutOff);
  });

  it('tells which folders cannot be read', (t) => {
    if (process.getuid?.() === 0) return t.skip('root can read every folder');
    const folder = folderWith(t, 'a.yaml', 'closed/b.yaml');
    chmodSync(join(folder, 'closed'), 0);
    const found = scan([folder], LIMITS);
    chmodSync(join(folder, 'closed'), 0o700);
    assert.deepEqual(filesOf(found, folder), ['a.yaml']);
    assert.deepEqual(found.unreadable, [{ path: join(folder, 'closed'), code: 'EACCES' }]);
    return undefined;
  });

  it('gives a file another identity with every change, and none without', (t) => {
    const folder = folderWith(t, 'a.yaml');
    const path = join(folder, 'a.yaml');
    const identity = (): string | undefined => scan([folder], LIMITS).files[0]?.identity;
    const before = identity();
    assert.equal(identity(), before);
    writeFileSync(path, 'x');
    const changed = identity();
    assert.notEqual(changed, before);
    writeFileSync(join(folder, 'new'), 'y');
    renameSync(join(folder, 'new'), path);
    assert.notEqual(identity(), changed);
  });

  it('names the folders to watch: all below, and those in which a path would appear', (t) => {
    const folder = folderWith(t, 'a/b/x.yaml', 'c.yaml');
    const { folders } = scan(
      [join(folder, 'a'), join(folder, 'c.yaml'), join(folder, 'no/such/path')],
      LIMITS,
    );
    assert.equal(folders.get(join(folder, 'a'))?.names, 'all');
    assert.equal(folders.get(join(folder, 'a/b'))?.names, 'all');
    assert.deepEqual(folders.get(folder)?.names, new Set(['a', 'c.yaml', 'no']));
    rmSync(join(folder, 'a'), { recursive: true });
    assert.ok(!scan([join(folder, 'a')], LIMITS).folders.has(join(folder, 'a')));
  });
});
