// A host for the IPVS target that is none: keeps what ipset, ipvsadm, ip and iptables-restore are told, as far as
// the target asks for it again, and refuses what these would refuse.

import type { CommandRunner } from '../../src/lib/run-command.ts';

export class FakeHost {
  /** Sets with their entries, and comments of these. */
  readonly sets = new Map<string, Map<string, string>>();
  /** `-t 10.96.0.1:80` with the options, and real servers with weight and connections. */
  readonly servers = new Map<string, { words: string; real: Map<string, [number, number]> }>();
  readonly addresses = new Set<string>();
  /** Texts given to iptables-restore. */
  readonly rules: string[] = [];
  hasDevice = false;
  /** Refuses whatever this program is asked to change. */
  refuses = '';

  readonly run: CommandRunner = (command, input) => {
    try {
      return Promise.resolve({ output: this.#answer(command, input), problem: null });
    } catch (error) {
      return Promise.resolve({ output: '', problem: (error as Error).message });
    }
  };

  #answer(command: readonly string[], input: string): string {
    const [program = ''] = command;
    const lines = input.split('\n').filter((line) => line !== '');
    if (input !== '' && program === this.refuses) throw new Error(`${program} will not`);
    switch (command.slice(0, 2).join(' ')) {
      case 'ipset list':
        return [...this.sets.keys()].join('\n');
      case 'ipset save':
        return [...this.sets]
          .flatMap(([set, entries]) => [
            `create ${set} x`,
            ...[...entries.keys()].map((entry) => `add ${set} ${entry}`),
          ])
          .join('\n');
      case 'ipset restore':
        for (const line of lines) this.#set(line.split(' '));
        return '';
      case 'ipvsadm -Ln':
        return this.#listServers();
      case 'ipvsadm -R':
        for (const line of lines) this.#server(line.split(' '));
        return '';
      case 'ip -o':
        if (!this.hasDevice) throw new Error('no device');
        return [...this.addresses].map((a) => `9: kube-ipvs0 inet ${a} scope global`).join('\n');
      case 'ip link':
        this.hasDevice = command[2] === 'add';
        return '';
      case 'ip -batch':
        for (const [, verb, address = ''] of lines.map((line) => line.split(' '))) {
          if (verb === 'add') this.addresses.add(address);
          else this.addresses.delete(address);
        }
        return '';
      default:
        if (program.endsWith('-restore')) this.rules.push(input);
        return '';
    }
  }

  #set([verb = '', set = '', ...rest]: readonly string[]): void {
    const entries = this.sets.get(set);
    if (verb === 'create') {
      if (entries === undefined) this.sets.set(set, new Map());
      return;
    }
    if (entries === undefined) throw new Error(`there is no set ${set}`);
    const [entry = '', , ...comment] = rest;
    if (verb === 'add') {
      if (entry.includes('nonsense')) throw new Error(`cannot parse ${entry}`);
      entries.set(entry, comment.join(' '));
    } else if (verb === 'del') entries.delete(entry);
    else if (verb === 'destroy') this.sets.delete(set);
    else if (verb === 'swap') {
      const other = this.sets.get(entry);
      if (other === undefined) throw new Error(`there is no set ${entry}`);
      this.sets.set(set, other).set(entry, entries);
    }
  }

  #server([verb = '', flag = '', address = '', ...rest]: readonly string[]): void {
    const key = `${flag} ${address}`;
    const there = this.servers.get(key);
    if (verb === '-A') {
      if (there !== undefined) throw new Error('Service already exists');
      if (Number(address.slice(address.lastIndexOf(':') + 1)) > 65_535) {
        throw new Error('illegal virtual server address');
      }
      this.servers.set(key, { words: rest.join(' '), real: new Map() });
      return;
    }
    if (there === undefined) throw new Error('No such service');
    const [, real = '', , , weight] = rest;
    if (verb === '-E') there.words = rest.join(' ');
    else if (verb === '-D') this.servers.delete(key);
    else if (verb === '-d') there.real.delete(real);
    else if (verb === '-a' && there.real.has(real)) throw new Error('Destination already exists');
    else there.real.set(real, [Number(weight), there.real.get(real)?.[1] ?? 0]);
  }

  #listServers(): string {
    const protocols: Readonly<Record<string, string>> = {
      '-t': 'TCP',
      '-u': 'UDP',
      '--sctp-service': 'SCTP',
    };
    return [...this.servers]
      .flatMap(([key, { words, real }]) => {
        const [flag = '', address = ''] = key.split(' ');
        const [, scheduler, , persist] = words.split(' ');
        return [
          `${protocols[flag]}  ${address} ${scheduler}${persist === undefined ? '' : ` persistent ${persist}`}`,
          ...[...real].map(([name, [w, n]]) => `  -> ${name}  Masq    ${w}      ${n}          0`),
        ];
      })
      .join('\n');
  }
}
