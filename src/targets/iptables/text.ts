// IptablesProgram → the text that iptables-restore reads, whole or of what changed.

import type { Origin } from '../../model/model.ts';
import type { RenderedFile } from '../target.ts';
import type { IptablesFamily, IptablesPort, IptablesProgram, Table } from './program.ts';

/** Finds the place of an origin: `shop.yaml:12:5`; undefined where none is known. */
export type Locate = (origin: Origin) => string | undefined;

const TABLES: readonly Table[] = ['filter', 'nat'];

export interface RestoreOptions {
  /** Ports whose own chains are written; those of others stay as they are. All when absent. */
  readonly changed?: ReadonlySet<IptablesPort>;
  /** Own chains that are not needed any more. */
  readonly gone?: readonly string[];
  /** Where each port comes from, as comments. */
  readonly headOf?: (port: IptablesPort) => string;
}

/** Text for `iptables-restore --noflush`. */
export function restoreText(family: IptablesFamily, options: RestoreOptions = {}): string {
  return `${TABLES.map((table) => tableText(family, table, options)).join('\n')}\n`;
}

function tableText(
  { frame, ports }: IptablesFamily,
  table: Table,
  { changed, gone = [], headOf }: RestoreOptions,
): string {
  const written = changed === undefined ? ports : ports.filter((port) => changed.has(port));
  const chains = frame.filter((chain) => chain.table === table);
  const isNat = table === 'nat';
  const lines = [`*${table}`, ...chains.map(({ name }) => `:${name} - [0:0]`)];
  if (isNat) {
    for (const port of written) for (const { name } of port.chains) lines.push(`:${name} - [0:0]`);
    for (const name of gone) lines.push(`:${name} - [0:0]`);
  }
  const byChain = new Map<string, string[]>();
  for (const port of ports) {
    let isFirst = true;
    const head = headOf?.(port);
    let last: string | undefined;
    for (const rule of port.rules) {
      if (rule.table !== table) continue;
      let list = byChain.get(rule.chain);
      if (list === undefined) byChain.set(rule.chain, (list = []));
      if (head !== undefined && (isFirst || last !== rule.chain)) list.push(`# ${head}`);
      isFirst = false;
      last = rule.chain;
      list.push(`-A ${rule.chain} ${rule.rule}`);
    }
  }
  for (const { name, first, last } of chains) {
    for (const rule of first) lines.push(`-A ${name} ${rule}`);
    for (const line of byChain.get(name) ?? []) lines.push(line);
    for (const rule of last) lines.push(`-A ${name} ${rule}`);
  }
  if (isNat) {
    for (const port of written) {
      if (headOf !== undefined && port.chains.length > 0) lines.push(`# ${headOf(port)}`);
      for (const { name, rules } of port.chains) {
        for (const rule of rules) lines.push(`-A ${name} ${rule}`);
      }
    }
    for (const name of gone) lines.push(`-X ${name}`);
  }
  lines.push('COMMIT');
  return lines.join('\n');
}

/** Renders a program as `iptables.rules` and `ip6tables.rules`; families without Services are left out. */
export function renderIptables(
  program: IptablesProgram,
  locate: Locate = () => undefined,
): readonly RenderedFile[] {
  const headOf = ({ id, origin }: IptablesPort): string => {
    const place = locate(origin);
    return `${origin.kind} ${id} ${origin.field}${place === undefined ? '' : ` (${place})`}`;
  };
  return program.families
    .filter(({ ports }) => ports.length > 0)
    .map((family) => ({
      path: `${family.family === 'ipv4' ? 'iptables' : 'ip6tables'}.rules`,
      text: [
        '# Where packets enter:',
        ...family.hooks.map(({ table, chain, rule }) => `#   -t ${table} -I ${chain} ${rule}`),
        restoreText(family, { headOf }).trimEnd(),
      ].join('\n'),
    }));
}
