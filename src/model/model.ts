// The resolved traffic model: everything that decides where a request or a packet goes, and nothing
// else. The narrow waist of the house: resolve/ makes it, every target reads it (next on the tour:
// ../targets/proxy/compile.ts). No Kubernetes types in here: references are resolved, defaults
// applied, precedence is the order of the lists. Whoever reads a list takes the first that matches.

import type { PathTemplate } from '../lib/path-template.ts';
import type { Filter } from './filter.ts';
import type { Match } from './match.ts';
import type { Conduct } from './conduct.ts';
import type { Guard } from './guard.ts';
import type { Balance, ErrorPages, Retry, RetryBudget, Session, Timeouts } from './policy.ts';
import type { PortSettings } from './port-settings.ts';
import type { TextTemplate } from './template.ts';

/** The object and the field something in the model comes from. */
export interface Origin {
  readonly kind: string;
  /** Empty for objects of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
  /** As `spec.rules[0].matches[1]`; empty for the whole object. */
  readonly field: string;
}

export interface Model {
  /** Sorted by id. */
  readonly entryPoints: readonly EntryPoint[];
  /** Where rules send requests, by key. */
  readonly backends: ReadonlyMap<string, Backend>;
  /** What listeners present to clients, by key. */
  readonly certificates: ReadonlyMap<string, Certificate>;
  /** Sorted by id. */
  readonly services: readonly ServicePort[];
}

/** One port of one Gateway, or of one Ingress controller: where connections from clients come in. */
export interface EntryPoint {
  /** `namespace/gateway:port`, and `…:port/udp` for UDP. Of an Ingress controller, `example.com/name:port`. */
  readonly id: string;
  /** `namespace/name` of the Gateway, or the name of the Ingress controller. */
  readonly gateway: string;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly protocol: EntryProtocol;
  /** What clients must show on the listeners of this port that take requests in TLS. */
  readonly clientValidation?: ClientValidation;
  /** Absent: all is the default. */
  readonly settings?: PortSettings;
  /** Key of the certificate that is shown to backends that ask for one. */
  readonly backendCertificate?: string;
  /** How requests are read and handed on, where that is not Fairway's own way. */
  readonly conduct?: Conduct;
  /** The most specific hostname first; a request belongs to the first one that takes its host. */
  readonly listeners: readonly Listener[];
}

/** Asks clients for a certificate. */
export interface ClientValidation {
  /** Clients whose certificate does not descend from the authorities, or who have none, are refused. */
  readonly isRequired: boolean;
  /** PEM. */
  readonly authorities: readonly string[];
  /** Lists of certificates that are valid no longer, in PEM; absent for none. */
  readonly revoked?: readonly string[];
}

/** Asks clients of one listener for a certificate. What it must be like is for guards to say. */
export interface ClientQuestion extends ClientValidation {
  /** Of what it is asked by: authorities and lists. */
  readonly id: string;
  readonly isRequired: false;
}

/**
 * What connections are taken as. With https they begin with TLS that ends here. With tls it is each
 * listener that says so, and the server name says which listener. With tcp and udp bytes are bytes.
 */
export type EntryProtocol = 'http' | 'https' | 'tls' | 'tcp' | 'udp';

export interface Listener {
  /** `namespace/gateway/listener` */
  readonly id: string;
  readonly name: string;
  /** Exact name, `*.suffix`, or empty for every host. */
  readonly hostname: string;
  /** Keys of the certificates, the first one the default. Empty without TLS. */
  readonly certificates: readonly string[];
  /** Certificates for narrower server names than the listener's own; the most specific first. */
  readonly named?: readonly { readonly hostname: string; readonly certificate: string }[];
  /** What clients are asked for whose handshake names this listener; absent: what the port asks. */
  readonly asks?: ClientQuestion;
  /** The most specific hostname first. A request none of whose rules match goes on to the next host. */
  readonly hosts: readonly Host[];
  /** Set when it takes connections or datagrams as they are, and not requests: `hosts` is empty then. */
  readonly stream?: StreamListener;
  readonly origin: Origin;
}

/** A listener that hands on whole connections, or datagrams. */
export interface StreamListener {
  /** passthrough: TLS goes on to the backend untouched. terminate: it ends here. plain: there is none. */
  readonly mode: 'passthrough' | 'terminate' | 'plain';
  /** The most specific hostname first. What no host takes is reset, or dropped if a datagram. */
  readonly hosts: readonly StreamHost[];
}

