// Specification and status of Services. What the allocators fill in (clusterIP, ipFamilies, nodePort) is
// optional here: a Service is admitted before it has them.

import {
  def,
  described,
  intOrString,
  list,
  map,
  object,
  oneOf,
  opt,
  requiredDef,
  string,
} from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { Condition } from '../meta.ts';
import { PROTOCOLS, atomicList, flag, int32, keyed, text, texts } from './fields.ts';

export const ServicePort = object({
  name: opt(text('Name of the port; required when there are several.')),
  protocol: def(oneOf(PROTOCOLS, { doc: 'Protocol of the port.' }), 'TCP'),
  appProtocol: opt(text('Protocol of the application, as kubernetes.io/h2c.')),
  port: requiredDef(int32('The port clients connect to.'), 0),
  targetPort: opt(
    intOrString({ doc: 'Number or name of the port of the pods; the same as port when absent.' }),
  ),
  nodePort: opt(int32('Port of every node that leads here, for NodePort and LoadBalancer.')),
});
export type ServicePort = Infer<typeof ServicePort>;

const ClientIPConfig = object({
  timeoutSeconds: opt(int32('Seconds a client stays with its endpoint; at most one day.')),
});

const SessionAffinityConfig = object({
  clientIP: opt(described(ClientIPConfig, 'For session affinity ClientIP.')),
});

export const ServiceSpec = object({
  ports: opt(
    keyed(ServicePort, {
      keys: ['port', 'protocol'],
      mergeKey: 'port',
      doc: 'The ports clients can connect to.',
    }),
  ),
  selector: opt(
    map(string(), {
      atomic: true,
      doc: 'Labels of the pods; without it, somebody else provides the endpoints.',
    }),
  ),
  clusterIP: opt(text('Address of the Service, given by the system; None for headless.')),
  clusterIPs: opt(texts('All addresses: one of each family, the first is clusterIP.')),
  type: def(
    oneOf(['ClusterIP', 'ExternalName', 'LoadBalancer', 'NodePort'], {
      doc: 'From where the Service can be reached.',
    }),
    'ClusterIP',
  ),
  externalIPs: opt(texts('Further addresses whose traffic nodes take for the Service.')),
  sessionAffinity: def(
    oneOf(['ClientIP', 'None'], { doc: 'Whether a client stays with its endpoint.' }),
    'None',
  ),
  loadBalancerIP: opt(text('Deprecated: the address asked of the load balancer.')),
  loadBalancerSourceRanges: opt(texts('Networks that may use the load balancer.')),
  externalName: opt(text('The DNS name a Service of type ExternalName stands for.')),
  externalTrafficPolicy: opt(
    oneOf(['Cluster', 'Local'], {
      doc: 'Whether traffic from outside may go to endpoints of other nodes.',
    }),
  ),
  healthCheckNodePort: opt(
    int32('Port where load balancers ask a node for local endpoints, with policy Local.'),
  ),
  publishNotReadyAddresses: opt(flag('Endpoints count as ready although their pods are not.')),
  sessionAffinityConfig: opt(described(SessionAffinityConfig, 'How long affinity lasts.')),
  ipFamilies: opt(
    list(oneOf(['IPv4', 'IPv6']), {
      listType: 'atomic',
      doc: 'Families of the addresses, given by the system when absent.',
    }),
  ),
  ipFamilyPolicy: opt(
    oneOf(['PreferDualStack', 'RequireDualStack', 'SingleStack'], {
      doc: 'Whether the Service has addresses of one family or of both.',
    }),
  ),
  allocateLoadBalancerNodePorts: opt(
    flag('Whether a Service of type LoadBalancer gets node ports; true when absent.'),
  ),
  loadBalancerClass: opt(text('The load balancer that serves it; the default one when absent.')),
  internalTrafficPolicy: opt(
    oneOf(['Cluster', 'Local'], {
      doc: 'Whether traffic to clusterIP may go to endpoints of other nodes.',
    }),
  ),
  trafficDistribution: opt(
    oneOf(['PreferClose', 'PreferSameZone', 'PreferSameNode'], {
      doc: 'Which endpoints are preferred.',
    }),
  ),
});
export type ServiceSpec = Infer<typeof ServiceSpec>;

const PortStatus = object({
  port: requiredDef(int32('The port.'), 0),
  protocol: requiredDef(text('Its protocol.'), ''),
  error: opt(text('Why the port does not work.')),
});

const LoadBalancerIngress = object({
  ip: opt(text('Address of the load balancer.')),
  hostname: opt(text('DNS name of the load balancer.')),
  ipMode: opt(
    oneOf(['Proxy', 'VIP'], {
      doc: 'Whether packets arrive with this address as their destination (VIP).',
    }),
  ),
  ports: opt(atomicList(PortStatus, 'State of each port.')),
});

const LoadBalancerStatus = object({
  ingress: opt(atomicList(LoadBalancerIngress, 'Where the load balancer can be reached.')),
});

export const ServiceStatus = object({
  loadBalancer: def(described(LoadBalancerStatus, 'The load balancer in front.'), {}),
  conditions: opt(keyed(Condition, { keys: ['type'], doc: 'What is known of the Service.' })),
});
export type ServiceStatus = Infer<typeof ServiceStatus>;
