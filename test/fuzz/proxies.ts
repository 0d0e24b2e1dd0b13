// Whole proxies against each other: bin/node test/fuzz/proxies.ts --inputs N --seed N
//
// What a backend behind Fairway gets to see, it must get to see behind nginx and HAProxy too, in the same
// order: as the same method, target and body, where they take the request at all. Where Fairway takes
// less it is stricter; where a peer takes less, it is one of the few things named below, or a failure.

import { parseArgs } from 'node:util';
import { splitTarget } from '../../src/lib/http-path.ts';
import { randomRequests } from './messages.ts';
import { startFairway, startHaproxy, startNginx } from './peers.ts';
import type { Peer, Seen } from './peers.ts';
import { Random } from './random.ts';

export interface ProxiesResult {
  readonly inputs: number;
  readonly peers: readonly string[];
  readonly alike: number;
  /** Inputs of which Fairway forwards less than some peer. */
  readonly stricter: number;
  /** Inputs of which a peer forwards less, for something that is known to be right. */
  readonly peerStricter: number;
  readonly difference: string | null;
}

/** What peers refuse though it is valid. */
const VALID_YET_REFUSED: readonly {
  readonly peer: string;
  readonly why: string;
  readonly text: RegExp;
}[] = [
  {
    peer: 'nginx',
    why: 'methods of other characters than capitals, _ and -',
    text: /(?:^|\n)[^ \r\n]*[^A-Z_\- \r\n][^ \r\n]* [^\r\n]* HTTP\/1/,
  },
  {
    peer: 'nginx',
    why: 'an absolute target with a query and no path',
    text: / https?:\/\/[^ /]*\?[^ ]* HTTP/i,
  },
  { peer: 'nginx', why: 'OPTIONS of the server', text: /OPTIONS \* HTTP/ },
  {
    peer: 'nginx',
    why: 'what follows a target with a broken escape, which both refuse',
    text: / [^ \r\n]*%(?![0-9a-f]{2})[^ \r\n]* HTTP/i,
  },
  { peer: 'nginx', why: 'a tab before a length', text: /content-length:[^\r\n]*\t/i },
  {
    peer: 'nginx',
    why: 'what follows a Connection with close within another word',
    text: /\nconnection:(?:[^\r\n]*,)?[ \t]*[^\s,][^\r\n,]*close/i,
  },
  { peer: 'nginx', why: 'a host with two dots', text: /host:[^\r\n]*\.\./i },
  {
    peer: 'haproxy',
    why: 'a target that is a URL of another host than Host says, or OPTIONS of the server',
    text: / https?:\/\/[^ ]* HTTP|OPTIONS \* HTTP/i,
  },
  {
    peer: 'haproxy',
    why: 'a WebSocket without its key',
    text: /upgrade:[ \t]*websocket/i,
  },
];

export async function fuzzProxies(seed: number, inputs: number): Promise<ProxiesResult> {
  const fairway = await startFairway();
  const peers = [await startNginx(), await startHaproxy()].filter((p): p is Peer => p !== null);
  const random = new Random(seed);
  const result = {
    inputs: 0,
    alike: 0,
    stricter: 0,
    peerStricter: 0,
    difference: null as string | null,
  };
  try {
    while (result.inputs < inputs && result.difference === null) {
      const text = randomRequests(random);
      result.inputs++;
      const quick = await judge(text, fairway, peers, false);
      const verdict = quick.difference === null ? quick : await judge(text, fairway, peers, true);
      result.difference = verdict.difference;
      if (verdict.isStricter) result.stricter++;
      else if (verdict.isPeerStricter) result.peerStricter++;
      else result.alike++;
    }
  } finally {
    for (const peer of [fairway, ...peers]) await peer.stop();
  }
  return { ...result, peers: peers.map(({ name }) => name) };
}

interface Verdict {
  readonly isStricter: boolean;
  readonly isPeerStricter: boolean;
  readonly difference: string | null;
}

async function judge(
  text: string,
  fairway: Peer,
  peers: readonly Peer[],
  patient: boolean,
): Promise<Verdict> {
  const all = [fairway, ...peers].map((p) => p.ask(text, patient));
  const [ours = [], ...theirs] = await Promise.all(all);
  let [isStricter, isPeerStricter] = [false, false];
  let difference: string | null = null;
  for (const [i, seen] of theirs.entries()) {
    const { name } = peers[i]!;
    // A request that is refused may still be followed by one that is not.
    if (isPart(ours, seen)) {
      isStricter ||= ours.length < seen.length;
      continue;
    }
    isPeerStricter = true;
    const isKnown = VALID_YET_REFUSED.some(
      ({ peer, text: like }) => peer === name && like.test(text),
    );
    if (isKnown && !isReadInTwoWays(ours, seen)) continue;
    difference = `${JSON.stringify({ ours, [name]: seen }, null, 1)}\n${JSON.stringify(text)}`;
  }
  return { isStricter, isPeerStricter, difference };
}

/** Whether all of `some` are in `all`, in their order. */
function isPart(some: readonly Seen[], all: readonly Seen[]): boolean {
  let at = 0;
  for (const one of all) if (at < some.length && isSame(some[at]!, one)) at++;
  return at === some.length;
}

/** Whether of the requests that only one side has, two are the same one read differently. */
function isReadInTwoWays(ours: readonly Seen[], theirs: readonly Seen[]): boolean {
  const onlyOurs = ours.filter((a) => !theirs.some((b) => isSame(a, b)));
  const onlyTheirs = theirs.filter((b) => !ours.some((a) => isSame(a, b)));
  return onlyOurs.some((a) =>
    onlyTheirs.some((b) => normalized(a.target) === normalized(b.target)),
  );
}

function isSame(a: Seen, b: Seen): boolean {
  return (
    a.method === b.method && a.body === b.body && normalized(a.target) === normalized(b.target)
  );
}

/** Peers forward targets as they came; we normalize them. */
function normalized(target: string): string {
  const path = target.replace(/^https?:\/\/[^/?]*/i, '').replace(/^(?!\/|\*)/, '/');
  const split = splitTarget(path);
  return split === null ? target : split.path + split.query;
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { inputs: { type: 'string', default: '10000' }, seed: { type: 'string' } },
  });
  const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
  const result = await fuzzProxies(seed, Number(values.inputs));
  const { inputs, peers, alike, stricter, peerStricter, difference } = result;
  process.stdout.write(
    `seed ${seed}: ${inputs} inputs beside ${peers.join(' and ') || 'nobody'}; ` +
      `alike ${alike}, ours stricter ${stricter}, a peer stricter ${peerStricter}\n`,
  );
  if (difference !== null) {
    process.stdout.write(`${difference}\n`);
    process.exitCode = 1;
  }
}
