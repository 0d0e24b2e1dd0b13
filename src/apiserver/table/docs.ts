// What each column of `kubectl get` shows, in a sentence. Clients that draw tables of their own show it
// beside the heading.

const WORKLOAD = {
  Containers: 'Names of the containers in the template.',
  Images: 'Images of the containers in the template.',
  Selector: 'Labels of the pods that belong to it.',
};

const HOSTNAMES = { Hostnames: 'Hosts the route is for; every host of the listener when empty.' };
const ACCEPTED = { Accepted: 'Whether a controller has taken it on.' };
const PROGRAMMED = { Programmed: 'Whether it is set up and takes traffic.' };

const DOCS: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  ConfigMap: { Data: 'How many entries it has.' },
  ControllerRevision: {
    Controller: 'The object whose former state it is.',
    Revision: 'The number of the state.',
  },
  Deployment: {
    Ready: 'How many pods are ready, of how many there are to be.',
    'Up-to-date': 'How many pods are made from the present template.',
    Available: 'How many pods have been ready for long enough.',
    ...WORKLOAD,
  },
  EndpointSlice: {
    AddressType: 'What the addresses are: IPv4, IPv6 or FQDN.',
    Ports: 'Ports of every endpoint.',
    Endpoints: 'Addresses of the endpoints.',
  },
  Endpoints: { Endpoints: 'Addresses and ports that are ready.' },
  Event: {
    'Last Seen': 'How long ago it happened last.',
    Type: 'Normal or Warning.',
    Reason: 'What happened, in one word for programs.',
    Object: 'The object it happened to.',
    Subobject: 'The part of the object it happened to.',
    Source: 'Who noticed it, and where.',
    Message: 'What happened, in a sentence for people.',
    'First Seen': 'How long ago it happened first.',
    Count: 'How often it happened.',
  },
  GRPCRoute: HOSTNAMES,
  Gateway: {
    Class: 'The GatewayClass whose controller serves it.',
    Address: 'The first address it is reached at.',
    ...PROGRAMMED,
  },
  GatewayClass: {
    Controller: 'The controller that serves Gateways of the class.',
    ...ACCEPTED,
    Description: 'A few words for people who choose a class.',
  },
  HTTPRoute: HOSTNAMES,
  Ingress: {
    Class: 'The IngressClass whose controller serves it.',
    Hosts: 'Hosts of its rules; a star for every host.',
    Address: 'Addresses it is reached at.',
    Ports: 'Ports it is reached at: 443 besides 80 where it has certificates.',
  },
  IngressClass: {
    Controller: 'The controller that serves Ingresses of the class.',
    Parameters: 'An object with further settings for the controller.',
  },
  Lease: { Holder: 'Who holds the lease.' },
  ListenerSet: { ...ACCEPTED, ...PROGRAMMED },
  Namespace: { Status: 'Active, or Terminating while its objects are being deleted.' },
  Node: {
    Status: 'Whether the node is ready, and whether it takes new pods.',
    Roles: 'What the node is for, by its labels.',
    Version: 'Version of what runs its pods.',
    'Internal-IP': 'Address inside of the cluster.',
    'External-IP': 'Address outside of the cluster.',
    'OS-Image': 'Its operating system.',
    'Kernel-Version': 'Its kernel and architecture.',
    'Container-Runtime': 'What starts its containers.',
  },
  Pod: {
    Ready: 'How many containers are ready, of how many.',
    Status: 'What all containers do, in one word.',
    Restarts: 'How often containers were started again, and when last.',
    IP: 'Its address.',
    Node: 'The node it runs on.',
    'Nominated Node': 'The node it waits for room on.',
    'Readiness Gates': 'How many of its readiness gates are open, of how many.',
  },
  ReplicaSet: {
    Desired: 'How many pods there are to be.',
    Current: 'How many pods there are.',
    Ready: 'How many pods are ready.',
    ...WORKLOAD,
  },
  Secret: { Type: 'What the data is for.', Data: 'How many entries it has.' },
  Service: {
    Type: 'How the Service is reached: ClusterIP, NodePort, LoadBalancer or ExternalName.',
    'Cluster-IP': 'Address inside of the cluster; None for a headless Service.',
    'External-IP': 'Addresses outside of the cluster, or the name it stands for.',
    'Port(s)': 'Ports, with the port on every node where there is one.',
    Selector: 'Labels of the pods behind it.',
  },
  StatefulSet: { Ready: 'How many pods are ready, of how many there are to be.', ...WORKLOAD },
  XMesh: ACCEPTED,
};

/** '' for a column that is not known here. */
export function columnDoc(kind: string, column: string): string {
  return DOCS[kind]?.[column] ?? '';
}
