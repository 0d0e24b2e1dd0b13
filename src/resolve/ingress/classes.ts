// IngressClasses: which controller serves an Ingress, and with which parameters.

import { INGRESS_CONTROLLERS } from '../../api/fairway.ts';
import type { Finding } from '../../api/finding.ts';
import { IngressClass } from '../../api/networking/ingress-class.ts';
import { Ingress } from '../../api/networking/ingress.ts';
import type { Snapshot } from '../../store/snapshot.ts';

/** Names the class of an Ingress that is older than the field for it. */
const CLASS_ANNOTATION = 'kubernetes.io/ingress.class';
const DEFAULT_ANNOTATION = 'ingressclass.kubernetes.io/is-default-class';

export interface ClaimedIngresses {
  /** By the name of the controller; those it serves, in the order of namespace and name. */
  readonly byController: ReadonlyMap<string, readonly Ingress[]>;
  /** Classes of a controller that have parameters. */
  readonly classes: readonly IngressClass[];
  readonly findings: readonly Finding[];
}

export function claimIngresses(snapshot: Snapshot): ClaimedIngresses {
  const classes = snapshot.list(IngressClass);
  const standard = defaultClass(classes);
  const byController = new Map<string, Ingress[]>();
  const findings: Finding[] = [];
  for (const ingress of snapshot.list(Ingress)) {
    const claim = claimOf(ingress, snapshot, standard);
    if ('finding' in claim) {
      findings.push(claim.finding);
      continue;
    }
    const own = byController.get(claim.controller) ?? [];
    byController.set(claim.controller, own);
    own.push(ingress);
  }
  return { byController, classes, findings };
}

/** Of several the youngest, and of the same second the first name, as the API server chooses. */
function defaultClass(classes: readonly IngressClass[]): IngressClass | undefined {
  return classes
    .filter(({ metadata }) => metadata.annotations?.[DEFAULT_ANNOTATION] === 'true')
    .toSorted((a, b) => {
      const [one, other] = [a.metadata.creationTimestamp ?? '', b.metadata.creationTimestamp ?? ''];
      if (one !== other) return one > other ? -1 : 1;
      return (a.metadata.name ?? '') < (b.metadata.name ?? '') ? -1 : 1;
    })[0];
}

function claimOf(
  ingress: Ingress,
  snapshot: Snapshot,
  standard: IngressClass | undefined,
): { readonly controller: string } | { readonly finding: Finding } {
  const { metadata, spec } = ingress;
  const annotated = metadata.annotations?.[CLASS_ANNOTATION];
  const name = spec.ingressClassName ?? annotated;
  const field =
    spec.ingressClassName === undefined && annotated !== undefined
      ? `metadata.annotations[${CLASS_ANNOTATION}]`
      : 'spec.ingressClassName';
  const found = name === undefined ? standard : snapshot.get(IngressClass, '', name);
  const controller = found?.spec.controller ?? '';
  if (INGRESS_CONTROLLERS.includes(controller)) return { controller };
  const unclaimed = (reason: string, message: string, hint: string): { finding: Finding } => ({
    finding: {
      severity: reason === 'IngressClassNotOurs' ? 'warning' : 'error',
      reason,
      message: `${message}, so nobody serves this Ingress here`,
      hint,
      origin: {
        object: {
          kind: Ingress.kind,
          namespace: metadata.namespace ?? '',
          name: metadata.name ?? '',
        },
        field,
      },
    },
  });
  if (name === undefined) {
    return unclaimed(
      'NoIngressClass',
      'it names no class, and no IngressClass is the default',
      'add ingressClassName: nginx for the ways of ingress-nginx, or fairway for those of the specification',
    );
  }
  if (found === undefined) {
    return unclaimed(
      'IngressClassNotFound',
      `IngressClass "${name}" does not exist`,
      `add it, with controller ${INGRESS_CONTROLLERS.join(' or ')}`,
    );
  }
  return unclaimed(
    'IngressClassNotOurs',
    `IngressClass "${name}" belongs to ${controller || 'no controller'}`,
    `Fairway serves classes of ${INGRESS_CONTROLLERS.join(' and ')}`,
  );
}
