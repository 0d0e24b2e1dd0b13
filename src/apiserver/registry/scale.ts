// The subresource scale of workloads: how many replicas, without the rest (autoscaling/v1 Scale).

import type { Deployment } from '../../api/apps/deployment.ts';
import type { KubeObject } from '../../api/kind.ts';
import type { LabelSelector } from '../../api/meta.ts';
import { failure } from '../failure.ts';

interface Scaled extends KubeObject {
  readonly spec: { readonly replicas?: number; readonly selector: LabelSelector };
  readonly status?: { readonly replicas?: number };
}

export function scaleOf(object: KubeObject): object {
  const { metadata, spec, status } = object as Scaled;
  const { name, namespace, uid, resourceVersion, creationTimestamp } = metadata;
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: spec.replicas ?? 1 },
    status: { replicas: status?.replicas ?? 0, selector: selectorText(spec.selector) },
  };
}

export interface Scale {
  readonly replicas: number;
  readonly resourceVersion: string | undefined;
}

/** Throws a Failure for what is no Scale. */
export function readScale(body: unknown): Scale {
  const { spec, metadata } = (body ?? {}) as {
    spec?: { replicas?: unknown };
    metadata?: { resourceVersion?: unknown };
  };
  const replicas = spec?.replicas ?? 0;
  if (typeof replicas !== 'number' || !Number.isInteger(replicas) || replicas < 0) {
    throw failure.unprocessable(
      `spec.replicas: Invalid value: ${JSON.stringify(replicas)}: must be greater than or equal to 0`,
    );
  }
  const version = metadata?.resourceVersion;
  return { replicas, resourceVersion: typeof version === 'string' ? version : undefined };
}

export function withScale(object: KubeObject, { replicas, resourceVersion }: Scale): KubeObject {
  const { metadata, spec } = object as Deployment;
  return {
    ...object,
    metadata: resourceVersion === undefined ? metadata : { ...metadata, resourceVersion },
    spec: { ...spec, replicas },
  } as KubeObject;
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
