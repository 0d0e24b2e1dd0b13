// Two programs → the commands of one transaction that leads from the first to the second. Only what
// changed is said; what is the same object in both is not looked at.

import type { Family } from '../../lib/cidr.ts';
import { mapShapes, nftFamily } from './frame.ts';
import type { Chain, Element, FamilyProgram, MapName, PortProgram } from './program.ts';
import { elementText, hookText, quoted, ruleText } from './text.ts';

/** A port before and after; one of the two is there. */
export interface PortChange {
  readonly id: string;
  readonly family: Family;
  readonly before: PortProgram | undefined;
  readonly after: PortProgram | undefined;
}

/** What changed between the ports of a family. */
export function changesOf(
  family: Family,
  before: ReadonlyMap<string, PortProgram>,
  after: readonly PortProgram[],
): readonly PortChange[] {
  const changes: PortChange[] = [];
  let known = 0;
  for (const port of after) {
    const last = before.get(port.id);
    if (last !== undefined) known++;
    if (last !== port) changes.push({ id: port.id, family, before: last, after: port });
  }
  if (known === before.size) return changes;
  const kept = new Set(after.map(({ id }) => id));
  for (const [id, port] of before) {
    if (!kept.has(id)) changes.push({ id, family, before: port, after: undefined });
  }
  return changes;
}

/**
 * `add table …` with its maps, empty, and its chains. What is there is mended, or gone whatever it was; it costs more
 * to delete a table that is not there than to make all of it, so who knows that there is none may say so.
 */
export function frameCommands(
  { family, frame }: FamilyProgram,
  options: { readonly start: 'mend' | 'rebuild' | 'nothing there'; readonly table: string },
): readonly string[] {
  const at = `${nftFamily(family)} ${options.table}`;
  const shapes = [...mapShapes(family)];
  const isNew = options.start !== 'mend';
  return [
    `add table ${at}`,
    ...(options.start === 'rebuild' ? [`delete table ${at}`, `add table ${at}`] : []),
    ...shapes.map(([name, { kind, key, value, flags }]) => {
      const type = `typeof ${key}${value === undefined ? '' : ` : ${value}`};`;
      return `add ${kind} ${at} ${name} { ${type}${flags === undefined ? '' : ` flags ${flags};`} }`;
    }),
    // In a table that is new, everything is empty, and each command has its price.
    ...(isNew ? [] : shapes.map(([name, { kind }]) => `flush ${kind} ${at} ${name}`)),
    ...chainCommands(frame, family, options.table, isNew),
  ];
}

/** Makes chains, or writes those that are there anew; `areNew` when none is there. */
export function chainCommands(
  chains: Iterable<Chain>,
  family: Family,
  table: string,
  areNew = false,
): readonly string[] {
  const at = `${nftFamily(family)} ${table}`;
  const all = [...chains];
  return [
    ...all.map((chain) => {
      const hook = hookText(chain);
      return `add chain ${at} ${chain.name}${hook === '' ? '' : ` { ${hook} }`}`;
    }),
    ...all.flatMap((chain) => [
      ...(areNew ? [] : [`flush chain ${at} ${chain.name}`]),
      ...chain.rules.map((rule) => {
        const comment = chain.comment === undefined ? '' : ` comment ${quoted(chain.comment)}`;
        return `add rule ${at} ${chain.name} ${ruleText(rule, family)}${comment}`;
      }),
    ]),
  ];
}

export interface ChangeContext {
  readonly table: string;
  /** Whether a key of the set of hairpins is still used by a port that stays as it is. */
  readonly isShared: (key: string) => boolean;
}

/** The commands of the changes: first everything that goes, then everything that comes. */
export function changeCommands(
  changes: readonly PortChange[],
  { table, isShared }: ChangeContext,
): readonly string[] {
  const going = new Batches('delete', table);
  const coming = new Batches('add', table);
  const chains: string[] = [];
  const lastly: string[] = [];
  const wanted = new Set<string>();
  for (const { family, after } of changes) {
    for (const { map, key } of after?.elements ?? []) wanted.add(`${family} ${map} ${key}`);
  }
  for (const { family, before, after } of changes) {
    const at = `${nftFamily(family)} ${table}`;
    const known = new Map(before?.elements.map((e) => [`${e.map} ${e.key}`, e]));
    for (const element of after?.elements ?? []) {
      const name = `${element.map} ${element.key}`;
      const old = known.get(name);
      known.delete(name);
      if (old !== undefined && old.value === element.value) continue;
      if (old !== undefined) going.add(family, { ...element, value: '' });
      coming.add(family, element);
    }
    for (const element of known.values()) {
      const isKept =
        element.map === 'hairpin' &&
        (wanted.has(`${family} hairpin ${element.key}`) || isShared(element.key));
      if (!isKept) going.add(family, element);
    }
    const sets = new Set(before?.affinities.map(({ name, seconds }) => `${name} ${seconds}`));
    for (const { name, seconds } of after?.affinities ?? []) {
      if (sets.delete(`${name} ${seconds}`)) continue;
      const type = `type ${family}_addr; flags dynamic,timeout; timeout ${seconds}s;`;
      chains.push(`add set ${at} ${name} { ${type} }`);
    }
    chains.push(...chainCommands(after?.chains ?? [], family, table));
    // Chains are emptied here and deleted later: kernels before 6.2 let go of what a map refers to late.
    for (const chain of goneChains(before, after)) lastly.push(`flush chain ${at} ${chain}`);
    for (const set of sets) {
      const name = set.slice(0, set.lastIndexOf(' '));
      if (after?.affinities.some((a) => a.name === name) !== true) {
        lastly.push(`delete set ${at} ${name}`);
      }
    }
  }
  return [...going.commands(), ...chains, ...coming.commands(), ...lastly];
}

/** Names of a port's own chains that are not needed any more. */
export function goneChains(
  before: PortProgram | undefined,
  after: PortProgram | undefined,
): readonly string[] {
  const kept = new Set(after?.chains.map(({ name }) => name));
  return (before?.chains ?? []).map(({ name }) => name).filter((name) => !kept.has(name));
}

/** Elements that one command names: many, as each command costs, but not so many that a line is a page. */
const BATCH_MAX = 200;

/** Elements by family and map. */
class Batches {
  readonly #verb: 'add' | 'delete';
  readonly #table: string;
  readonly #lists = new Map<string, Set<string>>();

  constructor(verb: 'add' | 'delete', table: string) {
    this.#verb = verb;
    this.#table = table;
  }

  add(family: Family, element: Element): void {
    const map: MapName = element.map;
    const name = `${nftFamily(family)} ${this.#table} ${map}`;
    let list = this.#lists.get(name);
    if (list === undefined) this.#lists.set(name, (list = new Set()));
    list.add(this.#verb === 'add' ? elementText(element) : element.key);
  }

  commands(): readonly string[] {
    return [...this.#lists].flatMap(([name, list]) => {
      const all = [...list];
      const commands: string[] = [];
      for (let i = 0; i < all.length; i += BATCH_MAX) {
        const part = all.slice(i, i + BATCH_MAX).join(', ');
        commands.push(`${this.#verb} element ${name} { ${part} }`);
      }
      return commands;
    });
  }
}
