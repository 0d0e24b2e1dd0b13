// IpvsProgram → what ipset, ipvsadm and iptables-restore read: whole, for people, with where each line comes
// from; and the differences the class at work sends.

import { joinHostPort } from '../../lib/cidr.ts';
import type { Family } from '../../lib/cidr.ts';
import type { Origin } from '../../model/model.ts';
import type { RenderedFile } from '../target.ts';
import { DEVICE } from './frame.ts';
import type {
  AddressSet,
  Destination,
  IpvsFamily,
  IpvsPort,
  IpvsProgram,
  Table,
  VirtualServer,
} from './program.ts';

/** Finds the place of an origin: `shop.yaml:12:5`; undefined where none is known. */
export type Locate = (origin: Origin) => string | undefined;

const TABLES: readonly Table[] = ['mangle', 'nat', 'filter'];
const SERVER_FLAG = { tcp: '-t', udp: '-u', sctp: '--sctp-service' } as const;
/** ipset takes comments of 255 bytes. */
const COMMENT_CHARS_MAX = 250;

/** `-t 10.96.0.1:80` */
export function serverWords({
  transport,
  address,
  port,
}: Pick<VirtualServer, 'transport' | 'address' | 'port'>): string {
  return `${SERVER_FLAG[transport]} ${joinHostPort(address, port)}`;
}

/** `-s rr -p 600` */
export function schedulingWords({
  scheduler,
  persistSeconds,
}: Pick<VirtualServer, 'scheduler' | 'persistSeconds'>): string {
  return `-s ${scheduler}${persistSeconds > 0 ? ` -p ${persistSeconds}` : ''}`;
}

/** `-r 10.244.1.2:8080 -m -w 1`: translated, as only that changes the port. */
export function destinationWords({ address, port }: Destination, weight: number): string {
  return `-r ${joinHostPort(address, port)} -m -w ${weight}`;
}

/** Lines for `ipvsadm -R`. */
export function serverLines(server: VirtualServer): readonly string[] {
  const words = serverWords(server);
  return [
    `-A ${words} ${schedulingWords(server)}`,
    ...server.destinations.map((d) => `-a ${words} ${destinationWords(d, 1)}`),
  ];
}

/** Entries of all ports with their comments, by set. What several ports need is there once. */
export function entriesOf(ports: readonly IpvsPort[]): Map<string, Map<string, string>> {
  const sets = new Map<string, Map<string, string>>();
  for (const { id, entries } of ports) {
    for (const { set, entry } of entries) {
      let ofSet = sets.get(set);
      if (ofSet === undefined) sets.set(set, (ofSet = new Map()));
      if (!ofSet.has(entry)) ofSet.set(entry, id.slice(0, COMMENT_CHARS_MAX));
    }
  }
  return sets;
}

export function createLine({ name, type }: AddressSet): string {
  return `create ${name} ${type}`;
}

export function addLine(set: string, entry: string, comment: string): string {
  return `add ${set} ${entry} comment "${comment}"`;
}

/** `10.96.0.1/32`, as `ip address add` takes it. */
export function hostPrefix(address: string): string {
  return `${address}/${address.includes(':') ? 128 : 32}`;
}

/** Text for `iptables-restore --noflush`. */
export function restoreText({ chains }: Pick<IpvsFamily, 'chains'>): string {
  const tables = TABLES.map((table) => {
    const own = chains.filter((chain) => chain.table === table);
    return [
      `*${table}`,
      ...own.map(({ name }) => `:${name} - [0:0]`),
      ...own.flatMap(({ name, rules }) => rules.map((rule) => `-A ${name} ${rule}`)),
      'COMMIT',
    ].join('\n');
  });
  return `${tables.join('\n')}\n`;
}

const FILES: Readonly<Record<Family, { readonly tool: string; readonly suffix: string }>> = {
  ipv4: { tool: 'iptables', suffix: '' },
  ipv6: { tool: 'ip6tables', suffix: '6' },
};

/** Renders a program as text for each of the tools; families without Services are left out. */
export function renderIpvs(
  program: IpvsProgram,
  locate: Locate = () => undefined,
): readonly RenderedFile[] {
  return program.families
    .filter(({ ports }) => ports.length > 0)
    .flatMap((family) => renderFamily(family, locate));
}

function renderFamily(family: IpvsFamily, locate: Locate): readonly RenderedFile[] {
  const { sets, hooks, ports } = family;
  const { tool, suffix } = FILES[family.family];
  const headOf = ({ id, origin }: IpvsPort): string => {
    const place = locate(origin);
    return `# ${origin.kind} ${id} ${origin.field}${place === undefined ? '' : ` (${place})`}`;
  };
  const grouped = (linesOf: (port: IpvsPort) => readonly string[]): readonly string[] =>
    ports.flatMap((port) => {
      const lines = linesOf(port);
      return lines.length === 0 ? [] : [headOf(port), ...lines];
    });
  // What two Services share is shown once, with the first.
  const shown = new Set<string>();
  const once = (line: string): boolean => !shown.has(line) && shown.add(line) !== undefined;
  const file = (path: string, lines: readonly string[]): RenderedFile => ({
    path,
    text: lines.join('\n'),
  });
  return [
    file(`ipset${suffix}.save`, [
      `# For ipset restore, ${family.family}.`,
      ...sets.map(createLine),
      ...grouped(({ id, entries }) =>
        entries
          .filter(({ set, entry }) => once(`${set} ${entry}`))
          .map(({ set, entry }) => addLine(set, entry, id.slice(0, COMMENT_CHARS_MAX))),
      ),
    ]),
    file(`addresses${suffix}.batch`, [
      `# For ip -batch: addresses of the node itself, on a device that sends nothing.`,
      ...(suffix === '' ? [`link add ${DEVICE} type dummy`] : []),
      ...grouped(({ addresses }) =>
        addresses.filter(once).map((a) => `address add ${hostPrefix(a)} dev ${DEVICE}`),
      ),
    ]),
    file(`ipvsadm${suffix}.save`, [
      // It alone takes no comments.
      `# For ${family.family}: grep -v '^#' ipvsadm${suffix}.save | ipvsadm -R`,
      ...grouped(({ servers }) => servers.flatMap(serverLines)),
    ]),
    file(`${tool}.rules`, [
      `# For ${tool}-restore --noflush. Where packets enter:`,
      ...hooks.map(({ table, chain, rule }) => `#   -t ${table} -I ${chain} ${rule}`),
      restoreText(family).trimEnd(),
    ]),
  ];
}
