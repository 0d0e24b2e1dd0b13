// The cells that workloads share in `kubectl get`.

import type { Column } from '../kind.ts';
import type { LabelSelector } from '../meta.ts';
import type { PodTemplateSpec } from '../core/pod-template.ts';

interface Workload {
  readonly spec: { readonly template: PodTemplateSpec };
}

export const containersColumn: Column = {
  name: 'Containers',
  type: 'string',
  priority: 1,
  value: ({ spec: { template } }: Workload) =>
    template.spec.containers.map((c) => c.name).join(','),
};

export const imagesColumn: Column = {
  name: 'Images',
  type: 'string',
  priority: 1,
  value: ({ spec: { template } }: Workload) =>
    template.spec.containers.map((c) => c.image).join(','),
};

/** `app=web,tier in (back,front),!canary`, by key; undefined for a selector of nothing. */
export function formatSelector(selector: LabelSelector): string | undefined {
  const labels = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({
    key,
    text: `${key}=${value}`,
  }));
  const expressions = (selector.matchExpressions ?? []).map(({ key, operator, values = [] }) => ({
    key,
    text: formatExpression(key, operator, values.toSorted().join(',')),
  }));
  const parts = [...labels, ...expressions].toSorted((a, b) =>
    a.key < b.key ? -1 : a.key > b.key ? 1 : 0,
  );
  return parts.length === 0 ? undefined : parts.map((part) => part.text).join(',');
}

function formatExpression(key: string, operator: string, values: string): string {
  switch (operator) {
    case 'In':
      return `${key} in (${values})`;
    case 'NotIn':
      return `${key} notin (${values})`;
    case 'DoesNotExist':
      return `!${key}`;
    default:
      return key;
  }
}
