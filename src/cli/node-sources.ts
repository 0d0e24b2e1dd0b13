// Flags → where `fairway node` gets its objects from, and who fills in what is not written there.

import type { Finding } from '../api/finding.ts';
import type { Controller } from '../controllers/controller.ts';
import { createControllerFinder } from '../controllers/findings.ts';
import { FairwayError } from '../lib/errors.ts';
import type { NodeFacts } from '../model/node.ts';
import { createIdleWorkloadFinder, createNodeControllers } from '../pipeline/node-controllers.ts';
import { nodeInterests } from '../pipeline/node-sources.ts';
import type { Source } from '../sources/source.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { NodeEvents } from './node-events.ts';
import { filesSource } from './settings.ts';
import type { CommonFlags } from './settings.ts';

export interface SourceFlags extends CommonFlags {
  readonly watch: boolean;
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly inCluster?: boolean;
}

export interface NodeInput {
  readonly source: Source;
  readonly controllers: readonly Controller[];
  readonly findings: (snapshot: Snapshot) => readonly Finding[];
  /** Tells the cluster what happened on the node; absent where there is none. */
  readonly events?: NodeEvents;
  close(): void;
}

export interface InputOptions {
  readonly facts: NodeFacts;
  readonly serviceCidr: string;
  readonly loadBalancerCidr: string;
  readonly warn: (message: string, hint?: string) => void;
}

/** Rejects when flags contradict each other, and when a kubeconfig cannot be used. */
export async function nodeInput(
  paths: readonly string[],
  flags: SourceFlags,
  options: InputOptions,
): Promise<NodeInput> {
  const readsCluster = flags.kubeconfig !== undefined || flags.inCluster === true;
  if (!readsCluster) {
    if (flags.context !== undefined) throw usage('--context is of a --kubeconfig');
    // Nothing to read is not nothing to serve: that would take the rules of every Service away.
    if (paths.length === 0) throw usage('give files, or --kubeconfig, or --in-cluster');
    const find = [createControllerFinder(), createIdleWorkloadFinder()];
    return {
      source: filesSource(paths, flags, flags.watch),
      controllers: createNodeControllers({ nodeName: options.facts.name, ...options }),
      findings: (snapshot) => find.flatMap((finder) => finder(snapshot)),
      close: () => undefined,
    };
  }
  if (paths.length > 0) throw usage('objects come from files or from a cluster, not from both');
  if (flags.kubeconfig !== undefined && flags.inCluster === true) {
    throw usage('--kubeconfig and --in-cluster are two clusters');
  }
  return clusterInput(flags, options);
}

async function clusterInput(flags: SourceFlags, options: InputOptions): Promise<NodeInput> {
  const { facts, warn } = options;
  const [{ openAccess }, { KubeClient }, { createKubeSource }, { NodeEvents: Events }] =
    await Promise.all([
      import('../sources/kube/access.ts'),
      import('../sources/kube/client.ts'),
      import('../sources/kube/kube.ts'),
      import('./node-events.ts'),
    ]);
  const access = await openAccess(
    flags.kubeconfig === undefined
      ? { kind: 'in-cluster' }
      : {
          kind: 'kubeconfig',
          file: flags.kubeconfig,
          ...(flags.context === undefined ? {} : { context: flags.context }),
        },
  );
  const client = new KubeClient(access);
  let isLost = false;
  const source = createKubeSource({
    client,
    interests: nodeInterests(facts.name),
    onProblem: (problem) => {
      if (problem !== undefined) warn(problem.message, problem.hint);
      else if (isLost) warn(`${client.about} can be read again`);
      isLost = problem !== undefined;
    },
  });
  return {
    source,
    // A cluster has its own.
    controllers: [],
    findings: () => [],
    events: new Events(client, facts.name),
    close: () => access.close(),
  };
}

function usage(message: string): FairwayError {
  return new FairwayError('FW_USAGE', message, { hint: 'fairway node --help' });
}
