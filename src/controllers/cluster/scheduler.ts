// Puts pods on nodes. What a pod asks of its node is a wish here: on a laptop there is one node, and it
// has none of the labels that the machines of a cluster have.

import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import { matchesLabels } from '../../api/selectors.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller } from '../controller.ts';
import { TableWatch } from '../shared/changes.ts';
import { compareText, objectKey } from '../shared/metadata.ts';
import { isActive } from '../shared/pods.ts';
import { putWrite } from '../shared/writes.ts';

export function createSchedulerController(): Controller {
  return new Scheduler();
}

class Scheduler implements Controller {
  readonly name = 'scheduler';
  readonly #watch = new TableWatch(Pod);
  /** Pods without a node, by key. */
  readonly #waiting = new Map<string, Pod>();
  /** How many pods each node has. */
  readonly #load = new Map<string, number>();

  reconcile(snapshot: Snapshot): readonly ObjectWrite[] {
    for (const { before, after } of this.#watch.changes(snapshot)) {
      if (before !== undefined) {
        this.#waiting.delete(objectKey(before));
        this.#count(before, -1);
      }
      if (after === undefined) continue;
      if (isSchedulable(after)) this.#waiting.set(objectKey(after), after);
      this.#count(after, 1);
    }
    if (this.#waiting.size === 0) return [];
    const nodes = snapshot.list(Node).filter(({ spec }) => spec.unschedulable !== true);
    if (nodes.length === 0) return [];
    const added = new Map<string, number>();
    return [...this.#waiting]
      .toSorted(([a], [b]) => compareText(a, b))
      .map(([, pod]) => {
        const nodeName = this.#choose(pod, nodes, added);
        added.set(nodeName, (added.get(nodeName) ?? 0) + 1);
        return putWrite(snapshot, Pod, { ...pod, spec: { ...pod.spec, nodeName } });
      });
  }

  /** The node with the fewest pods, of those that suit the pod if any does. */
  #choose(pod: Pod, nodes: readonly Node[], added: ReadonlyMap<string, number>): string {
    const suited = nodes.filter((node) => suits(node, pod));
    let best = '';
    let bestLoad = Number.POSITIVE_INFINITY;
    for (const { metadata } of suited.length > 0 ? suited : nodes) {
      const name = metadata.name ?? '';
      const load = (this.#load.get(name) ?? 0) + (added.get(name) ?? 0);
      if (load >= bestLoad) continue;
      best = name;
      bestLoad = load;
    }
    return best;
  }

  #count(pod: Pod, by: number): void {
    const { nodeName = '' } = pod.spec;
    if (nodeName === '' || !isActive(pod)) return;
    this.#load.set(nodeName, (this.#load.get(nodeName) ?? 0) + by);
  }
}

/** Gated pods wait for whoever has put the gate there. */
function isSchedulable(pod: Pod): boolean {
  const { nodeName = '', schedulingGates = [] } = pod.spec;
  return nodeName === '' && schedulingGates.length === 0 && isActive(pod);
}

/** True when the node has every label the pod asks for. */
export function suits(node: Node, { spec }: Pick<Pod, 'spec'>): boolean {
  return matchesLabels(spec.nodeSelector ?? {}, node.metadata.labels);
}
