// The subresource scale: how many replicas, without the rest (autoscaling/v1 Scale). Workloads have it,
// and kinds of users whose definition says where the numbers are.

import type { Deployment } from '../../api/apps/deployment.ts';
import type { Kind, KubeObject, ScalePaths } from '../../api/kind.ts';
import type { LabelSelector } from '../../api/meta.ts';
import { fieldError } from '../../api/schema/errors.ts';
import { failure } from '../failure.ts';

interface Scaled extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly selector: LabelSelector };
  readonly status?: { readonly replicas?: number };
}

type Fields = Readonly<Record<string, unknown>>;

const SCALE = { group: 'autoscaling', kind: 'Scale', plural: 'scales' };

/** Throws a Failure for an object of a user's kind that has no number of replicas. */
export function scaleOf(object: KubeObject, { scale }: Pick<Kind, 'scale'>): object {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    ...(scale === undefined ? ofWorkload(object as Scaled) : ofCustom(object, scale)),
  };
}

function ofWorkload({ spec, status }: Scaled): object {
  return {
    spec: { replicas: spec.replicas ?? 1 },
    status: { replicas: status?.replicas ?? 0, selector: selectorText(spec.selector) },
  };
}

function ofCustom(object: KubeObject, paths: ScalePaths): object {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath } = paths;
  const wanted = at(object, specReplicasPath);
  if (typeof wanted !== 'number') {
    throw failure.internal(`the spec replicas field "${specReplicasPath}" does not exist`);
  }
  const actual = at(object, statusReplicasPath);
  const selector = labelSelectorPath === undefined ? undefined : at(object, labelSelectorPath);
  return {
    spec: { replicas: wanted },
    status: {
      replicas: typeof actual === 'number' ? actual : 0,
      ...(typeof selector === 'string' ? { selector } : {}),
    },
  };
}

/** The paths of a definition are names with dots between them, and nothing else. */
function at(object: unknown, path: string): unknown {
  let value = object;
  for (const name of stepsOf(path)) {
    if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name))
      return undefined;
    value = (value as Fields)[name];
  }
  return value;
}

function stepsOf(path: string): readonly string[] {
  return path.split('.').slice(1);
}

export interface Scale {
  readonly replicas: number;
  readonly resourceVersion: string | undefined;
}

/** Throws a Failure for what is no Scale. */
export function readScale(body: unknown, name: string): Scale {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw failure.badRequest('the body of the request is not a Scale');
  }
  const { spec, metadata } = body as { spec?: unknown; metadata?: unknown };
  const replicas = asFields(spec)['replicas'] ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas)) {
    throw failure.invalid(SCALE, name, [fieldError.type('spec.replicas', replicas, 'integer')]);
  }
  if (replicas < 0) {
    const detail = 'must be greater than or equal to 0';
    throw failure.invalid(SCALE, name, [fieldError.invalid('spec.replicas', replicas, detail)]);
  }
  const version = asFields(metadata)['resourceVersion'];
  return { replicas, resourceVersion: typeof version === 'string' ? version : undefined };
}

function asFields(value: unknown): Fields {
  return typeof value === 'object' && value !== null ? (value as Fields) : {};
}

export function withScale(
  object: KubeObject,
  { replicas, resourceVersion }: Scale,
  { scale }: Pick<Kind, 'scale'>,
): KubeObject {
  const { metadata } = object as Deployment;
  const whole = {
    ...object,
    metadata: resourceVersion === undefined ? metadata : { ...metadata, resourceVersion },
  };
  const steps = stepsOf(scale?.specReplicasPath ?? '.spec.replicas');
  return put(whole as unknown as Fields, steps, replicas) as unknown as KubeObject;
}

function put(object: Fields, steps: readonly string[], value: unknown): Fields {
  const [name = '', ...rest] = steps;
  return {
    ...object,
    [name]: rest.length === 0 ? value : put(asFields(object[name]), rest, value),
  };
}

/** A selector as a query has it: `app=shop,tier in (a,b)`. */
function selectorText({ matchLabels = {}, matchExpressions = [] }: LabelSelector): string {
  return [
    ...Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`),
    ...matchExpressions.map(({ key, operator, values = [] }) => {
      switch (operator) {
        case 'In':
          return `${key} in (${values.join(',')})`;
        case 'NotIn':
          return `${key} notin (${values.join(',')})`;
        case 'DoesNotExist':
          return `!${key}`;
        default:
          return key;
      }
    }),
  ].join(',');
}
