// fairway compile: what would run, printed; or what a change of the objects would do to it.

import { lineDiff } from '../lib/line-diff.ts';
import { printable } from '../lib/printable.ts';
import { lowerPackets } from '../lower/packets.ts';
import { lower } from '../lower/view.ts';
import type { Origin } from '../model/model.ts';
import { printableModel } from '../model/print.ts';
import type { Evaluation } from '../pipeline/evaluate.ts';
import { formatPosition } from '../pipeline/locate.ts';
import { compileIptables } from '../targets/iptables/compile.ts';
import { renderIptables } from '../targets/iptables/text.ts';
import { compileIpvs } from '../targets/ipvs/compile.ts';
import type { IpvsScheduler } from '../targets/ipvs/program.ts';
import { renderIpvs } from '../targets/ipvs/text.ts';
import { compileNft } from '../targets/nftables/compile.ts';
import { renderNft } from '../targets/nftables/render.ts';
import { compileProxy } from '../targets/proxy/compile.ts';
import { renderProxy } from '../targets/proxy/render.ts';
import type { RenderedFile } from '../targets/target.ts';
import { evaluateFiles } from './explain.ts';
import { countFindings } from './findings.ts';
import { evaluatedNode } from './node-facts.ts';
import type { NetworkFlags } from './node-facts.ts';
import { NODE_NAME } from './settings.ts';
import { print } from './terminal.ts';

interface CompileFlags extends NetworkFlags {
  readonly target?: 'model' | 'proxy' | 'nftables' | 'iptables' | 'ipvs';
  readonly ipvsScheduler?: IpvsScheduler;
  readonly diff?: string;
}

/** Prints the model, or what a target makes of it. Findings are counted on standard error. */
export async function compile(paths: readonly string[], flags: CompileFlags): Promise<number> {
  const { serviceCidr } = isOfKernel(flags.target) ? await evaluatedNode(flags) : {};
  const evaluate = (list: readonly string[]): Promise<Evaluation> =>
    evaluateFiles(list, flags, serviceCidr);
  const evaluation = await evaluate(paths);
  const { findings } = evaluation;
  const isDiff = flags.diff !== undefined;
  const text = await render(evaluation, flags, !isDiff);
  if (flags.diff === undefined) print(text);
  else {
    // Places in files move with every line; what is compared is what runs.
    const before = await render(await evaluate([flags.diff]), flags, false);
    const lines = lineDiff(before.split('\n'), text.split('\n'));
    print(lines.length === 0 ? 'Nothing changes.' : lines.join('\n'));
  }
  if (findings.length > 0) {
    process.stderr.write(`${countFindings(findings)}: see fairway check\n`);
  }
  return findings.some((f) => f.severity === 'error') ? 1 : 0;
}

function isOfKernel(target: CompileFlags['target']): boolean {
  return target === 'nftables' || target === 'iptables' || target === 'ipvs';
}

async function render(
  { resolution, locate }: Evaluation,
  flags: CompileFlags,
  hasPlaces: boolean,
): Promise<string> {
  const { model } = resolution;
  const place = ({ kind, namespace, name, field }: Origin): string | undefined => {
    const position = hasPlaces ? locate({ object: { kind, namespace, name }, field }) : undefined;
    // Names of files may have line breaks in them, and what stands on a line of its own is a rule.
    return position === undefined ? undefined : printable(formatPosition(position));
  };
  const files = async (): Promise<readonly RenderedFile[]> => {
    switch (flags.target) {
      case 'proxy':
        return renderProxy(compileProxy(lower(model, NODE_NAME)));
      case 'nftables':
        return renderNft(
          compileNft(lowerPackets(model, (await evaluatedNode(flags)).facts)),
          place,
        );
      case 'iptables':
        return renderIptables(
          compileIptables(lowerPackets(model, (await evaluatedNode(flags)).facts)),
          place,
        );
      case 'ipvs': {
        const { facts: node } = await evaluatedNode(flags);
        const { ipvsScheduler: scheduler = 'rr' } = flags;
        return renderIpvs(compileIpvs(lowerPackets(model, node), { node, scheduler }), place);
      }
      default: {
        const { stringify } = await import('yaml');
        const text = stringify(printableModel(model), { aliasDuplicateObjects: false }).trimEnd();
        return [{ path: 'model.yaml', text }];
      }
    }
  };
  return (await files()).map(({ text }) => text).join('\n');
}
