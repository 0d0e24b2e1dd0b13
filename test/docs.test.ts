// What the documentation says about names and numbers is what the code has, and its links lead somewhere.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { CONFIGURATION } from '../src/config/config.ts';
import { VERSION } from '../src/cli/version.ts';
import { DEFAULT_LIMITS } from '../src/targets/proxy/datapath/limits.ts';
import type { Node } from '../src/api/schema/schema.ts';
import { BIN, folder, ownEnvironment } from './support/fairway.ts';

const root = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(root, file), 'utf8');

describe('the documentation', () => {
  it('has no dead links', () => {
    const dead = globSync(['*.md', 'docs/**/*.md', 'src/**/*.md', 'testdata/**/*.md'], {
      cwd: root,
    }).flatMap((file) =>
      Array.from(
        read(file).matchAll(/\]\((?!https?:|#)([^)#]+)(?:#[^)]*)?\)/g),
        ([, link = '']) => ({ file, link }),
      ).filter(({ link }) => !existsSync(join(root, dirname(file), link))),
    );
    assert.deepEqual(dead, []);
  });

  it('lists every error code, and none that is gone', () => {
    const used = globSync('src/**/*.ts', { cwd: root })
      .filter((file) => !file.endsWith('.test.ts'))
      .flatMap((file) =>
        Array.from(read(file).matchAll(/'(FW_[A-Z_]+)'/g), ([, code = '']) => code),
      );
    const listed = Array.from(
      read('docs/errors.md').matchAll(/^\| `(FW_[A-Z_]+)`/gm),
      ([, code]) => code,
    );
    assert.deepEqual(listed, [...new Set(used)].toSorted());
  });

  it('shows what explain prints', () => {
    const sample = /```\n\$ bin\/fairway (explain [^\n]*)\n([^`]*)```/.exec(read('README.md'));
    assert.ok(sample, 'README.md has a sample of explain');
    const [, command = '', shown = ''] = sample;
    const home = folder({});
    const args = command.replaceAll("'", '').replace('x-version: 2', 'x-version:2').split(' ');
    const { stdout } = spawnSync(BIN, args, {
      cwd: root,
      env: ownEnvironment(home.path),
      encoding: 'utf8',
    });
    home.remove();
    // What is left out of a line, or of the whole, stands for anything.
    const printed = stdout.split('\n');
    const missing = shown
      .split('\n')
      .map((line) => line.replace(/…$/, ''))
      .filter((line) => line !== '' && !printed.some((one) => one.startsWith(line)));
    assert.deepEqual(missing, []);
  });

  it('tells the version of the package', () => {
    assert.equal((JSON.parse(read('package.json')) as { version: string }).version, VERSION);
  });

  it('lists every limit with its default', () => {
    const listed = Array.from(
      read('docs/limits.md').matchAll(/^\| `(\w+)` \| ([0-9,]+) \|/gm),
      ([, name, value = '']) => [name, Number(value.replaceAll(',', ''))],
    );
    assert.deepEqual(Object.fromEntries(listed), DEFAULT_LIMITS);
  });

  it('lists every field of the configuration', () => {
    const listed = Array.from(
      read('docs/configuration.md').matchAll(/^\| `([\w.[\]]+)` \|/gm),
      ([, path]) => path,
    );
    assert.deepEqual(listed, leaves(CONFIGURATION, ''));
  });
});

/** Paths of all fields that are no objects, in their order. */
function leaves(node: Node, path: string): readonly string[] {
  if (node.type === 'object') {
    return [...node.fields]
      .filter(([name]) => path !== '' || (name !== 'apiVersion' && name !== 'kind'))
      .flatMap(([name, field]) => leaves(field.node, path === '' ? name : `${path}.${name}`));
  }
  if (node.type === 'list' && node.items.type === 'object') return leaves(node.items, `${path}[]`);
  return [path];
}
