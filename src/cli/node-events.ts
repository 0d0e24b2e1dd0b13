// Tells a cluster what happened on this node, as Events that `kubectl describe` and `kubectl get events`
// show. An event that cannot be sent is lost: it was said on standard error as well.

import type { KubeClient } from '../sources/kube/client.ts';

const COMPONENT = 'fairway-node';
const NAME_CHARS_MAX = 200;

export interface ServiceWarning {
  readonly namespace: string;
  readonly name: string;
  /** As `FailedToStartServiceHealthcheck`. */
  readonly reason: string;
  readonly message: string;
}

export class NodeEvents {
  readonly #client: KubeClient;
  readonly #nodeName: string;
  readonly #stop = new AbortController();

  constructor(client: KubeClient, nodeName: string) {
    this.#client = client;
    this.#nodeName = nodeName;
  }

  /** Sends a Warning about a Service. Never rejects. */
  async warn({ namespace, name, reason, message }: ServiceWarning): Promise<void> {
    const now = new Date();
    const seconds = `${now.toISOString().slice(0, 19)}Z`;
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: {
        namespace,
        name: `${name.slice(0, NAME_CHARS_MAX)}.${now.getTime().toString(16)}`,
      },
      involvedObject: { apiVersion: 'v1', kind: 'Service', namespace, name },
      reason,
      message,
      type: 'Warning',
      source: { component: COMPONENT, host: this.#nodeName },
      firstTimestamp: seconds,
      lastTimestamp: seconds,
      count: 1,
    };
    const path = `/api/v1/namespaces/${encodeURIComponent(namespace)}/events`;
    await this.#client.ask(path, this.#stop.signal, event).catch(() => undefined);
  }

  close(): void {
    this.#stop.abort();
  }
}
