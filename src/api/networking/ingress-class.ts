// The kind IngressClass: which controller serves the Ingresses that name it.

import { canonical } from '../core/canonical.ts';
import { checked, requiredText, text } from '../core/fields.ts';
import { checkDomainPrefixedPath, checkName, dns1123Label } from '../core/names.ts';
import { defineKind } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { def, described, object, oneOf, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { checkResource } from './ingress-check.ts';

const ParametersReference = object({
  apiGroup: opt(text('API group of the object; empty for the core group.')),
  kind: requiredText('Kind of the object.'),
  name: requiredText('Name of the object.'),
  scope: def(
    oneOf(['Cluster', 'Namespace'], { doc: 'Whether the object is in a namespace.' }),
    'Cluster',
  ),
  namespace: opt(text('Namespace of the object, for scope Namespace.')),
});

const IngressClassSpec = object({
  controller: opt(text('Name of the controller, as example.com/controller; cannot be changed.')),
  parameters: opt(described(ParametersReference, 'An object with settings for the controller.')),
});

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(IngressClassSpec, 'The controller of the class.'), {}),
});
export type IngressClass = Infer<typeof shape>;

/** Longest name of a controller, in bytes. */
const CONTROLLER_BYTES_MAX = 250;

function checkIngressClass(
  { spec }: IngressClass,
  _path: string,
  old: IngressClass | undefined,
): readonly FieldError[] {
  const errors: FieldError[] = [];
  const { controller = '', parameters } = spec;
  if (old !== undefined && controller !== old.spec.controller) {
    errors.push(fieldError.invalid('spec.controller', controller, 'field is immutable'));
  }
  if (Buffer.byteLength(controller) > CONTROLLER_BYTES_MAX) {
    errors.push(fieldError.tooLong('spec.controller', CONTROLLER_BYTES_MAX));
  }
  errors.push(...checkDomainPrefixedPath(controller, 'spec.controller'));
  if (parameters === undefined) return errors;
  const path = 'spec.parameters';
  checkResource(parameters, path, errors);
  const { scope, namespace } = parameters;
  const at = `${path}.namespace`;
  if (scope === 'Cluster') {
    if (namespace === undefined) return errors;
    errors.push(fieldError.forbidden(at, "`parameters.scope` is set to 'Cluster'"));
  } else if (namespace === undefined) {
    errors.push(fieldError.required(at, "`parameters.scope` is set to 'Namespace'"));
  } else {
    checkName(dns1123Label, namespace, at, errors);
  }
  return errors;
}

export const IngressClass = defineKind<IngressClass>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'IngressClass',
  plural: 'ingressclasses',
  namespaced: false,
  doc: 'The controller that serves the Ingresses which name the class.',
  schema: checked(shape, checkIngressClass),
  hasGeneration: true,
  setDefaults: (ingressClass) => canonical(shape, ingressClass),
  columns: [
    {
      name: 'Controller',
      type: 'string',
      value: ({ spec }: IngressClass) => spec.controller ?? '',
    },
    { name: 'Parameters', type: 'string', value: parameters },
  ],
});

/** `IngressParameters.example.com/edge` */
function parameters({ spec: { parameters: ref } }: IngressClass): string | undefined {
  if (ref === undefined) return undefined;
  const kind = ref.apiGroup === undefined ? ref.kind : `${ref.kind}.${ref.apiGroup}`;
  return `${kind}/${ref.name}`;
}
