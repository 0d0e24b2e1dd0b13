// A folder with a kustomization → the objects it comes to, by running `kubectl kustomize`: the same
// program and version the user deploys with. It needs no cluster.

import { spawn } from 'node:child_process';
import type { FilesLimits } from './limits.ts';
import type { Refusal } from './version.ts';

export type Rendered = { readonly bytes: Buffer } | { readonly refusal: Refusal };

export interface RenderOptions {
  /** The program to run. */
  readonly kubectl: string;
  readonly limits: Pick<FilesLimits, 'renderBytesMax' | 'renderTimeoutMs'>;
  readonly signal: AbortSignal;
}

const ERROR_CHARS_MAX = 500;

/** Renders a folder. Never rejects: what goes wrong is a refusal that says what to do. */
export async function renderKustomization(
  folder: string,
  { kubectl, limits, signal }: RenderOptions,
): Promise<Rendered> {
  const { promise, resolve } = Promise.withResolvers<Rendered>();
  const child = spawn(kubectl, ['kustomize', folder], {
    stdio: ['ignore', 'pipe', 'pipe'],
    signal: AbortSignal.any([signal, AbortSignal.timeout(limits.renderTimeoutMs)]),
    killSignal: 'SIGKILL',
  });
  const output: Buffer[] = [];
  let outputBytes = 0;
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => {
    outputBytes += chunk.length;
    if (outputBytes <= limits.renderBytesMax) output.push(chunk);
    else child.kill('SIGKILL');
  });
  child.stderr.on('data', (chunk: Buffer) => {
    if (errors.length < ERROR_CHARS_MAX) errors += chunk.toString();
  });
  child.on('error', (error) => resolve({ refusal: spawnRefusal(kubectl, folder, error, limits) }));
  child.on('close', (code) => {
    if (outputBytes > limits.renderBytesMax) resolve({ refusal: sizeRefusal(limits) });
    else if (code === 0) resolve({ bytes: Buffer.concat(output) });
    else resolve({ refusal: failure(folder, errors) });
  });
  return await promise;
}

function spawnRefusal(
  kubectl: string,
  folder: string,
  error: NodeJS.ErrnoException,
  limits: RenderOptions['limits'],
): Refusal {
  if (error.name === 'AbortError') {
    return failed(
      `${kubectl} kustomize took longer than ${limits.renderTimeoutMs} ms (limit renderTimeoutMs)`,
      'Resources that are fetched from elsewhere are slow: keep copies in the folder.',
    );
  }
  const reason = error.code === 'ENOENT' ? 'it is not installed' : error.message;
  return failed(
    `${kubectl}, which renders kustomizations, cannot be run: ${reason}`,
    `Install kubectl, or render it yourself: kustomize build ${folder} | fairway up -`,
  );
}

function sizeRefusal({ renderBytesMax }: RenderOptions['limits']): Refusal {
  return failed(
    `the kustomization comes to more than ${renderBytesMax} bytes (limit renderBytesMax)`,
    'Split it into several folders.',
  );
}

function failure(folder: string, errors: string): Refusal {
  const text = errors.trim().slice(0, ERROR_CHARS_MAX);
  return failed(
    `the kustomization cannot be rendered: ${text === '' ? 'no reason was given' : text}`,
    `Try it: kubectl kustomize ${folder}`,
  );
}

function failed(message: string, hint: string): Refusal {
  return { reason: 'KustomizeFailed', message, hint };
}
