// Which container of a pod a request is about, and whether it can be answered now: the refusals of
// kube-apiserver and kubelet. Pure.

import type { ContainerStatus } from '../../api/core/container-status.ts';
import type { Pod } from '../../api/core/pod.ts';
import { badRequest } from './status.ts';
import type { Status } from './status.ts';

export type ChosenContainer =
  | { readonly ok: true; readonly container: string }
  | { readonly ok: false; readonly status: Status };

/** The container that was named, or the only one. */
export function chooseContainer(pod: Pod, named: string | undefined): ChosenContainer {
  const { name = '' } = pod.metadata;
  const { initContainers = [], containers } = pod.spec;
  const main = containers.map((each) => each.name);
  const init = initContainers.map((each) => each.name);
  if (named !== undefined) {
    if ([...main, ...init].includes(named)) return { ok: true, container: named };
    return refused(`container ${named} is not valid for pod ${name}`);
  }
  const [only] = main;
  if (only !== undefined && main.length === 1) return { ok: true, container: only };
  const others = init.length === 0 ? '' : ` or one of the init containers: [${init.join(' ')}]`;
  return refused(
    `a container name must be specified for pod ${name}, choose one of: [${main.join(' ')}]${others}`,
  );
}

/** Chooses a container to run a command in, or to attach to. */
export function containerToEnter(pod: Pod, named: string | undefined): ChosenContainer {
  const { phase } = pod.status;
  if (phase === 'Succeeded' || phase === 'Failed') {
    return refused(`cannot exec into a container in a completed pod; current phase is ${phase}`);
  }
  return chooseContainer(pod, named);
}

/** Chooses a container whose log there is. */
export function containerToRead(
  pod: Pod,
  named: string | undefined,
  previous: boolean,
): ChosenContainer {
  const chosen = chooseContainer(pod, named);
  if (!chosen.ok) return chosen;
  const { container } = chosen;
  const status = statusOf(pod, container);
  const where = `container ${JSON.stringify(container)} in pod ${JSON.stringify(pod.metadata.name)}`;
  if (previous) {
    const restarted =
      (status?.restartCount ?? 0) > 0 || status?.lastState?.terminated !== undefined;
    return restarted ? chosen : refused(`previous terminated ${where} not found`);
  }
  const began =
    status?.state?.running !== undefined ||
    status?.state?.terminated !== undefined ||
    status?.lastState?.terminated !== undefined ||
    (status?.restartCount ?? 0) > 0;
  if (began) return chosen;
  const why = status?.state?.waiting?.reason ?? 'ContainerCreating';
  return refused(`${where} is waiting to start: ${why}`);
}

function statusOf(pod: Pod, container: string): ContainerStatus | undefined {
  const { containerStatuses = [], initContainerStatuses = [] } = pod.status;
  return [...containerStatuses, ...initContainerStatuses].find(({ name }) => name === container);
}

function refused(message: string): ChosenContainer {
  return { ok: false, status: badRequest(message) };
}
