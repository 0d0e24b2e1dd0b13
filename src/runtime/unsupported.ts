// What pods ask for that Fairway does not do, each feature named once however many pods ask for it. It
// runs them all the same: most of these protect or limit a container, and there is none.

import type { Container } from '../api/core/containers.ts';
import type { Pod } from '../api/core/pod.ts';
import type { Volume } from '../api/core/volumes.ts';
import type { Finding, ObjectRef } from '../api/finding.ts';

interface Feature {
  readonly severity: 'warning' | 'info';
  /** A clause that is true of the pod: `limits on CPU and memory are not enforced`. */
  readonly message: string;
  readonly hint?: string;
  /** The field that asks for it, or undefined when the pod does not. */
  readonly find: (pod: Pod) => string | undefined;
}

/** Volumes made of objects or of this machine; of the others only a plain folder is left. */
const MOUNTED: ReadonlySet<string> = new Set([
  'name',
  'emptyDir',
  'configMap',
  'secret',
  'projected',
  'downwardAPI',
  'hostPath',
  'persistentVolumeClaim',
]);

const FEATURES: readonly Feature[] = [
  {
    severity: 'info',
    message: 'limits on CPU and memory are not enforced',
    find: (pod) => inContainers(pod, (each) => has(each.resources.limits), 'resources.limits'),
  },
  {
    severity: 'info',
    message: 'programs run as the user who started Fairway; securityContext changes nothing',
    find: (pod) =>
      has(pod.spec.securityContext)
        ? 'spec.securityContext'
        : inContainers(pod, (each) => has(each.securityContext), 'securityContext'),
  },
  {
    severity: 'info',
    message: 'mounts are not read-only, and mountPropagation changes nothing',
    find: (pod) =>
      inContainers(
        pod,
        ({ volumeMounts = [] }) =>
          volumeMounts.some((mount) => mount.readOnly === true || has(mount.mountPropagation)),
        'volumeMounts',
      ),
  },
  {
    severity: 'info',
    message: 'a persistent volume claim is a folder that Fairway keeps from run to run',
    find: (pod) => inVolumes(pod, (volume) => volume.persistentVolumeClaim !== undefined),
  },
  {
    severity: 'warning',
    message: 'a volume of this kind cannot be mounted; it is an empty folder',
    find: (pod) => inVolumes(pod, (volume) => Object.keys(volume).some((key) => !MOUNTED.has(key))),
  },
  {
    severity: 'warning',
    message:
      'tokens and certificates that only a cluster issues are missing from projected volumes',
    find: (pod) =>
      inVolumes(
        pod,
        (volume) =>
          volume.projected?.sources?.some(
            (source) =>
              source.serviceAccountToken !== undefined ||
              source.clusterTrustBundle !== undefined ||
              source.podCertificate !== undefined,
          ) === true,
      ),
  },
  {
    severity: 'info',
    message: 'emptyDir is a folder on disk: medium and sizeLimit change nothing',
    find: (pod) =>
      inVolumes(pod, ({ emptyDir }) => has(emptyDir?.medium) || has(emptyDir?.sizeLimit)),
  },
  {
    severity: 'warning',
    message: 'hostPort opens no port',
    hint: 'Reach the pod through a Service, or at its own address.',
    find: (pod) =>
      pod.spec.hostNetwork === true
        ? undefined
        : inContainers(
            pod,
            (each) => each.ports?.some((port) => (port.hostPort ?? 0) !== 0) === true,
            'ports',
          ),
  },
  {
    severity: 'warning',
    message: 'block devices (volumeDevices) are not there',
    find: (pod) => inContainers(pod, (each) => has(each.volumeDevices), 'volumeDevices'),
  },
  {
    severity: 'warning',
    message: 'there is no terminal and no standard input for a container (tty, stdin)',
    find: (pod) => inContainers(pod, (each) => each.tty === true || each.stdin === true, 'stdin'),
  },
  {
    severity: 'info',
    message:
      'all pods share the processes and the network of this machine: hostPID, hostIPC, ' +
      'shareProcessNamespace and hostUsers change nothing',
    find: ({ spec }) =>
      (['hostPID', 'hostIPC', 'shareProcessNamespace', 'hostUsers'] as const)
        .filter((field) => spec[field] !== undefined)
        .map((field) => `spec.${field}`)[0],
  },
  {
    severity: 'warning',
    message:
      'hostAliases and dnsConfig do not reach a program: it asks the resolver of this machine',
    find: ({ spec }) => {
      if (has(spec.hostAliases)) return 'spec.hostAliases';
      return has(spec.dnsConfig) ? 'spec.dnsConfig' : undefined;
    },
  },
  {
    severity: 'info',
    message: 'ephemeral containers are not started',
    find: ({ spec }) => (has(spec.ephemeralContainers) ? 'spec.ephemeralContainers' : undefined),
  },
  {
    severity: 'info',
    message: 'runtimeClassName changes nothing: there are no containers',
    find: ({ spec }) => (has(spec.runtimeClassName) ? 'spec.runtimeClassName' : undefined),
  },
  {
    severity: 'warning',
    message: 'restartPolicyRules cannot restart all containers of a pod (RestartAllContainers)',
    find: (pod) =>
      inContainers(
        pod,
        (each) =>
          each.restartPolicyRules?.some(({ action }) => action === 'RestartAllContainers') === true,
        'restartPolicyRules',
      ),
  },
];

/** One finding per feature, on the first pod that asks for it. `objectOf` names what it was written in. */
export function unsupportedFeatures(
  pods: readonly Pod[],
  objectOf: (pod: Pod) => ObjectRef,
): readonly Finding[] {
  return FEATURES.flatMap(({ find, message, severity, hint }) => {
    const asking = pods.flatMap((pod) => {
      const field = find(pod);
      return field === undefined ? [] : [{ pod, field }];
    });
    const [first] = asking;
    if (first === undefined) return [];
    const others = asking.length === 1 ? '' : ` (${asking.length} pods ask for it)`;
    return [
      {
        severity,
        reason: 'Unsupported',
        message: `${message}${others}`,
        ...(hint === undefined ? {} : { hint }),
        origin: { object: objectOf(first.pod), field: first.field },
      },
    ];
  });
}

/** True for a value that says something: no empty object, list or text. */
function has(value: unknown): boolean {
  if (value === undefined || value === null || value === '') return false;
  return typeof value !== 'object' || Object.keys(value).length > 0;
}

function inContainers(
  { spec }: Pod,
  asks: (container: Container) => boolean,
  field: string,
): string | undefined {
  for (const list of ['initContainers', 'containers'] as const) {
    const i = spec[list]?.findIndex(asks) ?? -1;
    if (i !== -1) return `spec.${list}[${i}].${field}`;
  }
  return undefined;
}

function inVolumes({ spec }: Pod, asks: (volume: Volume) => boolean): string | undefined {
  const i = spec.volumes?.findIndex(asks) ?? -1;
  return i === -1 ? undefined : `spec.volumes[${i}]`;
}
