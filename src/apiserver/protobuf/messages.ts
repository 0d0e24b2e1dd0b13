// The messages that clients send in protobuf, and for which kinds. What is not here is refused by name.

import { appsMessages } from './messages/apps.ts';
import { authenticationMessages } from './messages/authentication.ts';
import { authorizationMessages } from './messages/authorization.ts';
import { autoscalingMessages } from './messages/autoscaling.ts';
import { claimMessages } from './messages/claim.ts';
import { containerMessages } from './messages/container.ts';
import { coordinationMessages } from './messages/coordination.ts';
import { coreMessages } from './messages/core.ts';
import { discoveryMessages } from './messages/discovery.ts';
import { eventsMessages } from './messages/events.ts';
import { metaMessages } from './messages/meta.ts';
import { networkingMessages } from './messages/networking.ts';
import { nodeMessages } from './messages/node.ts';
import { podStatusMessages } from './messages/pod-status.ts';
import { podMessages } from './messages/pod.ts';
import { policyMessages } from './messages/policy.ts';
import { referencesMessages } from './messages/references.ts';
import { serviceMessages } from './messages/service.ts';
import { volumeMessages } from './messages/volume.ts';
import { parseMessage } from './notation.ts';
import type { MessageDescriptor, Package } from './notation.ts';

const PACKAGES: Readonly<Record<string, Package>> = {
  apps: appsMessages,
  authentication: authenticationMessages,
  authorization: authorizationMessages,
  autoscaling: autoscalingMessages,
  coordination: coordinationMessages,
  core: {
    ...coreMessages,
    ...referencesMessages,
    ...serviceMessages,
    ...claimMessages,
    ...volumeMessages,
    ...containerMessages,
    ...podStatusMessages,
    ...podMessages,
    ...nodeMessages,
  },
  discovery: discoveryMessages,
  events: eventsMessages,
  meta: metaMessages,
  networking: networkingMessages,
  policy: policyMessages,
};

/** apiVersion → the package its kinds are in. */
const PACKAGE_OF: Readonly<Record<string, string>> = {
  v1: 'core',
  'apps/v1': 'apps',
  'authentication.k8s.io/v1': 'authentication',
  'authorization.k8s.io/v1': 'authorization',
  'autoscaling/v1': 'autoscaling',
  'coordination.k8s.io/v1': 'coordination',
  'discovery.k8s.io/v1': 'discovery',
  'events.k8s.io/v1': 'events',
  'networking.k8s.io/v1': 'networking',
  'policy/v1': 'policy',
};

/** The kinds a body may be of, by package. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  apps: ['Deployment', 'ReplicaSet', 'StatefulSet'],
  authentication: ['SelfSubjectReview', 'TokenRequest', 'TokenReview'],
  authorization: [
    'LocalSubjectAccessReview',
    'SelfSubjectAccessReview',
    'SelfSubjectRulesReview',
    'SubjectAccessReview',
  ],
  autoscaling: ['Scale'],
  coordination: ['Lease'],
  core: [
    'ConfigMap',
    'Endpoints',
    'Event',
    'Namespace',
    'Node',
    'Pod',
    'Secret',
    'Service',
    'ServiceAccount',
  ],
  discovery: ['EndpointSlice'],
  events: ['Event'],
  networking: ['Ingress', 'IngressClass'],
  policy: ['Eviction'],
};

/** Clients send these in the apiVersion of whatever the request is about. */
const OPTIONS = ['CreateOptions', 'DeleteOptions', 'PatchOptions', 'UpdateOptions'];

/** The full name of the message a kind is sent as; undefined when it is not among ours. */
export function messageOfKind(apiVersion: string, kind: string): string | undefined {
  if (OPTIONS.includes(kind)) return `meta.${kind}`;
  if (!Object.hasOwn(PACKAGE_OF, apiVersion)) return undefined;
  const name = PACKAGE_OF[apiVersion] ?? '';
  return KINDS[name]?.includes(kind) === true ? `${name}.${kind}` : undefined;
}

const parsed = new Map<string, MessageDescriptor>();

/** The fields of a message, by its full name. Read from its line once, when first asked for. */
export function messageNamed(name: string): MessageDescriptor {
  let message = parsed.get(name);
  if (message === undefined) {
    const [packageName = '', short = ''] = name.split('.');
    const line = PACKAGES[packageName]?.[short];
    if (line === undefined) throw new Error(`no message ${name} is written down`);
    message = parseMessage(line, packageName);
    parsed.set(name, message);
  }
  return message;
}

/** The full names of all messages. */
export function messageNames(): readonly string[] {
  return Object.entries(PACKAGES).flatMap(([name, messages]) =>
    Object.keys(messages).map((message) => `${name}.${message}`),
  );
}
