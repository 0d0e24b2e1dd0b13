// One Fairway in the place of another, without a request lost between them: the new one opens the same ports
// beside the old one, and once it serves everything, asks the old one to leave. The old one takes no new
// connections from then on and ends when those it has are done.

import { setTimeout as delay } from 'node:timers/promises';
import { BLOCKS, lockAddressOf } from '../config/network.ts';
import { LOCK_PORT, lockAddress } from '../lib/address-lock.ts';
import type { AddressLock } from '../lib/address-lock.ts';
import { FairwayError } from '../lib/errors.ts';
import { portOwner } from '../lib/port-owner.ts';

/** Asks a Fairway to leave its ports to whoever has opened them beside it. */
export const LEAVE_SIGNAL = 'SIGUSR2';

/** A Fairway that runs, and the block of addresses it has. */
export interface Predecessor {
  readonly pid: number;
  readonly block: number;
}

/** What was left at once is ours after this time; who does not leave in it will not. */
const LEAVING_MS_MAX = 10_000;
const LOOK_MS = 20;

/** The Fairway to take over from: that of `pid`, or the only one; null when none runs. */
export async function findPredecessor(pid: number | null): Promise<Predecessor | null> {
  const running: Predecessor[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    const lock = await lockAddress(lockAddressOf(block));
    if (lock !== undefined) {
      lock.release();
      continue;
    }
    const owner = await portOwner(lockAddressOf(block), LOCK_PORT);
    if (owner !== undefined) running.push({ pid: owner.pid, block });
  }
  const wanted = pid === null ? running : running.filter((one) => one.pid === pid);
  if (wanted.length > 1) {
    throw new FairwayError('FW_USAGE', `${wanted.length} Fairways of yours run on this machine`, {
      hint: `say which one: --take-over ${wanted.map((one) => one.pid).join(', or ')}`,
    });
  }
  if (pid !== null && wanted.length === 0) {
    throw new FairwayError('FW_USAGE', `process ${pid} is no Fairway of yours`, {
      hint: 'give the process of a running fairway up, or --take-over alone',
    });
  }
  return wanted[0] ?? null;
}

/** Asks it to leave; resolves once its addresses are this process's, while it still finishes what it has. */
export async function takeOver({ pid, block }: Predecessor): Promise<AddressLock> {
  try {
    process.kill(pid, LEAVE_SIGNAL);
  } catch (error) {
    // It has ended meanwhile: then its addresses are free.
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
  for (const end = performance.now() + LEAVING_MS_MAX; performance.now() < end;) {
    const lock = await lockAddress(lockAddressOf(block));
    if (lock !== undefined) return lock;
    await delay(LOOK_MS);
  }
  throw new FairwayError('FW_NOT_LEFT', `process ${pid} does not leave its addresses`, {
    hint: 'it goes on serving; what it says tells why (one that runs pods or the Kubernetes API cannot leave)',
  });
}
