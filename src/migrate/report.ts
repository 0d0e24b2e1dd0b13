// What became of each annotation of each Ingress: done, approximate or lost, and why. What its rules lost
// on the way says most of it; some annotations speak of what no rule has.

import type { Finding } from '../api/finding.ts';
import { ANNOTATION_PREFIX, annotationFacts } from '../api/ingress-nginx/annotations.ts';
import { Ingress } from '../api/networking/ingress.ts';
import type { Context } from './context.ts';
import type { AnnotationReport, Grade, Loss } from './types.ts';

/** Of those that are never carried over, or only by chance. */
const FIXED: Readonly<Record<string, readonly [Grade, string]>> = {
  'use-regex': ['done', 'expressions take the host as a whole, and are written out'],
  'service-upstream': [
    'lost',
    'requests go to endpoints: the standard has no field for the address of the Service',
  ],
  'load-balance': ['approximate', "the algorithm is the implementation's"],
  'upstream-hash-by-subset': ['lost', 'the standard has no hashing'],
  'upstream-hash-by-subset-size': ['lost', 'the standard has no hashing'],
  'auth-tls-secret': [
    'lost',
    'a Gateway asks for client certificates on a whole port: spec.tls.frontend',
  ],
  'auth-tls-verify-client': [
    'lost',
    'a Gateway asks for client certificates on a whole port: spec.tls.frontend',
  ],
  'auth-tls-pass-certificate-to-upstream': ['lost', 'backends are not told of client certificates'],
  'disable-proxy-intercept-errors': ['done', 'nothing intercepts errors any longer'],
  'default-backend': ['lost', 'nothing answers in place of a backend that has no endpoints'],
  'custom-http-errors': [
    'lost',
    'statuses of backends go through: no filter puts another answer in their place',
  ],
  'ssl-passthrough': ['done', 'a TLS listener with mode Passthrough, and a TLSRoute'],
  'auth-snippet': ['lost', 'nginx configuration has no meaning elsewhere'],
  'stream-snippet': ['lost', 'write a TCPRoute, a TLSRoute or a UDPRoute'],
};

const RANK: Readonly<Record<Grade, number>> = { done: 0, approximate: 1, lost: 2 };

export function reportAnnotations(
  { snapshot, losses }: Context,
  ours: ReadonlySet<string>,
  findings: readonly Finding[],
): readonly AnnotationReport[] {
  const byIngress = new Map<string, Loss[]>();
  for (const loss of losses) {
    const key = `${loss.origin.namespace}/${loss.origin.name}`;
    byIngress.set(key, [...(byIngress.get(key) ?? []), loss]);
  }
  const unused = new Map<string, Finding>();
  for (const finding of findings) {
    const { object, field = '' } = finding.origin;
    if (object?.kind !== Ingress.kind || !field.startsWith('metadata.annotations[')) continue;
    unused.set(`${object.namespace}/${object.name} ${field}`, finding);
  }
  return snapshot.list(Ingress).flatMap((ingress): readonly AnnotationReport[] => {
    const { namespace = '', name = '', annotations = {} } = ingress.metadata;
    const key = `${namespace}/${name}`;
    if (!ours.has(key)) return [];
    return Object.keys(annotations)
      .filter((annotation) => annotation.startsWith(ANNOTATION_PREFIX))
      .toSorted()
      .map((annotation) => {
        const field = `metadata.annotations[${annotation}]`;
        const short = annotation.slice(ANNOTATION_PREFIX.length);
        const verdict = gradeOf(short, byIngress.get(key) ?? [], unused.get(`${key} ${field}`));
        return {
          ingress: key,
          annotation,
          ...verdict,
          origin: { kind: Ingress.kind, namespace, name, field },
        };
      });
  });
}

/** Reasons why ingress-nginx does not look at an annotation either. */
const NEVER_USED = new Set([
  'InvalidAnnotation',
  'Contradiction',
  'SnippetNotAllowed',
  'UnknownAnnotation',
]);

function gradeOf(
  name: string,
  losses: readonly Loss[],
  finding: Finding | undefined,
): { readonly grade: Grade; readonly reason: string } {
  if (finding !== undefined && NEVER_USED.has(finding.reason)) {
    return { grade: 'done', reason: `nothing to do: ${finding.message}` };
  }
  const own = losses
    .filter(({ annotations }) => annotations.includes(name))
    .toSorted((a, b) => RANK[b.grade] - RANK[a.grade]);
  const [worst] = own;
  if (worst !== undefined) return { grade: worst.grade, reason: worst.reason };
  const fixed = FIXED[name];
  if (fixed !== undefined) return { grade: fixed[0], reason: fixed[1] };
  const facts = annotationFacts(name);
  if (facts === undefined) return { grade: 'lost', reason: 'ingress-nginx has no such annotation' };
  switch (facts.verdict) {
    case 'works':
    case 'differs':
      return { grade: 'done', reason: facts.note };
    case 'none':
      return {
        grade: 'approximate',
        reason: `a matter of the data plane, not of routes: ${facts.note}`,
      };
    case 'unsupported':
      return { grade: 'lost', reason: facts.note };
  }
}
