// The kinds of the group networking.k8s.io. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const networkingMessages: Package = {
  HTTPIngressPath: '1 path string?, 3 pathType string*, 2 backend IngressBackend',
  HTTPIngressRuleValue: '1 paths []HTTPIngressPath',
  Ingress: '1 metadata meta.ObjectMeta, 2 spec IngressSpec, 3 status IngressStatus',
  IngressBackend: '4 service IngressServiceBackend*?, 3 resource core.TypedLocalObjectReference*?',
  IngressClass: '1 metadata meta.ObjectMeta, 2 spec IngressClassSpec',
  IngressClassParametersReference: `
    1 apiGroup string*?, 2 kind string, 3 name string, 4 scope string*, 5 namespace string*?`,
  IngressClassSpec: '1 controller string?, 2 parameters IngressClassParametersReference*?',
  IngressLoadBalancerIngress: '1 ip string?, 2 hostname string?, 4 ports []IngressPortStatus?',
  IngressLoadBalancerStatus: '1 ingress []IngressLoadBalancerIngress?',
  IngressPortStatus: '1 port int32, 2 protocol string, 3 error string*?',
  IngressRule: '1 host string?, 2 ... IngressRuleValue',
  IngressRuleValue: '1 http HTTPIngressRuleValue*?',
  IngressServiceBackend: '1 name string, 2 port ServiceBackendPort',
  IngressSpec: `
    4 ingressClassName string*?, 1 defaultBackend IngressBackend*?, 2 tls []IngressTLS?,
    3 rules []IngressRule?`,
  IngressStatus: '1 loadBalancer IngressLoadBalancerStatus',
  IngressTLS: '1 hosts []string?, 2 secretName string?',
  ServiceBackendPort: '1 name string?, 2 number int32?',
};
