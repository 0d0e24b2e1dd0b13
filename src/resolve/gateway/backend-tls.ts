// BackendTLSPolicies → which ports of which Services are spoken to in TLS, how their certificates are
// checked, and what the policies are to be told of themselves. Of several policies for one port the
// oldest holds; one that names the port comes before one for the whole Service. A policy that is of no
// use does not fall back to plain text: the port is not spoken to at all.

import { Service } from '../../api/core/service.ts';
import { BackendTLSPolicy } from '../../api/gateway/backendtlspolicy.ts';
import { VersionedMap } from '../../lib/versioned-map.ts';
import type { BackendTls, CertificateName } from '../../model/model.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { Memo, same } from '../reader.ts';
import type { Reader } from '../reader.ts';
import type { StatusWish } from '../resolution.ts';
import { problem, verdict, verdictOf } from '../status/conditions.ts';
import type { Problem, Verdict } from '../status/conditions.ts';
import { readAuthority } from './authorities.ts';

export interface ResolvedPolicy {
  readonly namespace: string;
  readonly name: string;
  readonly generation: number;
  readonly created: string;
  readonly targets: readonly PolicyTarget[];
  /** Null when the policy is of no use: see `unaccepted`. */
  readonly tls: BackendTls | null;
  readonly unaccepted: readonly Problem[];
  readonly unresolved: readonly Problem[];
  /** Targets that are not there. */
  readonly warnings: readonly Problem[];
}

interface PolicyTarget {
  /** `namespace/name` of the Service. */
  readonly service: string;
  /** Name of the port; empty for all. */
  readonly section: string;
}

/** All policies. A new value only when one of them changes. */
export interface BackendPolicies {
  readonly all: readonly ResolvedPolicy[];
  /** The policy for a port of a Service. */
  find(service: string, portName: string): ResolvedPolicy | undefined;
  /** Which ports of Services some policy is for, by `securedKey`. */
  readonly secured: VersionedMap<true>;
  /** The older policy that holds in place of this one. */
  winnerOver(policy: ResolvedPolicy): ResolvedPolicy | undefined;
}

export function createBackendPolicyResolver(): (snapshot: Snapshot) => BackendPolicies {
  const memo = new Memo<string, ResolvedPolicy>();
  let last: BackendPolicies = indexPolicies([], VersionedMap.of());
  return (snapshot) => {
    const resolved = snapshot.list(BackendTLSPolicy).map((policy) => {
      const { namespace = '', name = '', uid, generation } = policy.metadata;
      return memo.get(`${namespace}/${name}`, snapshot, [policy.spec, uid, generation], (reader) =>
        resolvePolicy(policy, reader),
      );
    });
    memo.sweep();
    if (!same(last.all, resolved)) last = indexPolicies(resolved, last.secured);
    return last;
  };
}

function resolvePolicy(policy: BackendTLSPolicy, reader: Reader): ResolvedPolicy {
  const { namespace = '', name = '', generation = 0, creationTimestamp = '' } = policy.metadata;
  const { targetRefs, validation } = policy.spec;
  const { authorities, unaccepted, unresolved } = resolveTrust(
    validation,
    namespace,
    reader,
    'spec.validation',
  );
  const warnings: Problem[] = [];
  const targets = targetRefs.flatMap((ref, i): readonly PolicyTarget[] => {
    const missing = missingTarget(ref, namespace, reader);
    if (missing !== undefined) {
      const field = `spec.targetRefs[${i}]`;
      warnings.push({ ...problem('TargetNotFound', field, missing), severity: 'warning' });
    }
    if (ref.group !== '' || ref.kind !== Service.kind) return [];
    return [{ service: `${namespace}/${ref.name}`, section: ref.sectionName ?? '' }];
  });
  const tls: BackendTls = {
    serverName: validation.hostname,
    authorities,
    names: namesOf(validation),
    origin: { kind: BackendTLSPolicy.kind, namespace, name, field: 'spec.validation' },
  };
  return {
    namespace,
    name,
    generation,
    created: creationTimestamp,
    targets,
    tls: unaccepted.length > 0 ? null : tls,
    unaccepted,
    unresolved,
    warnings,
  };
}

type TargetRef = BackendTLSPolicy['spec']['targetRefs'][number];

function missingTarget(ref: TargetRef, namespace: string, reader: Reader): string | undefined {
  if (ref.group !== '' || ref.kind !== Service.kind) {
    return `${ref.kind} "${ref.name}" cannot be the target: only Services can`;
  }
  const service = reader.get(Service, namespace, ref.name);
  if (service === undefined) return `Service ${namespace}/${ref.name} does not exist`;
  const { sectionName } = ref;
  if (sectionName === undefined) return undefined;
  const ports = service.spec.ports ?? [];
  if (ports.some((p) => p.name === sectionName)) return undefined;
  return `Service ${namespace}/${ref.name} has no port named "${sectionName}"`;
}

type Validation = BackendTLSPolicy['spec']['validation'];

/** Without other names, the certificate must be for the server name. */
export function namesOf({
  hostname,
  subjectAltNames = [],
}: Validation): readonly CertificateName[] {
  if (subjectAltNames.length === 0) return [{ kind: 'dns', value: hostname }];
  return subjectAltNames.map((name) =>
    name.type === 'URI'
      ? { kind: 'uri', value: name.uri ?? '' }
      : { kind: 'dns', value: (name.hostname ?? '').toLowerCase() },
  );
}

interface Trust {
  readonly authorities: BackendTls['authorities'];
  readonly unaccepted: readonly Problem[];
  readonly unresolved: readonly Problem[];
}

