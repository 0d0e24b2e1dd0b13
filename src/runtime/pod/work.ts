// Whether two versions of a pod mean the same processes.

import type { Pod } from '../../api/core/pod.ts';
import { deepEqual } from '../../lib/equal.ts';

/** Changes of these fields need the pod to begin anew; others (tolerations, gates) do not touch it. */
const FIELDS = [
  'volumes',
  'initContainers',
  'containers',
  'restartPolicy',
  'hostNetwork',
  'hostname',
  'hostnameOverride',
  'enableServiceLinks',
  'dnsPolicy',
] as const;

export function sameWork(a: Pod, b: Pod): boolean {
  const sameSpec =
    a.spec === b.spec || FIELDS.every((field) => deepEqual(a.spec[field], b.spec[field]));
  return sameSpec && deepEqual(ownAnnotations(a), ownAnnotations(b));
}

function ownAnnotations(pod: Pod): unknown {
  const annotations = Object.entries(pod.metadata.annotations ?? {});
  return Object.fromEntries(annotations.filter(([name]) => name.startsWith('fairway.dev/')));
}
