// fairway compile: what would run, printed.

import { lower } from '../lower/view.ts';
import { printableModel } from '../model/print.ts';
import { compileProxy } from '../targets/proxy/compile.ts';
import { renderProxy } from '../targets/proxy/render.ts';
import { evaluateFiles } from './explain.ts';
import { countFindings } from './findings.ts';
import { NODE_NAME } from './settings.ts';
import type { CommonFlags } from './settings.ts';
import { print } from './terminal.ts';

interface CompileFlags extends CommonFlags {
  readonly target?: 'model' | 'proxy';
}

/** Prints the model, or what a target makes of it. Findings are counted on standard error. */
export async function compile(paths: readonly string[], flags: CompileFlags): Promise<number> {
  const { resolution, findings } = await evaluateFiles(paths, flags);
  const { model } = resolution;
  if (flags.target === 'proxy') {
    for (const { text } of renderProxy(compileProxy(lower(model, NODE_NAME)))) print(text);
  } else {
    const { stringify } = await import('yaml');
    print(stringify(printableModel(model), { aliasDuplicateObjects: false }).trimEnd());
  }
  if (findings.length > 0) {
    process.stderr.write(`${countFindings(findings)}: see fairway check\n`);
  }
  return findings.some((f) => f.severity === 'error') ? 1 : 0;
}
