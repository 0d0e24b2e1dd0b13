// Service of the core group. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const serviceMessages: Package = {
  ClientIPConfig: '1 timeoutSeconds int32*?',
  LoadBalancerIngress: '1 ip string?, 2 hostname string?, 3 ipMode string*?, 4 ports []PortStatus?',
  LoadBalancerStatus: '1 ingress []LoadBalancerIngress?',
  PortStatus: '1 port int32, 2 protocol string, 3 error string*?',
  Service: '1 metadata meta.ObjectMeta, 2 spec ServiceSpec, 3 status ServiceStatus',
  ServicePort: `
    1 name string?, 2 protocol string?, 6 appProtocol string*?, 3 port int32,
    4 targetPort IntOrString, 5 nodePort int32?`,
  ServiceSpec: `
    1 ports []ServicePort?, 2 selector {}string?, 3 clusterIP string?,
    18 clusterIPs []string?, 4 type string?, 5 externalIPs []string?,
    7 sessionAffinity string?, 8 loadBalancerIP string?, 9 loadBalancerSourceRanges []string?,
    10 externalName string?, 11 externalTrafficPolicy string?, 12 healthCheckNodePort int32?,
    13 publishNotReadyAddresses bool?, 14 sessionAffinityConfig SessionAffinityConfig*?,
    19 ipFamilies []string?, 17 ipFamilyPolicy string*?,
    20 allocateLoadBalancerNodePorts bool*?, 21 loadBalancerClass string*?,
    22 internalTrafficPolicy string*?, 23 trafficDistribution string*?`,
  ServiceStatus: '1 loadBalancer LoadBalancerStatus, 2 conditions []meta.Condition?',
  SessionAffinityConfig: '1 clientIP ClientIPConfig*?',
};
