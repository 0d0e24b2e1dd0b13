// How many rules there are, by table: what kube-proxy counts as well, and people watch.

import type { IptablesFamily, Table } from './program.ts';

export interface RuleCount {
  readonly table: Table;
  /** Rules in force. */
  readonly total: number;
  /** Rules that were written last. */
  readonly last: number;
}

/** Counts the rules of a family, and those of the text that was written last; 0 when there was none. */
export function countRules(
  { frame, hooks, ports }: IptablesFamily,
  text: string | undefined,
): readonly RuleCount[] {
  const nat = text?.indexOf('*nat') ?? 0;
  const count = (table: Table): number => {
    const own = (list: readonly { readonly table: Table }[]): number =>
      list.filter((rule) => rule.table === table).length;
    let total = own(hooks);
    for (const chain of frame) {
      if (chain.table === table) total += chain.first.length + chain.last.length;
    }
    for (const { rules, chains } of ports) {
      total += own(rules);
      if (table === 'nat') for (const chain of chains) total += chain.rules.length;
    }
    return total;
  };
  const written = (part: string): number => part.split('\n-A ').length - 1;
  return [
    { table: 'filter', total: count('filter'), last: written(text?.slice(0, nat) ?? '') },
    { table: 'nat', total: count('nat'), last: written(text?.slice(nat) ?? '') },
  ];
}
