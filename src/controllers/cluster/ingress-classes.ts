// The IngressClasses that are there without being written down, so that the Ingresses of a folder are
// served as they are. A class of that name in the user's files takes its place.

import { admit } from '../../api/admit.ts';
import { DEFAULT_INGRESS_CLASSES } from '../../api/fairway.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { IngressClass } from '../../api/networking/ingress-class.ts';
import type { Controller } from '../controller.ts';

export function createIngressClassController(): Controller {
  const classes = Object.entries(DEFAULT_INGRESS_CLASSES).map(([name, controller]) => {
    const written = {
      apiVersion: apiVersionOf(IngressClass),
      kind: IngressClass.kind,
      metadata: { name },
      spec: { controller },
    };
    return { name, object: admit(IngressClass, written).object };
  });
  return {
    name: 'ingressclass',
    reconcile: (snapshot) =>
      classes
        .filter(({ name }) => snapshot.get(IngressClass, '', name) === undefined)
        .map(({ object }) => ({ op: 'put', kind: IngressClass, object })),
  };
}
