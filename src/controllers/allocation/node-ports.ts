// The node ports of a Service: those it asks for, those it has, or the first free one from a place that
// follows from its name, so that the same files get the same ports on every machine.

import type { ServicePort, ServiceSpec } from '../../api/core/service-spec.ts';
import { needsHealthCheck, needsNodePorts } from '../../api/core/service-type.ts';
import { fieldError } from '../../api/schema/errors.ts';
import { hash32 } from '../shared/hash.ts';
import type { Pool } from './pool.ts';
import type { Refusal } from './refusal.ts';

export interface PortWish {
  readonly spec: ServiceSpec;
  readonly owner: string;
  /** `namespace/name` of the Service. */
  readonly key: string;
  /** What the Service has now, if it has anything. */
  readonly current: ServiceSpec | undefined;
}

export interface NodePorts {
  /** 0 for a port that was asked for and cannot be had. */
  readonly ports: readonly ServicePort[] | undefined;
  readonly healthCheckNodePort: number | undefined;
  readonly refusals: readonly Refusal[];
}

export function decideNodePorts(wish: PortWish, pool: Pool): NodePorts {
  const { spec } = wish;
  const mine = new Set<number>();
  const refusals: Refusal[] = [];
  const ports = needsNodePorts(spec) ? decideEach(wish, pool, mine, refusals) : spec.ports;
  const healthCheckNodePort = needsHealthCheck(spec)
    ? decideHealthCheck(wish, pool, mine, refusals)
    : spec.healthCheckNodePort;
  return { ports, healthCheckNodePort, refusals };
}

/** What is asked for goes first: no other port of the same Service may take it. */
function decideEach(
  wish: PortWish,
  pool: Pool,
  mine: Set<number>,
  refusals: Refusal[],
): readonly ServicePort[] {
  const ports = wish.spec.ports ?? [];
  const given = ports.map((port, i) => {
    const asked = port.nodePort ?? 0;
    if (asked === 0) return undefined;
    const why = objection(asked, wish.owner, pool);
    if (why === undefined) {
      mine.add(asked);
      return asked;
    }
    const errors = [fieldError.invalid(`spec.ports[${i}].nodePort`, asked, why)];
    const error = { type: 'invalid', errors } as const;
    refusals.push({ step: 'ports', field: 'nodePort', port: port.name ?? '', error });
    return pool.has(asked) ? 0 : undefined;
  });
  return ports.map((port, i) => {
    const nodePort = given[i] ?? givePort(wish, port, ports, { pool, mine, given, refusals });
    given[i] = nodePort;
    return nodePort === undefined || nodePort === port.nodePort ? port : { ...port, nodePort };
  });
}

interface Progress {
  readonly pool: Pool;
  readonly mine: Set<number>;
  readonly given: readonly (number | undefined)[];
  readonly refusals: Refusal[];
}

/** A port for one that asks for none; undefined when none is to be given. */
function givePort(
  wish: PortWish,
  port: ServicePort,
  ports: readonly ServicePort[],
  { pool, mine, given, refusals }: Progress,
): number | undefined {
  const { spec, current, owner, key } = wish;
  const isWanted = spec.type === 'NodePort' || spec.allocateLoadBalancerNodePorts !== false;
  // What was refused is replaced all the same: the port is reached, if by another number.
  if (!isWanted && (port.nodePort ?? 0) === 0) return undefined;
  const had = current?.ports?.find(({ name = '' }) => name === (port.name ?? ''))?.nodePort ?? 0;
  if (had !== 0 && pool.ownerOf(had) === owner && !mine.has(had)) {
    mine.add(had);
    return had;
  }
  // The same port of another protocol, as of DNS, is reached by the same number.
  const twin = ports.findIndex(
    (other, i) => other !== port && other.port === port.port && (given[i] ?? 0) !== 0,
  );
  if (twin !== -1) return given[twin];
  const free = pool.freeFrom(hash32(`${key}/${port.port}/${port.protocol}`), mine);
  if (free === undefined) {
    const message = 'failed to allocate a nodePort: range is full';
    const error = { type: 'internal', message } as const;
    refusals.push({ step: 'ports', field: 'nodePort', port: port.name ?? '', error });
    return undefined;
  }
  mine.add(free);
  return free;
}

function decideHealthCheck(
  { spec, owner, key, current }: PortWish,
  pool: Pool,
  mine: Set<number>,
  refusals: Refusal[],
): number | undefined {
  const asked = spec.healthCheckNodePort ?? 0;
  const refuse = (message: string): void => {
    const error = { type: 'internal', message } as const;
    refusals.push({ step: 'ports', field: 'healthCheckNodePort', error });
  };
  if (asked !== 0) {
    const taken = 'provided port is already allocated';
    const why = mine.has(asked) ? taken : objection(asked, owner, pool);
    if (why === undefined) return asked;
    refuse(`failed to allocate requested HealthCheck NodePort ${asked}: ${why}`);
    if (pool.has(asked)) return 0;
  }
  const had = current?.healthCheckNodePort ?? 0;
  if (had !== 0 && pool.ownerOf(had) === owner && !mine.has(had)) return had;
  const free = pool.freeFrom(hash32(`${key}/healthCheck`), mine);
  if (free === undefined) refuse('failed to allocate a HealthCheck NodePort 0: range is full');
  return free;
}

/** Why a port cannot be given to the owner; undefined when it can. */
function objection(port: number, owner: string, pool: Pool): string | undefined {
  const { first, last } = pool.band;
  if (!pool.has(port)) {
    return `provided port is not in the valid range. The range of valid ports is ${first}-${last}`;
  }
  const holder = pool.ownerOf(port) ?? owner;
  return holder === owner ? undefined : 'provided port is already allocated';
}
