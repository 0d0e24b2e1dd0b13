// What the status of a definition says while its objects go.

import type { CustomResourceDefinition } from './crd.ts';

type Status = NonNullable<CustomResourceDefinition['status']>;

/** The status of a definition that is deleted, at `time` (RFC 3339): the same when nothing changes. */
export function terminatingStatus(
  { status = {} }: CustomResourceDefinition,
  objectsLeft: number,
  time: string,
): Status {
  const isOver = objectsLeft === 0;
  const verdict = {
    type: 'Terminating',
    status: isOver ? 'False' : 'True',
    reason: isOver ? 'InstanceDeletionCompleted' : 'InstanceDeletionInProgress',
    message: isOver ? 'the objects of the definition are gone' : 'its objects are being deleted',
  } as const;
  const { conditions = [] } = status;
  const before = conditions.find(({ type }) => type === 'Terminating');
  if (before?.status === verdict.status && before.reason === verdict.reason) return status;
  const others = conditions.filter((condition) => condition !== before);
  return { ...status, conditions: [...others, { ...verdict, lastTransitionTime: time }] };
}
