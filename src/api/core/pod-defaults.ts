// What the API server fills into a Pod, or into the template of one, before it looks at it
// (k8s.io/kubernetes pkg/apis/core/v1/defaults.go), and what an update keeps of the stored Pod.

import { changed, eachOf, isObject } from './defaulting.ts';
import type { Container } from './containers.ts';
import type { PodSpec } from './pod-spec.ts';
import type { PodTemplateSpec } from './pod-template.ts';
import type { Pod } from './pod.ts';
import type { Volume } from './volumes.ts';

/** Fills in what one field takes from another. The Pod may still be invalid in any way. */
export function podDefaults(pod: Pod): Pod {
  const spec = isObject(pod.spec) ? fillOnlyPods(podSpecDefaults(pod.spec)) : pod.spec;
  const status = isObject(pod.status) ? linkPodIps(pod.status) : pod.status;
  return spec === pod.spec && status === pod.status ? pod : { ...pod, spec, status };
}

/** The same for a template: some defaults come only when a Pod is made from it. */
export function podTemplateDefaults(template: PodTemplateSpec): PodTemplateSpec {
  if (!isObject(template) || !isObject(template.spec)) return template;
  const spec = podSpecDefaults(template.spec);
  return spec === template.spec ? template : { ...template, spec };
}

function podSpecDefaults(spec: PodSpec): PodSpec {
  const account = spec.serviceAccountName || spec.serviceAccount || undefined;
  return changed(spec, {
    serviceAccountName: account,
    serviceAccount: account,
    volumes: eachOf(spec.volumes, fillVolume),
    containers: eachOf(spec.containers, fillContainer) ?? [],
    initContainers: eachOf(spec.initContainers, fillContainer),
    ephemeralContainers: eachOf(spec.ephemeralContainers, fillContainer),
  });
}

function fillVolume(volume: Volume): Volume {
  const sources = Object.keys(volume).filter((key) => key !== 'name');
  if (sources.length === 0) return { ...volume, emptyDir: {} };
  const { image } = volume;
  if (!isObject(image) || image?.pullPolicy !== undefined) return volume;
  return { ...volume, image: { ...image, pullPolicy: pullPolicyOf(image?.reference ?? '') } };
}

function fillContainer<T extends Container>(container: T): T {
  return changed<Container>(container, {
    imagePullPolicy: container.imagePullPolicy ?? pullPolicyOf(container.image),
    livenessProbe: fillProbe(container.livenessProbe),
    readinessProbe: fillProbe(container.readinessProbe),
    startupProbe: fillProbe(container.startupProbe),
  }) as T;
}

const DOMAIN = '(?:[A-Za-z0-9-]+(?:\\.[A-Za-z0-9-]+)*|\\[[a-fA-F0-9:]+\\])(?::[0-9]+)?';
const COMPONENT = '[a-z0-9]+(?:(?:[._]|__|-+)[a-z0-9]+)*';

/** A reference to an image: domain, repository, tag and digest. */
const IMAGE = new RegExp(
  `^(?:${DOMAIN}/)?${COMPONENT}(?:/${COMPONENT})*(?::([A-Za-z0-9_][\\w.-]{0,127}))?(@[A-Za-z][\\w+.-]*:[0-9a-fA-F]{32,})?$`,
);

/** The tag latest moves, so that it is pulled every time. No tag means latest, unless a digest is given. */
function pullPolicyOf(image: unknown): 'Always' | 'IfNotPresent' {
  const parts = typeof image === 'string' ? IMAGE.exec(image) : null;
  if (parts === null) return 'IfNotPresent';
  const [, tag, digest] = parts;
  return (tag ?? (digest === undefined ? 'latest' : '')) === 'latest' ? 'Always' : 'IfNotPresent';
}

type Probe = NonNullable<Container['livenessProbe']>;

/** Zero is not a setting of a probe but the absence of one. */
const PROBE_DEFAULTS = {
  timeoutSeconds: 1,
  periodSeconds: 10,
  successThreshold: 1,
  failureThreshold: 3,
} as const;

function fillProbe(probe: Probe | undefined): Probe | undefined {
  if (probe === undefined || !isObject(probe)) return probe;
  const fields = Object.keys(PROBE_DEFAULTS) as (keyof typeof PROBE_DEFAULTS)[];
  const zeros = fields.filter((field) => probe[field] === 0);
  return changed(probe, Object.fromEntries(zeros.map((field) => [field, PROBE_DEFAULTS[field]])));
}

function fillOnlyPods(spec: PodSpec): PodSpec {
  const hostNetwork = spec.hostNetwork === true;
  const fill = (container: Container): Container => fillOnlyPodContainer(container, hostNetwork);
  const grace = spec.terminationGracePeriodSeconds;
  return changed(spec, {
    terminationGracePeriodSeconds: grace < 0 ? 1 : grace,
    enableServiceLinks: spec.enableServiceLinks ?? true,
    containers: eachOf(spec.containers, fill) ?? [],
    initContainers: eachOf(spec.initContainers, fill),
  });
}

/** Requests follow limits, and with the network of the node every port is one of the node's. */
function fillOnlyPodContainer(container: Container, hostNetwork: boolean): Container {
  const { resources, ports } = container;
  const limits = isObject(resources) && isObject(resources.limits) ? resources.limits : undefined;
  const requests = limits === undefined ? undefined : { ...limits, ...resources.requests };
  const needsRequests =
    requests !== undefined &&
    Object.keys(requests).length > Object.keys(resources.requests ?? {}).length;
  return changed(container, {
    resources: needsRequests ? { ...resources, requests } : resources,
    ports: hostNetwork
      ? eachOf(ports, (port) =>
          (port.hostPort ?? 0) === 0 ? { ...port, hostPort: port.containerPort } : port,
        )
      : ports,
  });
}

/** podIP is the first of podIPs: whichever is absent comes from the other. */
function linkPodIps(status: Pod['status']): Pod['status'] {
  const first = Array.isArray(status.podIPs) ? status.podIPs[0]?.ip : undefined;
  const { podIP = '' } = status;
  if (podIP === '') return first === undefined ? status : { ...status, podIP: first };
  return first === podIP ? status : { ...status, podIPs: [{ ip: podIP }] };
}

/** A Pod stays where it was put, and keeps what its ServiceAccount gave it. */
export function podCarryOver(old: Pod, wanted: Pod): Pod {
  const { nodeName, serviceAccountName, serviceAccount } = old.spec;
  return {
    ...wanted,
    spec: changed(wanted.spec, {
      nodeName: wanted.spec.nodeName || nodeName,
      serviceAccountName: wanted.spec.serviceAccountName ?? serviceAccountName,
      serviceAccount: wanted.spec.serviceAccount ?? serviceAccount,
    }),
  };
}
