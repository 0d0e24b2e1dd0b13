// XBackendTrafficPolicies → how much of what backends are sent may be retries, which clients stay with an
// endpoint, and what the policies are to be told of themselves. Of several for one backend the oldest
// holds, whole: what it leaves out is not taken from the others.

import { Service } from '../../api/core/service.ts';
import { durationMs } from '../../api/gateway/durations.ts';
import { XBackend } from '../../api/gateway/xbackend.ts';
import { XBackendTrafficPolicy } from '../../api/gateway/xbackendtrafficpolicy.ts';
import type { Finding } from '../../api/finding.ts';
import type { RetryBudget, Session } from '../../model/policy.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { Memo, same } from '../reader.ts';
import type { Reader } from '../reader.ts';
import type { StatusWish } from '../resolution.ts';
import { problem, verdict, verdictOf } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { resolveSession, sessionProblem } from './policy.ts';

export interface ResolvedTrafficPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly created: string;
  /** `Service shop/cart` */
  readonly targets: readonly string[];
  readonly retryBudget?: RetryBudget;
  readonly session?: Session;
  /** What makes the policy of no use. */
  readonly unaccepted: readonly Problem[];
  /** Targets that are not there. */
  readonly warnings: readonly Problem[];
}

/** All policies. A new value only when one of them changes. */
export interface TrafficPolicies {
  readonly all: readonly ResolvedTrafficPolicy[];
  /** The policy for a backend, as `Service shop/cart`. */
  find(target: string): ResolvedTrafficPolicy | undefined;
}

const NONE: TrafficPolicies = { all: [], find: () => undefined };

export function createTrafficPolicyResolver(): (snapshot: Snapshot) => TrafficPolicies {
  const memo = new Memo<string, ResolvedTrafficPolicy>();
  let last = NONE;
  return (snapshot) => {
    const resolved = snapshot.list(XBackendTrafficPolicy).map((policy) => {
      const { namespace = '', name = '', uid, generation } = policy.metadata;
      const inputs = [policy.spec, uid, generation];
      return memo.get(`${namespace}/${name}`, snapshot, inputs, (reader) =>
        resolvePolicy(policy, reader),
      );
    });
    memo.sweep();
    if (!same(last.all, resolved)) last = index(resolved);
    return last;
  };
}

function resolvePolicy(
  { metadata, spec }: XBackendTrafficPolicy,
  reader: Reader,
): ResolvedTrafficPolicy {
  const { namespace = '', name = '', generation = 0, creationTimestamp = '' } = metadata;
  const warnings: Problem[] = [];
  const targets = spec.targetRefs.flatMap((ref, i): readonly string[] => {
    const missing = missingTarget(ref, namespace, reader);
    if (missing !== undefined) {
      const field = `spec.targetRefs[${i}]`;
      warnings.push({ ...problem('TargetNotFound', field, missing), severity: 'warning' });
    }
    return kindOf(ref) === undefined ? [] : [`${ref.kind} ${namespace}/${ref.name}`];
  });
  const bad = sessionProblem(spec, 'spec');
  const id = `XBackendTrafficPolicy ${namespace}/${name}`;
  return {
    namespace,
    name,
    generation,
    created: creationTimestamp,
    targets,
    ...(spec.retryConstraint === undefined ? {} : { retryBudget: budgetOf(spec.retryConstraint) }),
    ...(spec.sessionPersistence === undefined
      ? {}
      : { session: resolveSession(spec.sessionPersistence, id, []) }),
    unaccepted: bad === undefined ? [] : [{ ...bad, reason: 'Invalid' }],
    warnings,
  };
}

type TargetRef = XBackendTrafficPolicy['spec']['targetRefs'][number];

function kindOf({ group, kind }: TargetRef): typeof Service | typeof XBackend | undefined {
  if (group === Service.group && kind === Service.kind) return Service;
  return group === XBackend.group && kind === XBackend.kind ? XBackend : undefined;
}

function missingTarget(ref: TargetRef, namespace: string, reader: Reader): string | undefined {
  const kind = kindOf(ref);
  if (kind === undefined) {
    return `${ref.kind} "${ref.name}" cannot be the target: only Services and XBackends can`;
  }
  const found =
    kind === Service
      ? reader.get(Service, namespace, ref.name)
      : reader.get(XBackend, namespace, ref.name);
  return found === undefined ? `${ref.kind} ${namespace}/${ref.name} does not exist` : undefined;
}

