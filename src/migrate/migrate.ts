// Ingresses → Gateway API. What is translated is not the text of the Ingresses but what they resolve to:
// the rules of the model, in their order, with everything a controller makes of annotations. Whatever the
// new objects cannot say is put down with the rule that had it.

import { ConfigMap } from '../api/core/config-map.ts';
import type { Finding } from '../api/finding.ts';
import { INGRESS_CONTROLLERS, NGINX_CONTROLLER } from '../api/fairway.ts';
import type { Model } from '../model/model.ts';
import { claimIngresses } from '../resolve/ingress/classes.ts';
import type { ClaimedIngresses } from '../resolve/ingress/classes.ts';
import { readConfig } from '../resolve/ingress/nginx/config.ts';
import type { Snapshot } from '../store/snapshot.ts';
import type { Context } from './context.ts';
import { grantReferences } from './grants.ts';
import { planListeners } from './listeners.ts';
import { planMove } from './plan.ts';
import { reportAnnotations } from './report.ts';
import { routeHosts } from './routes.ts';
import type { GeneratedObject, Migration, MigrateOptions } from './types.ts';

/** `model` is what `snapshot` resolves to, and `findings` what was found in it. */
export function migrate(
  snapshot: Snapshot,
  model: Model,
  findings: readonly Finding[],
  options: MigrateOptions,
): Migration {
  const claimed = claimIngresses(snapshot);
  const context: Context = {
    snapshot,
    model,
    config: readConfig(configMap(snapshot, claimed)),
    standardOnly: options.standardOnly,
    losses: [],
    references: [],
    extras: new Map(),
  };
  const controllers = INGRESS_CONTROLLERS.filter(
    (c) => (claimed.byController.get(c) ?? []).length > 0,
  );
  const objects: GeneratedObject[] = [];
  const notes: string[] = [];
  for (const controller of controllers) {
    const own =
      controllers.length > 1 && controller !== NGINX_CONTROLLER
        ? { ...options, gateway: `${options.gateway}-plain` }
        : options;
    const entryPoints = model.entryPoints.filter((e) => e.gateway === controller);
    const planned = planListeners(context, entryPoints, own);
    const [namespace = '', name = ''] = own.gateway.split('/');
    objects.push(...planned.objects, ...routeHosts(context, planned.hosts, { namespace, name }));
    notes.push(...planned.notes);
  }
  if (options.standardOnly && controllers.includes(NGINX_CONTROLLER)) {
    notes.push(
      'ingress-nginx refuses bodies over 1 MiB, gives backends 60 s, and tries thrice: the standard channel has no fields for these, and the implementation decides',
    );
  }
  const ours = new Set(
    controllers.flatMap((c) =>
      (claimed.byController.get(c) ?? []).map(
        ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
      ),
    ),
  );
  const all = [
    ...objects,
    ...context.extras.values(),
    ...grantReferences(context.references),
  ].toSorted(compareObjects);
  return {
    objects: all,
    losses: context.losses,
    annotations: reportAnnotations(context, ours, findings),
    notes,
    findings: findings.filter(({ origin }) => origin.object?.kind === 'Ingress'),
    ingresses: ours.size,
    plan: planMove(snapshot, ours, all, options),
  };
}

function configMap(snapshot: Snapshot, { classes }: ClaimedIngresses): ConfigMap | undefined {
  for (const { spec } of classes) {
    const { parameters } = spec;
    if (spec.controller !== NGINX_CONTROLLER || parameters?.kind !== 'ConfigMap') continue;
    const found = snapshot.get(ConfigMap, parameters.namespace ?? '', parameters.name);
    if (found !== undefined) return found;
  }
  return snapshot.get(ConfigMap, 'ingress-nginx', 'ingress-nginx-controller');
}

/** What others refer to comes first. */
const ORDER = [
  'Gateway',
  'ListenerSet',
  'ReferenceGrant',
  'ConfigMap',
  'BackendTLSPolicy',
  'PathRewrite',
  'TrafficPolicy',
  'HTTPRoute',
  'TLSRoute',
];

function compareObjects(a: GeneratedObject, b: GeneratedObject): number {
  return (
    ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) ||
    compareText(a.namespace, b.namespace) ||
    compareText(a.name, b.name)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