/** Where connections for one server name go; of plain ones, all of them. */
export interface StreamHost {
  readonly hostname: string;
  readonly rule: StreamRule;
}

/** The one rule of a TLSRoute, TCPRoute or UDPRoute. */
export interface StreamRule {
  /** `TCPRoute shop/database rule 0` */
  readonly id: string;
  /** Connections go to one of them by weight. When all weigh 0, every connection is reset. */
  readonly backends: readonly StreamBackend[];
  readonly origin: Origin;
}

export interface StreamBackend {
  /** Key into Model.backends; null when the reference is broken: its share is reset or dropped. */
  readonly backend: string | null;
  readonly weight: number;
  /** Why, when `backend` is null. */
  readonly reason?: string;
  readonly origin: Origin;
}

/** The rules for one hostname of a listener. */
export interface Host {
  readonly hostname: string;
  /** In order of precedence: the first that matches takes the request. */
  readonly rules: readonly Rule[];
}

/** One match of one rule of a route, and what becomes of a request it takes. */
export interface Rule {
  readonly match: Match;
  readonly action: Action;
  readonly origin: Origin;
}

/** Shared by all matches of one rule of a route. */
export interface Action {
  /** Names the rule in logs, answers and tables: `HTTPRoute shop/storefront rule 0`. */
  readonly id: string;
  /** Applied in this order before the request is forwarded, and, where they concern it, to the response. */
  readonly filters: readonly Filter[];
  readonly result: Result;
  readonly timeouts?: Timeouts;
  readonly retry?: Retry;
  readonly session?: Session;
  /** The expression whose groups templates of this action speak of: it is found in the path. */
  readonly groupsOf?: string;
  /** What a request must pass before anything else is done for it. */
  readonly guard?: Guard;
  /** Requests with the same text go to the same endpoint, as long as it is there. */
  readonly hashBy?: TextTemplate;
  /** Statuses in whose place another backend answers. */
  readonly errorPages?: ErrorPages;
  readonly origin: Origin;
}

export type Result = ForwardResult | RedirectResult | RespondResult;

/** To one of the backends, by weight. */
export interface ForwardResult {
  readonly kind: 'forward';
  /** Weights add up to more than 0. */
  readonly backends: readonly WeightedBackend[];
}

export interface RedirectResult {
  readonly kind: 'redirect';
  readonly statusCode: number;
  /** Absent parts are taken from the request. */
  readonly scheme?: 'http' | 'https';
  readonly hostname?: string;
  /** Absent: the scheme's own port if `scheme` is given, else the listener's. */
  readonly port?: number;
  readonly path?: PathChange;
  /** All of the Location, in place of the parts above. */
  readonly location?: TextTemplate;
  readonly origin: Origin;
}

/** Answered by Fairway itself, because the rule has nowhere to send the request. */
export interface RespondResult {
  readonly kind: 'respond';
  readonly statusCode: number;
  /** Why, for whoever asks. */
  readonly reason: string;
}

/**
 * How a path is rewritten. `prefix` is the matched prefix that is replaced. A path that `pattern`, an
 * expression in RE2 syntax known to compile, does not take whole stays as it is.
 */
export type PathChange =
  | { readonly kind: 'regex'; readonly pattern: string; readonly template: PathTemplate }
  | SearchChange
  | { readonly kind: 'full'; readonly value: string }
  | { readonly kind: 'prefix'; readonly prefix: string; readonly value: string };

/**
 * A path in which `pattern` is found becomes the template as a whole, which may have a query of its own
 * before that of the request. Where it is not found, all stays as it is.
 */
export interface SearchChange {
  readonly kind: 'search';
  readonly pattern: string;
  readonly template: PathTemplate;
  readonly query?: PathTemplate;
  /** Drops the query of the request. */
  readonly dropsQuery?: true;
}

export interface WeightedBackend {
  /** Key into Model.backends; null when the reference is broken: its share of requests gets `status`. */
  readonly backend: string | null;
  readonly weight: number;
  /** Applied after the choice, to requests to this backend only. */
  readonly filters: readonly Filter[];
  /** Set when `backend` is null, and nothing else answers in its place. */
  readonly broken?: RespondResult;
  /** What its share of the requests is answered with; `backend` is null. */
  readonly redirect?: RedirectResult;
  readonly origin: Origin;
}

