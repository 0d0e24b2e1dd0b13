// Which listeners a route is attached to, and if none, why: no such listener, not allowed there, or no
// host in common. Asked in this order, and the first question without an answer is the reason.

import type { Namespace } from '../../api/core/namespace.ts';
import { matchesSelector } from '../../api/selectors.ts';
import { intersectHostnames } from '../../lib/hostname.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { GATEWAY_GROUP } from './names.ts';
import type { ResolvedListener } from './listeners.ts';

export interface RouteToAttach {
  readonly kind: string;
  readonly namespace: string;
  /** The Namespace object, for its labels. */
  readonly namespaceObject: Namespace | undefined;
  /** In lower case; empty for every host. */
  readonly hostnames: readonly string[];
}

/** What a route is attached to. */
export interface AttachTarget {
  /** `Gateway shop/web` */
  readonly title: string;
  readonly namespace: string;
  readonly listeners: readonly ResolvedListener[];
}

export interface ParentRef {
  readonly sectionName?: string;
  readonly port?: number;
}

/** One listener a route is attached to, and the hosts they have in common. */
export interface Attachment {
  readonly listener: ResolvedListener;
  readonly hostnames: readonly string[];
}

export function attach(
  route: RouteToAttach,
  ref: ParentRef,
  parent: AttachTarget,
  field: string,
): { readonly attachments: readonly Attachment[] } | { readonly refused: Problem } {
  const named = parent.listeners.filter(
    (listener) =>
      (ref.sectionName === undefined || listener.name === ref.sectionName) &&
      (ref.port === undefined || listener.port === ref.port),
  );
  if (named.length === 0) return { refused: noMatchingParent(ref, parent, field) };
  const allowed = named.filter(
    (listener) => allowsKind(listener, route.kind) && allowsNamespace(listener, parent, route),
  );
  if (allowed.length === 0) return { refused: notAllowed(route, named, parent, field) };
  const attachments = allowed
    .map((listener) => ({ listener, hostnames: commonHostnames(listener, route) }))
    .filter(({ hostnames }) => hostnames.length > 0);
  if (attachments.length === 0) return { refused: noCommonHost(route, allowed) };
  return { attachments };
}

function allowsKind(listener: ResolvedListener, kind: string): boolean {
  return listener.kinds.some((k) => k.group === GATEWAY_GROUP && k.kind === kind);
}

function allowsNamespace(
  listener: ResolvedListener,
  parent: AttachTarget,
  route: RouteToAttach,
): boolean {
  const { from, selector } = listener.allowedNamespaces;
  switch (from) {
    case 'All':
      return true;
    case 'Same':
      return route.namespace === parent.namespace;
    case 'Selector':
      return (
        selector !== undefined && matchesSelector(selector, route.namespaceObject?.metadata.labels)
      );
  }
}

function commonHostnames(listener: ResolvedListener, route: RouteToAttach): readonly string[] {
  const wanted = route.hostnames.length === 0 ? [''] : route.hostnames;
  const common = wanted.map((hostname) => intersectHostnames(listener.hostname, hostname));
  return [...new Set(common.filter((hostname) => hostname !== undefined))];
}

function noMatchingParent(ref: ParentRef, parent: AttachTarget, field: string): Problem {
  const asked = [
    ...(ref.sectionName === undefined ? [] : [`named "${ref.sectionName}"`]),
    ...(ref.port === undefined ? [] : [`on port ${ref.port}`]),
  ].join(' ');
  const has = parent.listeners.map((l) => `${l.name} (port ${l.port})`).join(', ');
  return problem(
    'NoMatchingParent',
    field,
    `${parent.title} has no listener ${asked}`,
    `its listeners: ${has}`,
  );
}

function notAllowed(
  route: RouteToAttach,
  named: readonly ResolvedListener[],
  parent: AttachTarget,
  field: string,
): Problem {
  const reasons = named.map((listener) => {
    if (!allowsKind(listener, route.kind))
      return `listener "${listener.name}" takes no ${route.kind}s`;
    const { from } = listener.allowedNamespaces;
    const who = from === 'Same' ? `its own namespace` : 'namespaces its selector chooses';
    return `listener "${listener.name}" takes routes from ${who} only`;
  });
  return problem(
    'NotAllowedByListeners',
    field,
    `${parent.title} does not let the route attach: ${reasons.join('; ')}`,
    'change allowedRoutes of the listener, or attach to another one',
  );
}

function noCommonHost(route: RouteToAttach, allowed: readonly ResolvedListener[]): Problem {
  const listeners = allowed.map((l) => `"${l.name}" is for ${l.hostname}`).join(', ');
  return problem(
    'NoMatchingListenerHostname',
    'spec.hostnames',
    `none of the hostnames ${route.hostnames.join(', ')} is served: listener ${listeners}`,
    'use a hostname the listener takes, or change the hostname of the listener',
  );
}
