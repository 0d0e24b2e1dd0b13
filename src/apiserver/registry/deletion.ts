// What a client says about a deletion, and whether an object lingers after it.

import { Namespace } from '../../api/core/namespace.ts';
import { Pod } from '../../api/core/pod.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { failure } from '../failure.ts';

export type Propagation = 'Background' | 'Foreground' | 'Orphan';

export interface DeleteOptions {
  readonly propagation: Propagation;
  readonly gracePeriodSeconds: number | undefined;
  readonly preconditions: {
    readonly uid?: string;
    readonly resourceVersion?: string;
  };
  readonly dryRun: boolean;
}

/** What a definition waits for: that its objects are gone. */
export const CLEANUP_FINALIZER = 'customresourcecleanup.apiextensions.k8s.io';

/** What an object waits for that is deleted with a policy. */
export const FINALIZERS: Readonly<Record<Propagation, string | undefined>> = {
  Background: undefined,
  Foreground: 'foregroundDeletion',
  Orphan: 'orphan',
};

/**
 * Reads DeleteOptions from the body, and what the query says in its place. Throws a Failure for what is
 * none.
 */
export function readDeleteOptions(body: unknown, query: URLSearchParams): DeleteOptions {
  const written = asRecord(body ?? {}, 'DeleteOptions');
  const { kind } = written;
  if (kind !== undefined && kind !== 'DeleteOptions') {
    throw failure.badRequest(
      `the body of a deletion is a DeleteOptions, not ${JSON.stringify(kind)}`,
    );
  }
  const policy = query.get('propagationPolicy') ?? written['propagationPolicy'];
  const orphans = query.get('orphanDependents') ?? written['orphanDependents'];
  const preconditions = asRecord(written['preconditions'] ?? {}, 'preconditions');
  const dryRun = query.getAll('dryRun').length > 0 ? query.getAll('dryRun') : written['dryRun'];
  return {
    propagation: propagationOf(policy, orphans),
    gracePeriodSeconds: graceOfText(
      query.get('gracePeriodSeconds') ?? written['gracePeriodSeconds'],
    ),
    preconditions: {
      ...textField(preconditions, 'uid'),
      ...textField(preconditions, 'resourceVersion'),
    },
    dryRun: readDryRun(dryRun),
  };
}

/** `All`, once or several times, is a dry run; anything else is refused. */
export function readDryRun(written: unknown): boolean {
  const values = written === undefined || written === null ? [] : [written].flat();
  for (const value of values) {
    if (value !== 'All') {
      throw failure.unprocessable(
        `dryRun: Unsupported value: ${JSON.stringify(value)}: supported values: "All"`,
      );
    }
  }
  return values.length > 0;
}

function propagationOf(policy: unknown, orphans: unknown): Propagation {
  if (policy === undefined || policy === null || policy === '') {
    return orphans === true || orphans === 'true' ? 'Orphan' : 'Background';
  }
  if (policy === 'Background' || policy === 'Foreground' || policy === 'Orphan') return policy;
  throw failure.unprocessable(
    `propagationPolicy: Unsupported value: ${JSON.stringify(policy)}: supported values: "Background", "Foreground", "Orphan"`,
  );
}

function graceOfText(written: unknown): number | undefined {
  if (written === undefined || written === null) return undefined;
  const seconds = Number(written);
  if (Number.isInteger(seconds)) return Math.max(0, seconds);
  throw failure.badRequest(`gracePeriodSeconds is not a whole number: ${JSON.stringify(written)}`);
}

function textField(record: Readonly<Record<string, unknown>>, name: string): object {
  const value = record[name];
  if (value === undefined || value === null) return {};
  if (typeof value !== 'string') throw failure.badRequest(`preconditions.${name} is not a string`);
  return { [name]: value };
}

function asRecord(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw failure.badRequest(`${what} is not an object`);
}

/** Whether something has to happen before the object can go. */
export function lingers(kind: Kind, object: KubeObject, asked?: number): boolean {
  if ((object.metadata.finalizers ?? []).length > 0) return true;
  // Its controller ends it, with everything that is in it or of it.
  if (kind === (Namespace as Kind) || kind.kind === 'CustomResourceDefinition') return true;
  return graceOf(kind, object, asked) > 0 || runs(kind, object);
}

/** Seconds the object has to end, when it is told now. */
export function graceOf(kind: Kind, object: KubeObject, asked?: number): number {
  if (!runs(kind, object)) return 0;
  return asked ?? (object as Pod).spec.terminationGracePeriodSeconds;
}

/** A pod with a node has processes, and is gone when they are. */
function runs(kind: Kind, object: KubeObject): boolean {
  if (kind !== (Pod as Kind)) return false;
  const { spec, status } = object as Pod;
  const isFinished = status.phase === 'Succeeded' || status.phase === 'Failed';
  return (spec.nodeName ?? '') !== '' && !isFinished;
}
