// What a Service asked for and could not be given, kept in an annotation beside what it was given
// instead. A manifest that is written again still asks for the same: it gets the same instead, so that
// saving a file moves no address.

import { deepEqual } from '../../lib/equal.ts';
import { isRecord } from '../schema/normalize.ts';
import { changed, mapItems } from './defaulting.ts';
import type { ServicePort, ServiceSpec } from './service-spec.ts';
import type { Service } from './service.ts';

/** Holds a JSON list of RefusedRequest. */
export const REFUSED_ANNOTATION = 'fairway.dev/refused';

/** One field whose value could not be given. */
export interface RefusedRequest {
  readonly field:
    | 'clusterIPs'
    | 'ipFamilies'
    | 'ipFamilyPolicy'
    | 'nodePort'
    | 'healthCheckNodePort';
  /** The name of the port, for `nodePort`; empty when it has none. */
  readonly port?: string;
  /** Null when nothing certain was asked for, and nothing is left. */
  readonly asked: unknown;
  /** What the field holds instead; the zero value of its type for nothing at all. */
  readonly given: unknown;
  /** Why, in the words of Kubernetes' API server. */
  readonly message: string;
}

/** What the Service asked for in vain; nothing when the annotation is absent or not ours. */
export function refusedRequests({ metadata }: Service): readonly RefusedRequest[] {
  const text = metadata.annotations?.[REFUSED_ANNOTATION];
  if (text === undefined) return [];
  try {
    const value: unknown = JSON.parse(text);
    return Array.isArray(value) ? value.filter(isRefusedRequest) : [];
  } catch {
    return [];
  }
}

function isRefusedRequest(value: unknown): value is RefusedRequest {
  return (
    isRecord(value) &&
    typeof value['field'] === 'string' &&
    typeof value['message'] === 'string' &&
    'asked' in value &&
    'given' in value
  );
}

/** The Service with its refused requests on it; without the annotation when there are none. */
export function withRefusedRequests(
  service: Service,
  refused: readonly RefusedRequest[] | undefined,
): Service {
  const { annotations = {}, ...metadata } = service.metadata;
  const { [REFUSED_ANNOTATION]: _old, ...others } = annotations;
  const next =
    refused === undefined ? others : { ...others, [REFUSED_ANNOTATION]: JSON.stringify(refused) };
  const hasAny = Object.keys(next).length > 0;
  return { ...service, metadata: hasAny ? { ...metadata, annotations: next } : metadata };
}

/**
 * `wanted` with every request that was refused before replaced by what the stored Service was given.
 * For writers who do not know of the refusal: whoever writes the annotation himself has decided.
 */
export function withGivenInstead(old: Service, wanted: Service): Service {
  if (wanted.metadata.annotations?.[REFUSED_ANNOTATION] !== undefined) return wanted;
  const repeated = refusedRequests(old).filter((request) => asksFor(wanted.spec, request));
  if (repeated.length === 0) return wanted;
  let spec = wanted.spec;
  for (const { field, port, given } of repeated) spec = withField(spec, field, port, given);
  return withRefusedRequests({ ...wanted, spec }, repeated);
}

/**
 * The Service as it was asked for: fields that still hold what was given instead are what was asked.
 * A field that somebody has changed since then asks for what it holds.
 */
export function withAskedAgain(service: Service): Service {
  let spec = service.spec;
  for (const { field, port, asked, given } of refusedRequests(service)) {
    if (asked === null) continue;
    const current = fieldOf(service.spec, field, port);
    if (deepEqual(current ?? zeroOf(field), given)) spec = withField(spec, field, port, asked);
  }
  return spec === service.spec ? service : { ...service, spec };
}

function asksFor(spec: ServiceSpec, { field, port, asked }: RefusedRequest): boolean {
  const value = fieldOf(spec, field, port);
  return value !== undefined && deepEqual(value, asked);
}

function fieldOf(
  spec: ServiceSpec,
  field: RefusedRequest['field'],
  port: string | undefined,
): unknown {
  return field === 'nodePort'
    ? spec.ports?.find(({ name = '' }) => name === (port ?? ''))?.nodePort
    : spec[field];
}

/** Go's zero values, which mean the same as an absent field and cannot be mistaken for one to keep. */
function zeroOf(field: RefusedRequest['field']): unknown {
  switch (field) {
    case 'clusterIPs':
    case 'ipFamilies':
      return [];
    case 'ipFamilyPolicy':
      return '';
    case 'nodePort':
    case 'healthCheckNodePort':
      return 0;
  }
}

function withField(
  spec: ServiceSpec,
  field: RefusedRequest['field'],
  port: string | undefined,
  value: unknown,
): ServiceSpec {
  if (field === 'nodePort') {
    const ports = mapItems<ServicePort>(spec.ports ?? [], (one) =>
      (one.name ?? '') === (port ?? '') ? { ...one, nodePort: Number(value) } : one,
    );
    return changed(spec, { ports });
  }
  if (field === 'clusterIPs') {
    const clusterIPs = value as readonly string[];
    return changed(spec, { clusterIPs, clusterIP: clusterIPs[0] ?? '' });
  }
  return { ...spec, [field]: value };
}
