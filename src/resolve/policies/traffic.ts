// TrafficPolicies → guards and times of the rules they are for. Of a rule's own policy, its route's, its
// listener's and its Gateway's the first one there is counts, whole; of two for one target the older one,
// then the first name (GEP-713). What was made for a host and a set of policies is remembered.

import { CONTROLLER_NAME } from '../../api/fairway.ts';
import { Secret } from '../../api/core/secret.ts';
import { TrafficPolicy } from '../../api/extensions/traffic-policy.ts';
import type { Finding } from '../../api/finding.ts';
import { durationMs } from '../../api/gateway/durations.ts';
import { Gateway } from '../../api/gateway/gateway.ts';
import { GRPCRoute } from '../../api/gateway/grpcroute.ts';
import { HTTPRoute } from '../../api/gateway/httproute.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { isKnownHash, parseHtpasswd } from '../../lib/htpasswd.ts';
import type { Guard, RateLimit } from '../../model/guard.ts';
import type { Action, EntryPoint, Host, Rule } from '../../model/model.ts';
import type { TemplatePart } from '../../model/template.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { same } from '../reader.ts';
import type { StatusWish } from '../resolution.ts';
import { problem, verdict, verdictOf } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

export interface AppliedPolicies {
  readonly entryPoints: readonly EntryPoint[];
  readonly statuses: readonly StatusWish[];
  readonly findings: readonly Finding[];
}

/** What a policy does to a rule. */
interface Effect {
  readonly guard: Guard;
  readonly connectMs?: number;
  readonly idleMs?: number;
  readonly retriesUnsafe: boolean;
}

interface Resolved {
  readonly policy: TrafficPolicy;
  readonly key: string;
  readonly effect: Effect;
  readonly problems: readonly Problem[];
  /** By target: undefined when it holds, else who does. */
  readonly conflicts: ReadonlyMap<string, string>;
}

type TargetRef = TrafficPolicy['spec']['targetRefs'][number];

export function createPolicyApplier(): (
  snapshot: Snapshot,
  entryPoints: readonly EntryPoint[],
) => AppliedPolicies {
  let inputs: readonly unknown[] = [];
  let last: AppliedPolicies = { entryPoints: [], statuses: [], findings: [] };
  let hosts = new WeakMap<Host, Host>();
  return (snapshot, entryPoints) => {
    const policies = snapshot.list(TrafficPolicy);
    if (policies.length === 0) return { entryPoints, statuses: [], findings: [] };
    const kinds = [
      TrafficPolicy,
      Gateway,
      HTTPRoute,
      GRPCRoute,
      Secret,
    ] as readonly Kind<KubeObject>[];
    const tables = kinds.map((kind) => snapshot.table(kind));
    const now = [...tables, ...entryPoints];
    if (same(inputs, now)) return last;
    // Rules with the same policies are made once.
    if (!same(inputs.slice(0, tables.length), tables)) hosts = new WeakMap();
    inputs = now;
    last = apply(snapshot, policies, entryPoints, hosts);
    return last;
  };
}

function apply(
  snapshot: Snapshot,
  policies: readonly TrafficPolicy[],
  entryPoints: readonly EntryPoint[],
  made: WeakMap<Host, Host>,
): AppliedPolicies {
  const winners = new Map<string, Resolved>();
  const resolved = policies
    .toSorted(compareAges)
    .map((policy) => resolve(policy, snapshot, winners));
  const find = (...targets: readonly string[]): Effect | undefined => {
    for (const target of targets) {
      const found = winners.get(target);
      if (found !== undefined) return found.effect;
    }
    return undefined;
  };
  const applied = entryPoints.map((entryPoint) => ({
    ...entryPoint,
    listeners: entryPoint.listeners.map((listener) => ({
      ...listener,
      hosts: listener.hosts.map((host) => {
        let own = made.get(host);
        if (own === undefined) {
          const actions = new Map<Action, Action>();
          const above = [
            `Gateway ${entryPoint.gateway} ${listener.name}`,
            `Gateway ${entryPoint.gateway} `,
          ];
          own = {
            ...host,
            rules: host.rules.map((rule) => withPolicy(rule, above, find, snapshot, actions)),
          };
          made.set(host, own);
        }
        return own;
      }),
    })),
  }));
  return {
    entryPoints: applied,
    statuses: resolved.map(statusOf),
    findings: resolved.flatMap(findingsOf),
  };
}

function compareAges(a: TrafficPolicy, b: TrafficPolicy): number {
  const [one, other] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
  if (one !== other) return one < other ? -1 : 1;
  return keyOf(a) < keyOf(b) ? -1 : 1;
}