/** `at` is the field that the validation stands in. */
export function resolveTrust(
  { wellKnownCACertificates, caCertificateRefs = [] }: Validation,
  namespace: string,
  reader: Reader,
  at: string,
): Trust {
  if (caCertificateRefs.length === 0) return wellKnown(wellKnownCACertificates, at);
  const pems: string[] = [];
  const unresolved: Problem[] = [];
  caCertificateRefs.forEach((ref, i) => {
    const found = readAuthority({ ...ref, namespace }, reader);
    if ('pem' in found) pems.push(found.pem);
    else {
      const reason = found.fault === 'kind' ? 'InvalidKind' : 'InvalidCACertificateRef';
      const field = `${at}.caCertificateRefs[${i}]`;
      unresolved.push(problem(reason, field, found.trouble));
    }
  });
  const message = 'none of its certificates of authorities can be used';
  const unaccepted =
    pems.length > 0 ? [] : [problem('NoValidCACertificate', `${at}.caCertificateRefs`, message)];
  return { authorities: pems, unaccepted, unresolved };
}

function wellKnown(name: string | undefined, at: string): Trust {
  if (name === 'System') return { authorities: 'system', unaccepted: [], unresolved: [] };
  const field = `${at}.wellKnownCACertificates`;
  const message = `no authorities are known by the name ${name ?? ''}`;
  return {
    authorities: [],
    unaccepted: [problem('Invalid', field, message, 'use System, or caCertificateRefs')],
    unresolved: [],
  };
}

function indexPolicies(
  all: readonly ResolvedPolicy[],
  before: VersionedMap<true>,
): BackendPolicies {
  const byTarget = new Map<string, ResolvedPolicy>();
  const winners = new Map<ResolvedPolicy, ResolvedPolicy>();
  for (const policy of all.toSorted(compareAge)) {
    const older = policy.targets.map((target) => byTarget.get(targetKey(target)));
    for (const target of policy.targets) {
      const key = targetKey(target);
      if (!byTarget.has(key)) byTarget.set(key, policy);
    }
    // As long as one target is its own, the policy holds somewhere.
    const [first] = older;
    if (first !== undefined && older.every((o) => o !== undefined)) winners.set(policy, first);
  }
  const secured = new Map<string, true | undefined>();
  for (const key of before.keys()) secured.set(key, undefined);
  for (const key of byTarget.keys()) secured.set(key, true);
  return {
    all,
    secured: before.with(secured),
    find: (service, section) =>
      byTarget.get(targetKey({ service, section })) ??
      byTarget.get(targetKey({ service, section: '' })),
    winnerOver: (policy) => winners.get(policy),
  };
}

function targetKey({ service, section }: PolicyTarget): string {
  return securedKey(service, section);
}

/** Of a Service (`namespace/name`) and the name of a port; empty for all its ports. */
export function securedKey(service: string, section: string): string {
  return `${service}|${section}`;
}

function compareAge(a: ResolvedPolicy, b: ResolvedPolicy): number {
  return (
    compareText(a.created, b.created) ||
    compareText(`${a.namespace}/${a.name}`, `${b.namespace}/${b.name}`)
  );
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A Gateway that sends requests to a port of a Service. */
export interface ServiceUser {
  readonly service: string;
  readonly portName: string;
  /** `namespace/name` of the Gateway. */
  readonly gateway: string;
}

/** What a policy is told, once for each Gateway it matters to. */
export function policyStatus(
  policy: ResolvedPolicy,
  policies: BackendPolicies,
  users: readonly ServiceUser[],
  /** As the class of a Gateway, `namespace/name`, has it. */
  controllerOf: (gateway: string) => string,
): StatusWish {
  const gateways = new Set(
    users
      .filter(({ service, portName }) =>
        policy.targets.some(
          (t) => t.service === service && (t.section === '' || t.section === portName),
        ),
      )
      .map(({ gateway }) => gateway),
  );
  const conditions = policyConditions(policy, policies);
  return {
    kind: BackendTLSPolicy,
    namespace: policy.namespace,
    name: policy.name,
    generation: policy.generation,
    status: {
      kind: 'policy',
      ancestors: [...gateways].toSorted().map((key) => {
        const [namespace = '', name = ''] = key.split('/');
        const group = 'gateway.networking.k8s.io';
        return {
          ancestorRef: { group, kind: 'Gateway', namespace, name },
          controllerName: controllerOf(key),
          conditions,
        };
      }),
    },
  };
}

function policyConditions(policy: ResolvedPolicy, policies: BackendPolicies): readonly Verdict[] {
  const winner = policies.winnerOver(policy);
  const accepted =
    winner === undefined
      ? verdictOf('Accepted', policy.unaccepted, {
          reason: 'Accepted',
          message: 'backends are spoken to in TLS',
        })
      : verdict('Accepted', 'False', 'Conflicted', conflictMessage(winner));
  const resolvedRefs = verdictOf('ResolvedRefs', policy.unresolved, {
    reason: 'ResolvedRefs',
    message: 'every reference leads to an object',
  });
  return [accepted, resolvedRefs];
}

function conflictMessage({ namespace, name }: ResolvedPolicy): string {
  return `BackendTLSPolicy ${namespace}/${name}, which is older, is for the same target`;
}

/** Everything wrong with a policy, for people. */
export function policyProblems(
  policy: ResolvedPolicy,
  policies: BackendPolicies,
): readonly Problem[] {
  const winner = policies.winnerOver(policy);
  const conflict =
    winner === undefined ? [] : [problem('Conflicted', 'spec.targetRefs', conflictMessage(winner))];
  return [...conflict, ...policy.unaccepted, ...policy.unresolved, ...policy.warnings];
}
