// The small kinds of the core group. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const coreMessages: Package = {
  ConfigMap: `
    1 metadata meta.ObjectMeta, 4 immutable bool*?, 2 data {}string?, 3 binaryData {}bytes?`,
  EndpointAddress: `
    1 ip string, 3 hostname string?, 4 nodeName string*?, 2 targetRef ObjectReference*?`,
  EndpointPort: '1 name string?, 2 port int32, 3 protocol string?, 4 appProtocol string*?',
  EndpointSubset: `
    1 addresses []EndpointAddress?, 2 notReadyAddresses []EndpointAddress?,
    3 ports []EndpointPort?`,
  Endpoints: '1 metadata meta.ObjectMeta, 2 subsets []EndpointSubset?',
  Event: `
    1 metadata meta.ObjectMeta, 2 involvedObject ObjectReference, 3 reason string?,
    4 message string?, 5 source EventSource, 6 firstTimestamp Time, 7 lastTimestamp Time,
    8 count int32?, 9 type string?, 10 eventTime MicroTime, 11 series EventSeries*?,
    12 action string?, 13 related ObjectReference*?, 14 reportingComponent string,
    15 reportingInstance string`,
  EventSeries: '1 count int32?, 2 lastObservedTime MicroTime',
  EventSource: '1 component string?, 2 host string?',
  Namespace: '1 metadata meta.ObjectMeta, 2 spec NamespaceSpec, 3 status NamespaceStatus',
  NamespaceCondition: `
    1 type string, 2 status string, 4 lastTransitionTime Time, 5 reason string?,
    6 message string?`,
  NamespaceSpec: '1 finalizers []string?',
  NamespaceStatus: '1 phase string?, 2 conditions []NamespaceCondition?',
  Secret: `
    1 metadata meta.ObjectMeta, 5 immutable bool*?, 2 data {}bytes?, 4 stringData {}string?,
    3 type string?`,
  ServiceAccount: `
    1 metadata meta.ObjectMeta, 2 secrets []ObjectReference?,
    3 imagePullSecrets []LocalObjectReference?, 4 automountServiceAccountToken bool*?`,
};
