// Which process listens on a TCP port: read from /proc, so it works on Linux, for processes this user
// may look into; elsewhere nothing is known.

import { readdir, readFile, readlink } from 'node:fs/promises';

export interface PortOwner {
  readonly pid: number;
  /** The command line, cut to a readable length. */
  readonly command: string;
}

const LISTEN = '0A';
const COMMAND_CHARS_MAX = 80;

/** The process that listens on `port` at `address`, or at every address. */
export async function portOwner(address: string, port: number): Promise<PortOwner | undefined> {
  const inodes = new Set([
    ...(await listeningInodes('/proc/net/tcp', address, port)),
    ...(await listeningInodes('/proc/net/tcp6', address, port)),
  ]);
  if (inodes.size === 0) return undefined;
  for (const pid of await readdir('/proc').catch(() => [])) {
    if (/^\d+$/.test(pid) && (await hasSocket(pid, inodes))) {
      return { pid: Number(pid), command: await commandOf(pid) };
    }
  }
  return undefined;
}

async function listeningInodes(table: string, address: string, port: number): Promise<string[]> {
  const text = await readFile(table, 'latin1').catch(() => '');
  const wanted = [...hexAddresses(address), '00000000', '0'.repeat(32)];
  const hexPort = port.toString(16).toUpperCase().padStart(4, '0');
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter(([, local = '', , state]) => {
      const [host = '', at] = local.split(':');
      return state === LISTEN && at === hexPort && wanted.includes(host);
    })
    .map((columns) => columns[9] ?? '');
}

/** How /proc writes an IPv4 address: as a number in the byte order of the machine, little-endian here. */
function hexAddresses(address: string): string[] {
  const bytes = address.split('.').map(Number);
  if (bytes.length !== 4 || bytes.some((byte) => Number.isNaN(byte))) return [];
  const hex = bytes.toReversed().map((byte) => byte.toString(16).toUpperCase().padStart(2, '0'));
  return [hex.join(''), `0000000000000000FFFF0000${hex.join('')}`];
}

async function hasSocket(pid: string, inodes: ReadonlySet<string>): Promise<boolean> {
  const descriptors = await readdir(`/proc/${pid}/fd`).catch(() => []);
  for (const descriptor of descriptors) {
    const target = await readlink(`/proc/${pid}/fd/${descriptor}`).catch(() => '');
    const inode = /^socket:\[(\d+)\]$/.exec(target)?.[1];
    if (inode !== undefined && inodes.has(inode)) return true;
  }
  return false;
}

async function commandOf(pid: string): Promise<string> {
  const line = await readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '');
  const command = line.replaceAll('\0', ' ').trim();
  return command.length > COMMAND_CHARS_MAX ? `${command.slice(0, COMMAND_CHARS_MAX)}…` : command;
}
