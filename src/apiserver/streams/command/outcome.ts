// How the outcome of a command is written: as a Status since v4, before that as a text, and nothing at
// all when there is no fault to tell.

import type { Status } from '../status.ts';

export function outcomeText(outcome: Status, asStatus: boolean): string {
  if (!asStatus) return outcome.status === 'Success' ? '' : (outcome.message ?? 'unknown error');
  // Written without these in the streaming protocols.
  const { kind: _kind, apiVersion: _apiVersion, ...rest } = outcome;
  return JSON.stringify(rest);
}
