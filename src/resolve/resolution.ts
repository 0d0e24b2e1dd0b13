// What resolving gives back: the model, what objects are to be told of themselves, and what people are.

import type { Finding } from '../api/finding.ts';
import type { Kind } from '../api/kind.ts';
import type { VersionedMap } from '../lib/versioned-map.ts';
import type { Model } from '../model/model.ts';
import type { Verdict } from './status/conditions.ts';

export interface Resolution {
  readonly model: Model;
  /** Of all objects but routes, of which there are many. */
  readonly statuses: readonly StatusWish[];
  /** Of routes, by `Kind namespace/name`, HTTPRoutes and GRPCRoutes first. */
  readonly routeStatuses: readonly VersionedMap<StatusWish>[];
  readonly findings: readonly Finding[];
}

/** All statuses, in an order that is the same on every machine. */
export function allStatuses({ statuses, routeStatuses }: Resolution): readonly StatusWish[] {
  const isPolicy = (wish: StatusWish): boolean => wish.status.kind === 'policy';
  const ofRoutes = routeStatuses.flatMap((wishes) => [...wishes.values()]).toSorted(compareWishes);
  return [...statuses.filter((s) => !isPolicy(s)), ...ofRoutes, ...statuses.filter(isPolicy)];
}

const ROUTE_KINDS = ['HTTPRoute', 'GRPCRoute', 'TLSRoute', 'TCPRoute', 'UDPRoute'];

function compareWishes(a: StatusWish, b: StatusWish): number {
  return (
    ROUTE_KINDS.indexOf(a.kind.kind) - ROUTE_KINDS.indexOf(b.kind.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** The status an object ought to have. Conditions in it lack the time of their last change. */
export interface StatusWish {
  readonly kind: Kind;
  readonly namespace: string;
  readonly name: string;
  /** The generation all its conditions were made for. */
  readonly generation: number;
  readonly status: WishedStatus;
}

export type WishedStatus =
  | {
      readonly kind: 'class';
      readonly conditions: readonly Verdict[];
      /** In alphabetical order. */
      readonly features: readonly string[];
    }
  | {
      readonly kind: 'gateway';
      readonly conditions: readonly Verdict[];
      readonly addresses: readonly string[];
      readonly listeners: readonly WishedListenerStatus[];
      /** Absent where no ListenerSet is allowed, and none asks. */
      readonly attachedListenerSets?: number;
    }
  | {
      readonly kind: 'listenerSet';
      readonly conditions: readonly Verdict[];
      readonly listeners: readonly WishedListenerStatus[];
    }
  | { readonly kind: 'route'; readonly parents: readonly WishedParentStatus[] }
  | { readonly kind: 'ingress'; readonly addresses: readonly string[] }
  | { readonly kind: 'policy'; readonly ancestors: readonly WishedAncestorStatus[] };

export interface WishedListenerStatus {
  readonly name: string;
  readonly supportedKinds: readonly { readonly group: string; readonly kind: string }[];
  readonly attachedRoutes: number;
  readonly conditions: readonly Verdict[];
}

export interface WishedAncestorStatus {
  readonly ancestorRef: object;
  /** As the class of the Gateway has it. */
  readonly controllerName: string;
  readonly conditions: readonly Verdict[];
}

export interface WishedParentStatus {
  /** As the route's spec has it. */
  readonly parentRef: object;
  /** As the class of the Gateway has it. */
  readonly controllerName: string;
  readonly conditions: readonly Verdict[];
}
