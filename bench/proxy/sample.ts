// One repetition of one row against one proxy: how much it answered, how fast, what it used of its core,
// and what others used meanwhile.

import { busyMs, cpuTimeOf, ownCpuMs } from '../support/cpu.ts';
import { FOREIGN_SHARE_MAX, untilQuiet } from '../support/quiet.ts';
import { runLoad } from './load.ts';
import type { Answered, Load } from './load.ts';
import type { Peer } from './peers.ts';
import type { Row } from './rows.ts';

export interface Sample extends Answered {
  /** Of the proxy, user and system, for each request. */
  readonly cpuUs: number;
  readonly userUs: number;
  /** The share of its core that others used: of the proxy's or of the load's, whichever is larger. */
  readonly foreign: number;
}

export interface Place extends Omit<Load, 'origin'> {
  /** Null: proxy and load share all cores. */
  readonly proxyCore: number | null;
  readonly loadCore: number;
  readonly backendPid: number;
}

/** Times a repetition is made again because others were busy. */
const RETRIES_MAX = 2;

/** A repetition that others did not disturb, if it can be had. Gives how many were thrown away. */
export async function quietSample(
  row: Row,
  peer: Peer,
  place: Place,
  signal: AbortSignal,
): Promise<{ sample: Sample; dropped: number }> {
  for (let dropped = 0; ; dropped++) {
    signal.throwIfAborted();
    const sample = await takeSample(row, peer, place);
    if (sample.foreign <= FOREIGN_SHARE_MAX || dropped === RETRIES_MAX) return { sample, dropped };
    await untilQuiet(signal);
  }
}

async function takeSample(row: Row, peer: Peer, place: Place): Promise<Sample> {
  const before = account(peer, place);
  const startedMs = performance.now();
  const answered = await runLoad(row, { ...place, origin: peer.origins[row.protocol] });
  const tookMs = performance.now() - startedMs;
  const after = account(peer, place);
  const userMs = after.userMs - before.userMs;
  const cpuMs = userMs + after.systemMs - before.systemMs;
  const loadMs = after.loadMs - before.loadMs;
  const foreignMs =
    place.proxyCore === null
      ? (after.allMs - before.allMs - cpuMs - loadMs) / 2
      : Math.max(
          after.proxyCoreMs - before.proxyCoreMs - cpuMs,
          after.loadCoreMs - before.loadCoreMs - loadMs,
        );
  return {
    ...answered,
    cpuUs: (cpuMs * 1000) / answered.requests,
    userUs: (userMs * 1000) / answered.requests,
    foreign: Math.max(0, foreignMs / tookMs),
  };
}

function account(peer: Peer, { proxyCore, loadCore, backendPid }: Place) {
  const busy = busyMs();
  const backend = cpuTimeOf(backendPid);
  return {
    ...cpuTimeOf(peer.pid),
    allMs: busy.reduce((sum, ms) => sum + ms, 0),
    proxyCoreMs: proxyCore === null ? 0 : (busy[proxyCore] ?? 0),
    loadCoreMs: busy[loadCore] ?? 0,
    loadMs: backend.userMs + backend.systemMs + ownCpuMs(),
  };
}
