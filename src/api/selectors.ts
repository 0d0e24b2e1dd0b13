// Label selectors: does a set of labels satisfy one?

import type { LabelSelector } from './meta.ts';

type Labels = Readonly<Record<string, string>>;

/** True when `labels` satisfy every requirement. An empty selector selects everything. */
export function matchesSelector(selector: LabelSelector, labels: Labels | undefined): boolean {
  return (
    matchesLabels(selector.matchLabels ?? {}, labels) &&
    (selector.matchExpressions ?? []).every((expression) => {
      const value = ownValue(labels, expression.key);
      switch (expression.operator) {
        case 'In':
          return value !== undefined && (expression.values ?? []).includes(value);
        case 'NotIn':
          return value === undefined || !(expression.values ?? []).includes(value);
        case 'Exists':
          return value !== undefined;
        case 'DoesNotExist':
          return value === undefined;
        default:
          return false;
      }
    })
  );
}

/** True when every wanted label is there with its value: the selector of a Service. */
export function matchesLabels(wanted: Labels, labels: Labels | undefined): boolean {
  return Object.keys(wanted).every((key) => ownValue(labels, key) === wanted[key]);
}

function ownValue(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