function keyOf({ metadata }: KubeObject): string {
  return `${metadata.namespace ?? ''}/${metadata.name ?? ''}`;
}

function withPolicy(
  rule: Rule,
  above: readonly string[],
  find: (...targets: readonly string[]) => Effect | undefined,
  snapshot: Snapshot,
  actions: Map<Action, Action>,
): Rule {
  const { kind, namespace, name, field } = rule.action.origin;
  const route = `${kind} ${namespace}/${name}`;
  const index = Number(/^spec\.rules\[(\d+)\]/.exec(field)?.[1] ?? -1);
  const routeKind = kind === 'GRPCRoute' ? GRPCRoute : HTTPRoute;
  const written = snapshot.get(routeKind as Kind<HTTPRoute>, namespace, name)?.spec.rules?.[index];
  const section = written?.name;
  const own = section === undefined ? [] : [`${route} ${section}`];
  const effect = find(...own, `${route} `, ...above);
  if (effect === undefined) return rule;
  let action = actions.get(rule.action);
  if (action === undefined) {
    action = withEffect(rule.action, effect);
    actions.set(rule.action, action);
  }
  return { ...rule, action };
}

function withEffect(action: Action, effect: Effect): Action {
  const { guard, connectMs, idleMs, retriesUnsafe } = effect;
  const timed = connectMs !== undefined || idleMs !== undefined;
  const timeouts = action.timeouts ?? { requestMs: 0, backendRequestMs: 0 };
  return {
    ...action,
    guard,
    ...(timed
      ? {
          timeouts: {
            ...timeouts,
            ...(connectMs === undefined ? {} : { connectMs }),
            ...(idleMs === undefined ? {} : { idleMs }),
          },
        }
      : {}),
    ...(action.retry !== undefined && retriesUnsafe
      ? { retry: { ...action.retry, repeatsAll: true } }
      : {}),
  };
}

function targetKey({ kind, name, sectionName = '' }: TargetRef, namespace: string): string {
  return `${kind} ${namespace}/${name} ${sectionName}`;
}

function resolve(
  policy: TrafficPolicy,
  snapshot: Snapshot,
  winners: Map<string, Resolved>,
): Resolved {
  const namespace = policy.metadata.namespace ?? '';
  const problems: Problem[] = [];
  const conflicts = new Map<string, string>();
  const own: Resolved = {
    policy,
    key: keyOf(policy),
    effect: effectOf(policy, snapshot, problems),
    problems,
    conflicts,
  };
  policy.spec.targetRefs.forEach((ref, i) => {
    const field = `spec.targetRefs[${i}]`;
    const trouble = targetTrouble(ref, namespace, snapshot);
    if (trouble !== undefined) {
      problems.push(problem('TargetNotFound', field, trouble));
      return;
    }
    const key = targetKey(ref, namespace);
    const winner = winners.get(key);
    if (winner === undefined) winners.set(key, own);
    else conflicts.set(key, winner.key);
  });
  return own;
}

function targetTrouble(
  { kind, name, sectionName }: TargetRef,
  namespace: string,
  snapshot: Snapshot,
): string | undefined {
  const what = `${kind} ${namespace}/${name}`;
  if (kind === 'Gateway') {
    const gateway = snapshot.get(Gateway, namespace, name);
    if (gateway === undefined) return `${what} does not exist`;
    const has = gateway.spec.listeners.some((l) => l.name === sectionName);
    return sectionName === undefined || has ? undefined : `${what} has no listener ${sectionName}`;
  }
  const routeKind = kind === 'GRPCRoute' ? GRPCRoute : HTTPRoute;
  const route = snapshot.get(routeKind as Kind<HTTPRoute>, namespace, name);
  if (route === undefined) return `${what} does not exist`;
  const has = (route.spec.rules ?? []).some((rule) => rule.name === sectionName);
  return sectionName === undefined || has ? undefined : `${what} has no rule ${sectionName}`;
}