/** A group of interchangeable endpoints that requests are sent to. */
export interface Backend {
  /** `Service shop/cart:8080` */
  readonly key: string;
  readonly protocol: BackendProtocol;
  /** Set when it is spoken to in TLS. */
  readonly tls?: BackendTls;
  /** Absent: leastRequests. */
  readonly balance?: Balance;
  /** What holds for retries to it, whichever rule makes them; absent: no bound but the rule's. */
  readonly retryBudget?: RetryBudget;
  /** Keeps clients with an endpoint where the rule does not say how. */
  readonly session?: Session;
  /** A host outside that is looked up in DNS, in place of endpoints. */
  readonly host?: ExternalHost;
  /** Why it cannot be spoken to at all, though it may have endpoints; they are left out. */
  readonly fault?: string;
  /** Sorted by address and port. */
  readonly endpoints: readonly Endpoint[];
  readonly origin: Origin;
}

/** A name that whoever sends requests looks up, and the port there. */
export interface ExternalHost {
  /** In lower case, without a dot at the end. */
  readonly name: string;
  readonly port: number;
}

/** How a backend is spoken to in TLS, and which certificates of it are good. */
export interface BackendTls {
  /** The server that is asked for in the handshake. */
  readonly serverName: string;
  /** What its certificate must descend from: the system's authorities, or these in PEM. */
  readonly authorities: 'system' | readonly string[];
  /** Its certificate must be for one of them. */
  readonly names: readonly CertificateName[];
  /** Any certificate will do. */
  readonly isUnverified?: true;
  /** Key of the certificate it is shown if it asks for one; absent: that of the entry point. */
  readonly certificate?: string;
  readonly origin: Origin;
}

/** A DNS name, or a URI such as `spiffe://cluster.example/ns/shop/sa/cart`. */
export interface CertificateName {
  readonly kind: 'dns' | 'uri';
  readonly value: string;
}

/**
 * What is spoken to a backend: HTTP/1.1, HTTP/2 by prior knowledge, HTTP/1.1 made for WebSocket, or
 * whatever the connections and datagrams carry that are handed on.
 */
export type BackendProtocol = 'http' | 'h2c' | 'ws' | 'tcp' | 'udp';

/** One place that serves a backend or a service port. */
export interface Endpoint {
  readonly address: string;
  readonly port: number;
  /** Takes new connections. */
  readonly ready: boolean;
  /** Still answers, though it may be about to end. */
  readonly serving: boolean;
  readonly terminating: boolean;
  /** Where it runs; empty when unknown. */
  readonly node: string;
  readonly zone: string;
  /** What it is, for people: `Pod shop/cart-7d9f-x2x4`. */
  readonly target: string;
  /** Whose traffic it should take, where somebody has said so. */
  readonly hints?: { readonly zones: readonly string[]; readonly nodes: readonly string[] };
}

export interface Certificate {
  /** `Secret shop/tls` */
  readonly key: string;
  /** PEM, the server's own certificate first. */
  readonly chain: string;
  /** PEM. Never printed. */
  readonly privateKey: string;
  /** DNS names it is good for, from its subject alternative names. */
  readonly names: readonly string[];
  readonly origin: Origin;
}

/** One port of one Service, as the packets' world sees it. */
export interface ServicePort {
  /** `namespace/name:port/protocol`, the port by number */
  readonly id: string;
  /** `namespace/name` of the Service. */
  readonly service: string;
  readonly portName: string;
  readonly protocol: 'TCP' | 'UDP' | 'SCTP';
  /** Where clients dial it. Sorted by kind, address and port. */
  readonly frontends: readonly Frontend[];
  /** Seconds a client stays with its endpoint; 0 without session affinity. */
  readonly affinitySeconds: number;
  readonly internalPolicy: TrafficPolicy;
  readonly externalPolicy: TrafficPolicy;
  /** Networks that may use the addresses of load balancers; absent: every one. */
  readonly sourceRanges?: readonly string[];
  /** Where load balancers ask a node for endpoints of its own; absent where they do not. */
  readonly healthCheckNodePort?: number;
  /** Sorted by address and port. */
  readonly endpoints: readonly Endpoint[];
  readonly origin: Origin;
}

/** Which endpoints count: all of the cluster's, or those of the node the packet is on. */
export type TrafficPolicy = 'Cluster' | 'Local';

export interface Frontend {
  readonly kind: 'clusterIP' | 'nodePort' | 'loadBalancer' | 'externalIP';
  /** Empty for nodePort: every address of the node that serves node ports. */
  readonly address: string;
  readonly port: number;
}
