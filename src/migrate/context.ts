// What translating a rule looks at besides the rule: the Ingress it comes from, the Services it names, and
// where losses are put down.

import { ANNOTATION_PREFIX } from '../api/ingress-nginx/annotations.ts';
import { Ingress } from '../api/networking/ingress.ts';
import type { Action, Model, Origin } from '../model/model.ts';
import type { NginxConfig } from '../resolve/ingress/nginx/config.ts';
import { readSettings } from '../resolve/ingress/nginx/settings.ts';
import type { NginxSettings } from '../resolve/ingress/nginx/settings.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { GeneratedObject, Loss } from './types.ts';

/** A reference from one namespace to another that needs consent. */
export interface CrossReference {
  readonly fromKind: string;
  readonly fromNamespace: string;
  readonly toKind: 'Service' | 'Secret';
  readonly toNamespace: string;
  readonly toName: string;
  readonly origin: Origin;
}

export interface Context {
  readonly snapshot: Snapshot;
  readonly model: Model;
  readonly config: NginxConfig;
  readonly standardOnly: boolean;
  readonly losses: Loss[];
  readonly references: CrossReference[];
  /** Objects beside the routes, by kind, namespace and name. */
  readonly extras: Map<string, GeneratedObject>;
}

export function ingressOf(
  { snapshot }: Context,
  { kind, namespace, name }: Origin,
): Ingress | undefined {
  return kind === Ingress.kind ? snapshot.get(Ingress, namespace, name) : undefined;
}

export function settingsOf(context: Context, origin: Origin): NginxSettings | undefined {
  const ingress = ingressOf(context, origin);
  return ingress === undefined ? undefined : readSettings(ingress, context.config);
}

/** The names, without prefix, that the Ingress of an origin has among those given. */
export function saidBy(
  context: Context,
  origin: Origin,
  names: readonly string[],
): readonly string[] {
  const annotations = ingressOf(context, origin)?.metadata.annotations ?? {};
  return names.filter((name) => `${ANNOTATION_PREFIX}${name}` in annotations);
}

export function lose(
  context: Context,
  { origin, id }: Pick<Action, 'origin' | 'id'>,
  grade: Loss['grade'],
  names: readonly string[],
  reason: string,
  touches: Loss['touches'] = [],
): void {
  const annotations = saidBy(context, origin, names);
  const same = context.losses.some((l) => l.rule === id && l.reason === reason);
  if (!same) context.losses.push({ grade, origin, rule: id, annotations, reason, touches });
}

export function addExtra({ extras }: Context, object: GeneratedObject): void {
  const key = `${object.kind} ${object.namespace}/${object.name}`;
  if (!extras.has(key)) extras.set(key, object);
}

/** `Service shop/cart:8080/grpc` → its parts. */
export function readServiceKey(
  key: string,
): { readonly namespace: string; readonly name: string; readonly port: number } | undefined {
  const found = /^Service ([^/]+)\/([^:]+):(\d+)/.exec(key);
  if (found === null) return undefined;
  return { namespace: found[1] ?? '', name: found[2] ?? '', port: Number(found[3]) };
}
