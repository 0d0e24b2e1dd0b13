// The kind Ingress: HTTP from outside to Services, by host and path.

import { firstOf, formatLoadBalancer } from '../core/columns.ts';
import { atomicList, checked, choice, int32, requiredText, text, texts } from '../core/fields.ts';
import { TypedLocalObjectReference } from '../core/references.ts';
import { defineKind } from '../kind.ts';
import type { Column } from '../kind.ts';
import { ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, object, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { checkIngress } from './ingress-check.ts';

const ServiceBackendPort = object(
  {
    name: opt(text('Name of the Service port.')),
    number: opt(int32('Number of the Service port.')),
  },
  { atomic: true },
);

const IngressServiceBackend = object({
  name: requiredText('Name of the Service, in the namespace of the Ingress.'),
  port: def(described(ServiceBackendPort, 'The port of the Service, by name or number.'), {}),
});

const IngressBackend = object({
  service: opt(described(IngressServiceBackend, 'A Service.')),
  resource: opt(described(TypedLocalObjectReference, 'Another object the controller knows.')),
});
export type IngressBackend = Infer<typeof IngressBackend>;

const HTTPIngressPath = object({
  path: opt(text('The path that is matched; begins with a slash.')),
  pathType: requiredDef(
    choice<'Exact' | 'Prefix' | 'ImplementationSpecific'>(
      'How it is matched: Exact, Prefix (by whole segments) or ImplementationSpecific.',
    ),
    '',
  ),
  backend: requiredDef(described(IngressBackend, 'Where matching requests go.'), {}),
});
export type HTTPIngressPath = Infer<typeof HTTPIngressPath>;

const HTTPIngressRuleValue = object({
  paths: requiredDef(atomicList(HTTPIngressPath, 'Paths of the host; the longest counts.'), []),
});

const IngressRule = object({
  host: opt(text('The host, as example.com or *.example.com; every host when absent.')),
  http: opt(described(HTTPIngressRuleValue, 'What happens to requests for the host.')),
});

const IngressTLS = object({
  hosts: opt(texts('Hosts the certificate is for; those it names when absent.')),
  secretName: opt(text('Secret with the certificate, of type kubernetes.io/tls.')),
});

const IngressSpec = object({
  ingressClassName: opt(text('The IngressClass whose controller serves it.')),
  defaultBackend: opt(described(IngressBackend, 'Where requests go that no rule matches.')),
  tls: opt(atomicList(IngressTLS, 'Certificates for the hosts.')),
  rules: opt(atomicList(IngressRule, 'What happens to which requests.')),
});

const IngressPortStatus = object({
  port: requiredDef(int32('The port.'), 0),
  protocol: requiredDef(text('Its protocol.'), ''),
  error: opt(text('Why the port does not work.')),
});

const IngressLoadBalancerIngress = object({
  ip: opt(text('Address of the load balancer.')),
  hostname: opt(text('DNS name of the load balancer.')),
  ports: opt(atomicList(IngressPortStatus, 'State of each port.')),
});

const IngressLoadBalancerStatus = object({
  ingress: opt(atomicList(IngressLoadBalancerIngress, 'Where the Ingress can be reached.')),
});

const IngressStatus = object({
  loadBalancer: def(described(IngressLoadBalancerStatus, 'The load balancer in front.'), {}),
});

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(IngressSpec, 'Which requests go where.'), {}),
  status: def(described(IngressStatus, 'Where it can be reached.'), {}),
});
export type Ingress = Infer<typeof shape>;

const columns: readonly Column[] = [
  { name: 'Class', type: 'string', value: ({ spec }: Ingress) => spec.ingressClassName },
  { name: 'Hosts', type: 'string', value: hosts },
  {
    name: 'Address',
    type: 'string',
    value: ({ status }: Ingress) => formatLoadBalancer(status.loadBalancer.ingress),
  },
  {
    name: 'Ports',
    type: 'string',
    value: ({ spec: { tls = [] } }: Ingress) => (tls.length > 0 ? '80, 443' : '80'),
  },
];

/** `a.example,b.example,c.example + 1 more...`; a star for rules without host. */
function hosts({ spec: { rules = [] } }: Ingress): string {
  const named = rules.flatMap((rule) => ((rule.host ?? '') === '' ? [] : [rule.host ?? '']));
  return firstOf(named) ?? '*';
}

export const Ingress = defineKind<Ingress>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  shortNames: ['ing'],
  namespaced: true,
  doc: 'HTTP from outside to Services, by host and path.',
  schema: checked(shape, checkIngress),
  hasStatus: true,
  hasGeneration: true,
  columns,
});
