// The downward API: fieldRef and resourceFieldRef of a pod → text, for env variables and downwardAPI
// volumes.

import { parseQuantity } from '../../api/core/quantity.ts';
import type { Quantity } from '../../api/core/quantity.ts';
import type { Container } from '../../api/core/containers.ts';
import type { Pod } from '../../api/core/pod.ts';

/** Where a pod runs: what the downward API can say besides the pod itself. */
export interface Placement {
  readonly podIp: string;
  readonly hostIp: string;
  /** What a container without limits may use: the machine's. */
  readonly cpus: number;
  readonly memoryBytes: number;
  /** Ports of Services below this one are served at other numbers. */
  readonly firstOpenPort?: number;
}

const SUBSCRIPT = /^metadata\.(labels|annotations)\['(.*)'\]$/;

/** The value of a field; empty for an absent label or annotation, undefined for a path there is not. */
export function fieldValue(pod: Pod, path: string, placement: Placement): string | undefined {
  const { metadata, spec } = pod;
  const subscript = SUBSCRIPT.exec(path);
  if (subscript !== null) {
    const [, which, key = ''] = subscript;
    return (which === 'labels' ? metadata.labels : metadata.annotations)?.[key] ?? '';
  }
  switch (path) {
    case 'metadata.name':
      return metadata.name ?? '';
    case 'metadata.namespace':
      return metadata.namespace ?? '';
    case 'metadata.uid':
      return metadata.uid ?? '';
    case 'metadata.labels':
      return formatMap(metadata.labels);
    case 'metadata.annotations':
      return formatMap(metadata.annotations);
    case 'spec.nodeName':
      return spec.nodeName ?? '';
    case 'spec.serviceAccountName':
      return spec.serviceAccountName ?? 'default';
    case 'status.podIP':
    case 'status.podIPs':
      return placement.podIp;
    case 'status.hostIP':
    case 'status.hostIPs':
      return placement.hostIp;
    default:
      return undefined;
  }
}

/** One `key="value"` per line, sorted, the value quoted. */
function formatMap(map: Readonly<Record<string, string>> | undefined): string {
  return Object.keys(map ?? {})
    .toSorted()
    .map((key) => `${key}=${JSON.stringify(map?.[key])}`)
    .join('\n');
}

/**
 * `limits.cpu`, `requests.memory` and their like, in units of the divisor (1 when absent), rounded up.
 * A limit that is not set is the machine's; a request that is not set is the limit, else 0.
 */
export function resourceValue(
  container: Container,
  resource: string,
  divisor: string | undefined,
  placement: Placement,
): string | undefined {
  const dot = resource.indexOf('.');
  const which = resource.slice(0, dot);
  const name = resource.slice(dot + 1);
  const limit = container.resources?.limits?.[name];
  const written =
    which === 'limits'
      ? (limit ?? available(name, placement))
      : which === 'requests'
        ? (container.resources?.requests?.[name] ?? limit ?? '0')
        : undefined;
  const value = written === undefined ? undefined : parseQuantity(written);
  const unit = parseQuantity(divisor ?? '1');
  if (value === undefined || unit === undefined) return undefined;
  return String(divideUp(value, unit.unscaled <= 0n ? ONE : unit));
}

function available(name: string, placement: Placement): string {
  if (name === 'cpu') return String(placement.cpus);
  return name === 'memory' ? String(placement.memoryBytes) : '0';
}

const ONE: Quantity = { unscaled: 1n, scale: 0, format: 'decimal' };

function divideUp(value: Quantity, unit: Quantity): bigint {
  const scale = Math.min(value.scale, unit.scale);
  const dividend = value.unscaled * 10n ** BigInt(value.scale - scale);
  const divisor = unit.unscaled * 10n ** BigInt(unit.scale - scale);
  return (dividend + divisor - 1n) / divisor;
}
