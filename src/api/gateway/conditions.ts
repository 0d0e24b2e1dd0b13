// Status: conditions, the verdicts they start with, and the entries by which controllers tell apart
// what each of them thinks of a route or a policy.

import type { Column } from '../kind.ts';
import { Condition } from '../meta.ts';
import { described, list, object } from '../schema/schema.ts';
import type { ListNode } from '../schema/schema.ts';
import { ControllerName } from './fields.ts';
import { ParentReference } from './references.ts';

type Limits = Pick<ListNode, 'minItems' | 'maxItems'>;

/** A list of conditions, one of each type. */
export function conditions(doc: string, limits: Limits = { maxItems: 8 }) {
  return list(described(Condition, 'A verdict on one question.'), {
    listType: 'map',
    keys: ['type'],
    ...limits,
    doc,
  });
}

/** What an object says of itself before any controller has looked at it. */
export function pending(...types: readonly string[]): readonly Condition[] {
  return types.map((type) => ({
    type,
    status: 'Unknown',
    reason: 'Pending',
    message: 'Waiting for controller',
    lastTransitionTime: '1970-01-01T00:00:00Z',
  }));
}

const verdict = conditions('The verdict of this controller, one condition of each type.', {
  minItems: 1,
  maxItems: 8,
});

/** The status of every kind of route. */
export const RouteStatus = object(
  {
    parents: list(
      object(
        {
          parentRef: ParentReference,
          controllerName: ControllerName,
          conditions: verdict,
        },
        { doc: 'What one controller has made of one entry of parentRefs.' },
      ),
      {
        listType: 'atomic',
        maxItems: 32,
        doc: 'One entry per parent and controller. A parent that nobody here manages has none.',
      },
    ),
  },
  { doc: 'What has become of the route.' },
);

/** The status of every kind of policy. */
export const PolicyStatus = object(
  {
    ancestors: list(
      object(
        {
          ancestorRef: ParentReference,
          controllerName: ControllerName,
          conditions: verdict,
        },
        { doc: 'What one controller has made of the policy, seen from one Gateway.' },
      ),
      {
        listType: 'atomic',
        maxItems: 16,
        doc: 'One entry per Gateway (or other ancestor) the policy takes effect under. A controller that finds 16 entries of others applies the policy without saying so here.',
      },
    ),
  },
  { doc: 'What has become of the policy.' },
);

interface WithConditions {
  readonly status?: { readonly conditions?: readonly Condition[] };
}

/** A column with the status of one condition; empty while there is none. */
export function conditionColumn(type: string): Column {
  return {
    name: type,
    type: 'string',
    value: ({ status }: WithConditions) =>
      status?.conditions?.find((condition) => condition.type === type)?.status ?? '',
  };
}
