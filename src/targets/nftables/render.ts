// NftProgram → a ruleset a person can read and `nft -f` can load: elements stand under the Service
// they are of, with the place in the files it comes from.

import type { Origin } from '../../model/model.ts';
import type { RenderedFile } from '../target.ts';
import { mapShapes, nftFamily } from './frame.ts';
import type { MapShape } from './frame.ts';
import type { Chain, FamilyProgram, MapName, NftProgram, PortProgram } from './program.ts';
import { elementText, hookText, ruleText } from './text.ts';

/** Finds the place of an origin: `shop.yaml:12:5`; undefined where none is known. */
export type Locate = (origin: Origin) => string | undefined;

const TABLE = 'fairway';

/** Renders a program as one file, `fairway.nft`. Families without Services are left out. */
export function renderNft(
  program: NftProgram,
  locate: Locate = () => undefined,
): readonly RenderedFile[] {
  const tables = program.families.filter(({ ports }) => ports.length > 0);
  const lines =
    tables.length === 0
      ? ['# No Service has an address.']
      : tables.flatMap((family) => [...renderFamily(family, locate), '']);
  return [{ path: 'fairway.nft', text: lines.join('\n').trimEnd() }];
}

function renderFamily(program: FamilyProgram, locate: Locate): readonly string[] {
  const { family, frame, shared, ports } = program;
  const heads = new Map(ports.map((port) => [port, headOf(port, locate)]));
  const chains = (list: Iterable<Chain>): readonly string[] =>
    [...list].flatMap((chain) => renderChain(chain, program));
  return [
    `table ${nftFamily(family)} ${TABLE} {`,
    ...[...mapShapes(family)].flatMap(([name, shape]) => renderMap(name, shape, ports, heads)),
    ...ports.flatMap(({ affinities }) =>
      affinities.map(
        ({ name, seconds }) =>
          `  set ${name} { type ${family}_addr; flags dynamic,timeout; timeout ${seconds}s; }`,
      ),
    ),
    ...chains(shared.values()),
    ...ports.flatMap((port) =>
      port.chains.length === 0 ? [] : [`  # ${heads.get(port)}`, ...chains(port.chains)],
    ),
    ...chains(frame),
    '}',
  ];
}

/** `Service shop/cart:80/TCP (shop.yaml:12:5)` */
function headOf({ id, origin }: PortProgram, locate: Locate): string {
  const place = locate(origin);
  return `${origin.kind} ${id} ${origin.field}${place === undefined ? '' : ` (${place})`}`;
}

function renderMap(
  name: MapName,
  { kind, key, value, flags, about }: MapShape,
  ports: readonly PortProgram[],
  heads: ReadonlyMap<PortProgram, string>,
): readonly string[] {
  const seen = new Set<string>();
  const groups = ports.map((port) => ({
    head: heads.get(port) ?? '',
    // What two Services have in common stands under the first.
    own: port.elements.filter((e) => e.map === name && !seen.has(e.key) && seen.add(e.key)),
  }));
  const filled = groups.filter(({ own }) => own.length > 0);
  return [
    `  # ${about}`,
    `  ${kind} ${name} {`,
    `    typeof ${key}${value === undefined ? '' : ` : ${value}`}`,
    ...(flags === undefined ? [] : [`    flags ${flags}`]),
    ...(filled.length === 0
      ? []
      : [
          '    elements = {',
          ...filled.flatMap(({ head, own }) => [
            `      # ${head}`,
            ...own.map((element) => `      ${elementText(element)},`),
          ]),
          '    }',
        ]),
    '  }',
  ];
}

function renderChain(
  { name, comment, rules, ...chain }: Chain,
  { family }: FamilyProgram,
): readonly string[] {
  const hook = hookText({ name, rules, ...chain });
  return [
    ...(comment === undefined ? [] : [`  # ${comment}`]),
    `  chain ${name} {`,
    ...(hook === '' ? [] : [`    ${hook}`]),
    ...rules.map((rule) => `    ${ruleText(rule, family)}`),
    '  }',
  ];
}