/** What the API takes where minRetryRate is left out; of a part of it, the rest is the same. */
const MIN_RETRIES = 10;
const MIN_INTERVAL_MS = 1000;

type Constraint = NonNullable<XBackendTrafficPolicy['spec']['retryConstraint']>;

function budgetOf({ budget, minRetryRate }: Constraint): RetryBudget {
  const { count = MIN_RETRIES, interval } = minRetryRate;
  return {
    percent: budget.percent,
    intervalMs: durationMs(budget.interval),
    minRetries: count,
    minIntervalMs: interval === undefined ? MIN_INTERVAL_MS : durationMs(interval),
  };
}

function index(all: readonly ResolvedTrafficPolicy[]): TrafficPolicies {
  const byTarget = new Map<string, ResolvedTrafficPolicy>();
  for (const policy of all.toSorted(compareAge)) {
    for (const target of policy.targets) {
      if (!byTarget.has(target)) byTarget.set(target, policy);
    }
  }
  return { all, find: (target) => byTarget.get(target) };
}

function compareAge(a: ResolvedTrafficPolicy, b: ResolvedTrafficPolicy): number {
  return (
    compareText(a.created, b.created) ||
    compareText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** What holds for a backend. A policy that is of no use says nothing. */
export function trafficOf(
  policy: ResolvedTrafficPolicy | undefined,
): Pick<ResolvedTrafficPolicy, 'retryBudget' | 'session'> {
  if (policy === undefined || policy.unaccepted.length > 0) return {};
  const { retryBudget, session } = policy;
  return {
    ...(retryBudget === undefined ? {} : { retryBudget }),
    ...(session === undefined ? {} : { session }),
  };
}

/** Those of its targets that an older policy is for. */
function conflicts(
  policy: ResolvedTrafficPolicy,
  policies: TrafficPolicies,
): readonly { readonly target: string; readonly winner: ResolvedTrafficPolicy }[] {
  return policy.targets.flatMap((target) => {
    const winner = policies.find(target);
    return winner === undefined || winner === policy ? [] : [{ target, winner }];
  });
}

function conflictProblems(
  policy: ResolvedTrafficPolicy,
  policies: TrafficPolicies,
): readonly Problem[] {
  return conflicts(policy, policies).map(({ target, winner }) =>
    problem(
      'Conflicted',
      'spec.targetRefs',
      `XBackendTrafficPolicy ${winner.namespace}/${winner.name}, which is older, is for ${target}`,
      'keep one of them',
    ),
  );
}

/** What a policy is told, once for each Gateway whose requests it matters to, by target. */
export function trafficPolicyStatus(
  policy: ResolvedTrafficPolicy,
  policies: TrafficPolicies,
  gatewaysOf: (target: string) => ReadonlySet<string>,
  controllerOf: (gateway: string) => string,
): StatusWish {
  const { namespace, name, generation, targets, unaccepted } = policy;
  const gateways = new Set(targets.flatMap((target) => [...gatewaysOf(target)]));
  const lost = conflictProblems(policy, policies);
  // As long as one target is its own, the policy holds somewhere.
  const accepted =
    lost.length > 0 && lost.length === targets.length
      ? verdict('Accepted', 'False', 'Conflicted', lost.map((p) => p.message).join('; '))
      : verdictOf('Accepted', unaccepted, {
          reason: 'Accepted',
          message: 'the policy is in force',
        });
  return {
    kind: XBackendTrafficPolicy,
    namespace,
    name,
    generation,
    status: {
      kind: 'policy',
      ancestors: [...gateways].toSorted().map((key) => {
        const [ns = '', gateway = ''] = key.split('/');
        const group = 'gateway.networking.k8s.io';
        return {
          ancestorRef: { group, kind: 'Gateway', namespace: ns, name: gateway },
          controllerName: controllerOf(key),
          conditions: [accepted],
        };
      }),
    },
  };
}

export function trafficPolicyFindings(
  policy: ResolvedTrafficPolicy,
  policies: TrafficPolicies,
): readonly Finding[] {
  const { namespace, name, unaccepted, warnings } = policy;
  const object = { kind: XBackendTrafficPolicy.kind, namespace, name };
  const all = [...conflictProblems(policy, policies), ...unaccepted, ...warnings];
  return all.map(({ severity = 'error', reason, message, hint, field }) => ({
    severity,
    reason,
    message,
    ...(hint === undefined ? {} : { hint }),
    origin: { object, field },
  }));
}
