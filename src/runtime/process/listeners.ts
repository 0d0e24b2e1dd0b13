// Which addresses a container's processes listen on, as Linux sees it. Pods share one network here, so a
// program on 0.0.0.0 takes its port from every replica, and one on 127.0.0.1 is not at the pod's
// address: this is how the user is told which of the two it is.

import { readdir, readFile, readlink } from 'node:fs/promises';

export interface Listener {
  /** `0.0.0.0`, `::`, or an address in its usual form. */
  readonly address: string;
  readonly port: number;
}

/** The TCP addresses these processes listen on, sorted by port; empty where there is no /proc. */
export async function listenersOf(pids: readonly number[]): Promise<readonly Listener[]> {
  const inodes = new Set<string>();
  for (const pid of pids) for (const inode of await socketInodes(pid)) inodes.add(inode);
  if (inodes.size === 0) return [];
  const [tcp4, tcp6] = await Promise.all(
    ['tcp', 'tcp6'].map((name) => readFile(`/proc/net/${name}`, 'latin1').catch(() => '')),
  );
  const all = [...parseListeners(tcp4 ?? ''), ...parseListeners(tcp6 ?? '')];
  return all
    .filter((entry) => inodes.has(entry.inode))
    .map(({ address, port }) => ({ address, port }))
    .toSorted((a, b) => a.port - b.port || (a.address < b.address ? -1 : 1));
}

async function socketInodes(pid: number): Promise<readonly string[]> {
  const directory = `/proc/${pid}/fd`;
  const names = await readdir(directory).catch(() => []);
  const links = await Promise.all(
    names.map((name) => readlink(`${directory}/${name}`).catch(() => '')),
  );
  return links.flatMap((link) => /^socket:\[(\d+)\]$/.exec(link)?.[1] ?? []);
}

const STATE_LISTEN = '0A';

/** The listening sockets in the text of /proc/net/tcp or /proc/net/tcp6. */
export function parseListeners(text: string): readonly (Listener & { readonly inode: string })[] {
  const entries: (Listener & { inode: string })[] = [];
  for (const line of text.split('\n').slice(1)) {
    const fields = line.trim().split(/\s+/);
    const [, local = '', , state] = fields;
    const inode = fields[9];
    if (state !== STATE_LISTEN || inode === undefined) continue;
    const [address = '', port = ''] = local.split(':');
    entries.push({ address: parseHexAddress(address), port: Number.parseInt(port, 16), inode });
  }
  return entries;
}

/** The kernel writes addresses as 32-bit words in the machine's byte order: 0100007F is 127.0.0.1. */
function parseHexAddress(hex: string): string {
  const bytes: number[] = [];
  for (let word = 0; word < hex.length; word += 8) {
    for (let at = word + 6; at >= word; at -= 2)
      bytes.push(Number.parseInt(hex.slice(at, at + 2), 16));
  }
  if (bytes.length === 4) return bytes.join('.');
  const mapped = bytes.slice(0, 10).every((byte) => byte === 0) && bytes[10] === 0xff;
  if (mapped) return bytes.slice(12).join('.');
  const groups: string[] = [];
  for (let i = 0; i < bytes.length; i += 2) {
    groups.push((((bytes[i] ?? 0) << 8) | (bytes[i + 1] ?? 0)).toString(16));
  }
  return groups.join(':').replace(/(?:^|:)0(?::0)+(?::|$)/, '::');
}

/** True for an address that stands for all addresses of the machine. */
export function isUnspecified(address: string): boolean {
  return address === '0.0.0.0' || address === '::';
}
