// What the allocators say when they cannot give what is asked for, in the words of Kubernetes' API
// server (k8s.io/kubernetes pkg/registry/core/service): clients match on them.

import { formatFieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import type { RefusedRequest } from '../../api/core/service-carry-over.ts';

/** The answer to a request that fails: status 422 with its causes, or status 500. */
export type AllocationError =
  | { readonly type: 'invalid'; readonly errors: readonly FieldError[] }
  | { readonly type: 'internal'; readonly message: string };

/** One field whose request was refused. */
export interface Refusal {
  /** A request that fails tells the refusals of its first failing step only. */
  readonly step: 'families' | 'addresses' | 'ports';
  readonly field: RefusedRequest['field'];
  /** The name of the port, for `nodePort`. */
  readonly port?: string;
  readonly error: AllocationError;
}

/** `Service "web" is invalid: spec.clusterIPs: Invalid value: …`, as the API server answers. */
export function formatAllocationError(name: string, error: AllocationError): string {
  if (error.type === 'internal') return `Internal error occurred: ${error.message}`;
  const texts = error.errors.map(formatFieldError);
  const all = texts.length === 1 ? texts[0] : `[${texts.join(', ')}]`;
  return `Service ${JSON.stringify(name)} is invalid: ${all}`;
}

/** The error without the name of the object, as a finding tells it. */
export function refusalMessage(error: AllocationError): string {
  return error.type === 'internal' ? error.message : error.errors.map(formatFieldError).join(', ');
}

/** What a request with these refusals fails with; undefined when there are none. */
export function firstError(refusals: readonly Refusal[]): AllocationError | undefined {
  const [first] = refusals;
  if (first === undefined || first.error.type === 'internal') return first?.error;
  const sameStep = refusals.filter(({ step }) => step === first.step);
  const errors = sameStep.flatMap(({ error }) => (error.type === 'invalid' ? error.errors : []));
  return { type: 'invalid', errors };
}