function effectOf(policy: TrafficPolicy, snapshot: Snapshot, problems: Problem[]): Effect {
  const {
    clients,
    basicAuth,
    satisfy,
    rateLimits = [],
    concurrency,
    bodyBytesMax,
    timeouts,
  } = policy.spec;
  const zone = `TrafficPolicy ${keyOf(policy)}`;
  const guard: Guard = {
    ...(bodyBytesMax === undefined ? {} : { bodyBytesMax }),
    rates: rateLimits.map(({ requests, per, burst, statusCode, key }, i): RateLimit => {
      const part = key === undefined ? undefined : partOf(key.type, key.name ?? '');
      return {
        zone: `${zone} ${i}`,
        requests,
        perMs: Math.max(1, durationMs(per)),
        burst,
        statusCode,
        exempt: [],
        ...(part === undefined ? {} : { key: [part] }),
      };
    }),
    ...(concurrency === undefined ? {} : { requests: { zone, ...concurrency, exempt: [] } }),
    ...(clients === undefined
      ? {}
      : {
          clients: {
            deny: clients.deny ?? [],
            ...(clients.allow === undefined ? {} : { allow: clients.allow }),
          },
        }),
    ...(basicAuth === undefined ? {} : { basic: basicOf(policy, basicAuth, snapshot, problems) }),
    satisfy: satisfy === 'Any' ? 'any' : 'all',
  };
  return {
    guard,
    ...(timeouts?.connect === undefined ? {} : { connectMs: durationMs(timeouts.connect) }),
    ...(timeouts?.idle === undefined ? {} : { idleMs: durationMs(timeouts.idle) }),
    retriesUnsafe: policy.spec.retryUnsafe,
  };
}

function partOf(type: string, name: string): TemplatePart | undefined {
  switch (type) {
    case 'Header':
      return { of: 'header', name: name.toLowerCase() };
    case 'Cookie':
      return { of: 'cookie', name };
    case 'QueryParam':
      return { of: 'query', name };
    default:
      return undefined;
  }
}

/** Where passwords cannot be checked, nobody is let in. */
function basicOf(
  { metadata }: TrafficPolicy,
  { secretRef, realm }: NonNullable<TrafficPolicy['spec']['basicAuth']>,
  snapshot: Snapshot,
  problems: Problem[],
): NonNullable<Guard['basic']> {
  const namespace = metadata.namespace ?? '';
  const data = snapshot.get(Secret, namespace, secretRef.name)?.data?.['auth'];
  if (data === undefined) {
    const message = `nobody is let in: Secret ${namespace}/${secretRef.name} does not exist, or has no key auth`;
    problems.push(problem('SecretNotFound', 'spec.basicAuth.secretRef', message));
    return { realm, users: [] };
  }
  const users = parseHtpasswd(Buffer.from(data, 'base64').toString('utf8'));
  for (const [user, hash] of users) {
    if (isKnownHash(hash)) continue;
    const message = `user ${user} is not let in: the hash of the password is of a kind Fairway cannot check`;
    problems.push(
      problem('UnknownHash', 'spec.basicAuth.secretRef', message, 'make it anew with htpasswd -m'),
    );
  }
  return { realm, users: users.filter(([, hash]) => isKnownHash(hash)) };
}

function statusOf({ policy, problems, conflicts }: Resolved): StatusWish {
  const { namespace = '', name = '', generation = 0 } = policy.metadata;
  return {
    kind: TrafficPolicy,
    namespace,
    name,
    generation,
    status: {
      kind: 'policy',
      ancestors: policy.spec.targetRefs.map((ref, i) => {
        const own = problems.filter(
          ({ field }) => field === `spec.targetRefs[${i}]` || !field.startsWith('spec.targetRefs'),
        );
        const winner = conflicts.get(targetKey(ref, namespace));
        const notFound = own.filter(({ reason }) => reason === 'TargetNotFound');
        const accepted =
          winner === undefined
            ? verdictOf('Accepted', notFound, {
                reason: 'Accepted',
                message: 'the policy is in force',
              })
            : verdict('Accepted', 'False', 'Conflicted', `TrafficPolicy ${winner} comes first`);
        const refs = verdictOf(
          'ResolvedRefs',
          own.filter(({ reason }) => reason !== 'TargetNotFound'),
          { reason: 'ResolvedRefs', message: 'every reference leads to an object' },
        );
        return {
          ancestorRef: { ...ref, namespace },
          controllerName: CONTROLLER_NAME,
          conditions: [accepted, refs],
        };
      }),
    },
  };
}

function findingsOf({ policy, problems, conflicts }: Resolved): readonly Finding[] {
  const { namespace = '', name = '' } = policy.metadata;
  const object = { kind: TrafficPolicy.kind, namespace, name };
  return [
    ...problems.map(({ reason, message, field, hint, severity = 'error' }): Finding => ({
      severity,
      reason,
      message,
      ...(hint === undefined ? {} : { hint }),
      origin: { object, field },
    })),
    ...Array.from(conflicts, ([target, winner]): Finding => ({
      severity: 'warning',
      reason: 'Conflicted',
      message: `${target.trim()} has TrafficPolicy ${winner} already, which is older or comes first by name`,
      hint: 'make one policy of them, or give this one another target',
      origin: { object, field: 'spec.targetRefs' },
    })),
  ];
}
