// The answers of echo-advanced are lines `Key=value`; clients (the mesh conformance tests, Istio's framework) look for
// the keys, so spelling and order follow the real server. (Its `Namespace=` never appears: no value reaches it.)

import type { Identity } from './settings.ts';

/** One line, left out if `value` is undefined. */
export type Field = readonly [key: string, value: string | undefined];

export function fieldLines(fields: readonly Field[]): string {
  return fields.map(([key, value]) => (value === undefined ? '' : `${key}=${value}\n`)).join('');
}

/** Fields that appear only with a value. */
export function nonEmpty(key: string, value: string): Field {
  return [key, value === '' ? undefined : value];
}

/** What TCP and UDP clients are told. (UDP says `Proto=TCP` in the real server, too.) */
export function connectionFields(
  identity: Identity,
  port: number,
  clientIp: string,
): readonly Field[] {
  return [
    ['StatusCode', '200'],
    nonEmpty('Cluster', identity.cluster),
    nonEmpty('IstioVersion', identity.istioVersion),
    ['ServiceVersion', identity.version],
    ['ServicePort', String(port)],
    ['IP', clientIp],
    ['Proto', 'TCP'],
    ['Hostname', identity.hostname],
  ];
}

/** The address part of `ip:port`. */
export function ipOf(remote: string): string {
  return remote.slice(0, remote.lastIndexOf(':')).replace(/^\[|\]$/g, '');
}
