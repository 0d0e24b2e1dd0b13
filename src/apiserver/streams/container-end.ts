// When a container that is followed has ended: its log then has an end too, and whoever reads it is let
// go (kubelet: a followed log ends with the container, even if that is started again).

import { Pod } from '../../api/core/pod.ts';
import type { Kind } from '../../api/kind.ts';
import type { Store } from '../../store/store.ts';

/** What a container wrote last may reach its log a moment after its end is known. */
const LAST_WORDS_MS = 200;

export interface FollowedContainer {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A signal that aborts with the one given, or a moment after the container has ended. */
export function untilEnd(
  store: Store,
  { namespace, pod, container }: FollowedContainer,
  signal: AbortSignal,
): AbortSignal {
  const end = new AbortController();
  const look = (): Pod | undefined =>
    store.get(Pod as unknown as Kind, namespace, pod)?.object as Pod | undefined;
  const first = runningId(look(), container);
  const hasEnded = (): boolean => runningId(look(), container) !== first || first === undefined;
  let timer: NodeJS.Timeout | undefined;
  const finish = (): void => {
    unsubscribe();
    clearTimeout(timer);
    end.abort();
  };
  const check = (): void => {
    if (hasEnded()) timer ??= setTimeout(finish, LAST_WORDS_MS);
  };
  const unsubscribe = store.subscribe((changes) => {
    const concerns = changes.some(({ kind, before, after }) => {
      if (kind.kind !== Pod.kind) return false;
      const { metadata } = (after ?? before) as Pod;
      return metadata.name === pod && metadata.namespace === namespace;
    });
    if (concerns) check();
  });
  if (signal.aborted) finish();
  else signal.addEventListener('abort', finish, { once: true });
  check();
  return end.signal;
}

/** Of the container as it runs now; undefined when it does not. */
function runningId(pod: Pod | undefined, container: string): string | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod?.status ?? {};
  const status = [...containerStatuses, ...initContainerStatuses].find(
    ({ name }) => name === container,
  );
  if (status?.state.running === undefined) return undefined;
  return `${pod?.metadata.uid} ${status.containerID ?? ''}`;
}
