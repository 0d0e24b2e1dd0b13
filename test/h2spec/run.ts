// h2spec (github.com/summerwind/h2spec) against our HTTP/2: every case of RFC 7540 and HPACK, strictly, in
// plain text by prior knowledge and in TLS by ALPN. Built from its Go module into Go's own cache.
//
//   bin/node test/h2spec/run.ts      what follows is for h2spec, as http2/6.9
//
// Ends with 1 when a case fails that is not named below, with why.

import { spawn, spawnSync } from 'node:child_process';
import { createServer } from 'node:http';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Certificate } from '../../src/model/model.ts';
import {
  backendOf,
  listenAny,
  modelOf,
  newProxy,
  ORIGIN,
  serve,
} from '../../src/targets/proxy/testing/rig.ts';

const MODULE = 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible';
const ADDRESS = '127.80.207.1';
const PORTS = { http: 18096, https: 18097 };
const BUILD_MS_MAX = 300_000;
const RUN_MS_MAX = 300_000;

/** Cases that cannot pass as they are written, each with why. */
const EXPECTED: readonly { readonly name: RegExp; readonly why: string }[] = [
  {
    name: /^2: Sends invalid connection preface$/,
    why: 'on a plain port that is no HTTP/2, and answered 400 in HTTP/1.1, which h2spec cannot read',
  },
];

export interface SpecResult {
  /** Why it could not be run; null when it was. */
  readonly skipped: string | null;
  readonly passed: number;
  readonly failures: readonly string[];
}

export async function runH2spec(args: readonly string[] = []): Promise<SpecResult> {
  const none = { passed: 0, failures: [] };
  if (spawnSync('go', ['version']).status !== 0) return { ...none, skipped: 'Go is not installed' };
  const folder = spawnSync('go', ['env', 'GOPATH'], { encoding: 'utf8' }).stdout.trim();
  const program = join(folder, 'bin', 'h2spec');
  if (!existsSync(program)) {
    const built = spawnSync('go', ['install', MODULE], { encoding: 'utf8', timeout: BUILD_MS_MAX });
    if (built.status !== 0) {
      return { ...none, skipped: `h2spec cannot be built: ${built.stderr.trim()}` };
    }
  }
  const backend = createServer((incoming, response) => {
    incoming.resume();
    incoming.on('end', () => response.end('ok'));
  });
  const proxy = newProxy();
  try {
    const rules = [{ path: '/', backend: 'b' }];
    const model = modelOf(
      ADDRESS,
      [
        { port: PORTS.http, protocol: 'http', rules },
        { port: PORTS.https, protocol: 'https', rules, certificates: ['c'] },
      ],
      [backendOf('b', 'http', [await listenAny(backend)])],
      [certificate()],
    );
    await serve(proxy, model);
    const plain = await run(program, ['-p', String(PORTS.http), ...args]);
    const tls = await run(program, ['-p', String(PORTS.https), '-t', '-k', ...args]);
    return {
      skipped: null,
      passed: plain.passed + tls.passed,
      failures: [...plain.failures, ...tls.failures.map((name) => `TLS: ${name}`)].filter(
        (name) => !EXPECTED.some((expected) => expected.name.test(name)),
      ),
    };
  } finally {
    await proxy.stop(100);
    backend.closeAllConnections();
    backend.close();
  }
}

function certificate(): Certificate {
  const file = join(
    import.meta.dirname,
    '../../testdata/cases/client-certificates/required/in.yaml',
  );
  const { 'tls.crt': chain = '', 'tls.key': privateKey = '' } = parseAllDocuments(
    readFileSync(file, 'utf8'),
  )
    .map(
      (document) =>
        document.toJS() as { metadata: { name: string }; stringData: Record<string, string> },
    )
    .find(({ metadata }) => metadata.name === 'books-certificate')!.stringData;
  return { key: 'c', chain, privateKey, names: [], origin: ORIGIN };
}

function run(
  program: string,
  args: readonly string[],
): Promise<Pick<SpecResult, 'passed' | 'failures'>> {
  return new Promise((resolve, reject) => {
    // Strict: what a peer should do counts as what it must.
    const child = spawn(program, ['-h', ADDRESS, '-S', '-o', '4', ...args], {
      timeout: RUN_MS_MAX,
    });
    let text = '';
    child.stdout.on('data', (bytes: Buffer) => (text += bytes.toString()));
    child.stderr.on('data', (bytes: Buffer) => (text += bytes.toString()));
    child.once('error', reject);
    child.once('exit', () => {
      const count = /(\d+) tests, (\d+) passed/.exec(text);
      if (count === null) {
        reject(new Error(`h2spec ended before its time:\n${text.slice(-2000)}`));
        return;
      }
      const failed = text.slice(Math.max(0, text.indexOf('Failures:')));
      const failures = Array.from(failed.matchAll(/^\s*× (.+)$/gm), ([, name = '']) => name);
      resolve({ passed: Number(count[2]), failures: text.includes('Failures:') ? failures : [] });
    });
  });
}

if (import.meta.main) {
  const { skipped, passed, failures } = await runH2spec(process.argv.slice(2));
  const print = (line: string): void => void process.stdout.write(`${line}\n`);
  if (skipped !== null) print(`not run: ${skipped}`);
  else print(`${passed} passed, ${failures.length} failed`);
  for (const failure of failures) print(`× ${failure}`);
  process.exitCode = failures.length === 0 ? 0 : 1;
}
