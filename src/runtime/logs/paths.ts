// Where a container's log is:
//
//   <stateDir>/logs/<namespace>/<pod>/<container>.log            what it writes now
//   <stateDir>/logs/<namespace>/<pod>/<container>.log.1          what came before, after a rotation
//   <stateDir>/logs/<namespace>/<pod>/<container>.previous.log   the container before its last restart
//
// Container names hold no dots, so `previous` cannot be one.

import { join } from 'node:path';

export interface LogName {
  readonly stateDir: string;
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A DNS subdomain or label: it can neither climb out of a folder nor be empty. */
const SAFE_NAME = /^[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?$/;

/** The folder with the logs of a pod. Throws a RangeError for what cannot be an object's name. */
export function podLogDirectory(name: Omit<LogName, 'container'>): string {
  return join(name.stateDir, 'logs', safe(name.namespace), safe(name.pod));
}

/** The file a container writes now; `rotatedLog` and `previousLog` say where older lines are. */
export function currentLog(name: LogName): string {
  return join(podLogDirectory(name), `${safe(name.container)}.log`);
}

/** The file of the container as it was before its last restart. */
export function previousLog(name: LogName): string {
  return join(podLogDirectory(name), `${safe(name.container)}.previous.log`);
}

/** The file that a log was moved to when it was full. */
export function rotatedLog(log: string): string {
  return `${log}.1`;
}

function safe(name: string): string {
  if (!SAFE_NAME.test(name) || name.includes('..')) {
    throw new RangeError(`not the name of an object: ${JSON.stringify(name)}`);
  }
  return name;
}
