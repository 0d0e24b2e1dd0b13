// One container of a pod → all that its process needs: variables, mounts, environment, command and
// folder. What is missing is an answer, not an error: the container waits until the objects are there.

import type { ClusterDns } from '../echo-thread/cluster-lookup.ts';
import { expandVariables } from '../env/expand.ts';
import { processEnvironment } from '../env/process-env.ts';
import { containerVariables } from '../env/variables.ts';
import type { VariableSources } from '../env/variables.ts';
import type { PlannedContainer } from '../plan/plan.ts';
import { CONTAINER_VARIABLE, OWNER_VARIABLE } from '../process/marker.ts';
import { mountRewriter, resolveMount } from '../volumes/mounts.ts';
import type { Mount } from '../volumes/mounts.ts';
import { MountError } from '../volumes/pod-volumes.ts';
import type { PodVolumes } from '../volumes/pod-volumes.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { RuntimeServices } from './services.ts';

/** The pod as its containers see it; `pod` and `sources` are those of now. */
export interface PodView {
  readonly pod: Pod;
  readonly podIp: string;
  /** The folder of its manifest. */
  readonly directory: string;
  readonly sources: VariableSources;
  readonly volumes: PodVolumes;
}

/** Where a container's commands run. */
export interface ContainerEnvironment {
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  readonly mounts: readonly Mount[];
  /** Turns mount paths in a text into the real ones. */
  readonly rewrite: (text: string) => string;
  /** Where it asks for names of the cluster. */
  readonly dns?: ClusterDns;
}

export type Launch =
  | ({ readonly kind: 'process'; readonly argv: readonly string[] } & ContainerEnvironment)
  | ({
      readonly kind: 'echo';
      readonly args: readonly string[];
      /** As the program would see it in its container: paths are not rewritten. */
      readonly variables: ReadonlyMap<string, string>;
    } & ContainerEnvironment)
  /** It cannot be started as things are; reason and message are for its waiting state. */
  | { readonly kind: 'blocked'; readonly reason: string; readonly message: string };

/** Prepares a start of a container. `containerId` marks its processes. */
export async function prepareLaunch(
  planned: PlannedContainer,
  view: PodView,
  services: RuntimeServices,
  containerId: string,
): Promise<Launch> {
  const { container, plan } = planned;
  if (plan.kind === 'unavailable') {
    return { kind: 'blocked', reason: plan.reason, message: plan.message };
  }
  const found = containerVariables(container, view.sources);
  if (!found.ok) return configError(found.message);
  const { variables } = found;
  // What no cluster has, but programs need here that would listen everywhere.
  const lookup = (name: string): string | undefined =>
    variables.get(name) ?? (name === 'FAIRWAY_POD_IP' ? view.podIp : undefined);
  try {
    const { root, mounts } = await view.volumes.mount(view.pod, container, variables);
    const rewrite = mountRewriter(mounts);
    const dns = dnsOf(view.pod, services);
    const env = processEnvironment({
      host: services.hostEnv,
      variables,
      rewrite,
      hostname: hostnameOf(view.pod),
      podIp: view.podIp,
      podPorts: declaredTcpPorts(view.pod),
      root,
      preload: services.preload,
      marker: { [OWNER_VARIABLE]: services.owner, [CONTAINER_VARIABLE]: containerId },
      ...dns,
    });
    if (plan.kind === 'echo') {
      const args = plan.args.map((arg) => expandVariables(arg, lookup));
      return { kind: 'echo', args, variables, env, cwd: view.directory, mounts, rewrite, ...dns };
    }
    const argv = plan.argv.map((arg) => rewrite(plan.expand ? expandVariables(arg, lookup) : arg));
    const mounted =
      plan.from === 'manifest' && container.workingDir !== undefined
        ? resolveMount(mounts, container.workingDir)
        : undefined;
    return { kind: 'process', argv, env, cwd: mounted ?? plan.cwd, mounts, rewrite };
  } catch (error) {
    if (error instanceof MountError) return configError(error.message);
    throw error;
  }
}

function configError(message: string): Launch {
  return { kind: 'blocked', reason: 'CreateContainerConfigError', message };
}

/** The name a pod has for itself, as kubelet sets it. */
function hostnameOf(pod: Pod): string {
  return pod.spec.hostnameOverride ?? pod.spec.hostname ?? pod.metadata.name ?? '';
}

function declaredTcpPorts(pod: Pod): readonly number[] {
  const { initContainers = [], containers } = pod.spec;
  return [...initContainers, ...containers].flatMap((container) =>
    (container.ports ?? [])
      .filter((port) => (port.protocol ?? 'TCP') === 'TCP')
      .map((port) => port.containerPort),
  );
}

/** dnsPolicy Default and None do not ask the cluster's DNS. */
function dnsOf(pod: Pod, { dns }: RuntimeServices): { readonly dns?: ClusterDns } {
  const policy = pod.spec.dnsPolicy ?? 'ClusterFirst';
  if (dns === undefined || !policy.startsWith('ClusterFirst')) return {};
  const { domain } = dns;
  const search = [`${pod.metadata.namespace}.svc.${domain}`, `svc.${domain}`, domain];
  return { dns: { server: dns.server, search } };
}
