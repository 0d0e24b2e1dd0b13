// What the proxy runs: plain data in a form that its worker threads can be sent in pieces and that
// needs no further thought to look up. Made by compile.ts, taken apart by patch.ts.

import type { Filter } from '../../model/filter.ts';
import type { ValueMatch } from '../../model/match.ts';
import type { Conduct } from '../../model/conduct.ts';
import type { Guard } from '../../model/guard.ts';
import type {
  ErrorPages,
  Balance,
  Retry,
  RetryBudget,
  Session,
  Timeouts,
} from '../../model/policy.ts';
import type { PortSettings } from '../../model/port-settings.ts';
import type { TextTemplate } from '../../model/template.ts';
import type {
  BackendProtocol,
  BackendTls,
  ClientQuestion,
  ClientValidation,
  EntryProtocol,
  ExternalHost,
  PathChange,
  StreamListener,
} from '../../model/model.ts';

export interface ProxyProgram {
  readonly sockets: readonly SocketProgram[];
  readonly relays: readonly RelayProgram[];
  /** The hosts of each listener that takes requests, by its id, the most specific first. */
  readonly hosts: ReadonlyMap<string, readonly HostName[]>;
  /** One for each hostname of each listener, by `tableKey`. */
  readonly tables: ReadonlyMap<string, TableProgram>;
  readonly backends: ReadonlyMap<string, BackendProgram>;
  readonly certificates: ReadonlyMap<string, CertificateProgram>;
}

/** One listening port of a Gateway. */
export interface SocketProgram {
  /** Of the entry point. */
  readonly id: string;
  readonly addresses: readonly string[];
  readonly port: number;
  readonly protocol: EntryProtocol;
  /** Null when clients need show nothing. */
  readonly clientValidation: ClientValidation | null;
  /** Null when all is the default. */
  readonly settings: PortSettings | null;
  /** Key of the certificate shown to backends that ask for one. */
  readonly backendCertificate: string | null;
  /** Null: Fairway's own way. */
  readonly conduct: Conduct | null;
  /** The most specific first. */
  readonly listeners: readonly ListenerProgram[];
}

export interface HostName {
  readonly hostname: string;
}

/** What a table is known by: `listener|hostname`. */
export function tableKey(listener: string, hostname: string): string {
  return `${listener}|${hostname}`;
}

/** The listener and the hostname of a table. */
export function splitTableKey(key: string): readonly [listener: string, hostname: string] {
  const bar = key.lastIndexOf('|');
  return [key.slice(0, bar), key.slice(bar + 1)];
}

/** Its hosts, which may be thousands and come and go, are not in it. */
export interface ListenerProgram {
  readonly id: string;
  readonly hostname: string;
  readonly certificates: readonly string[];
  /** For narrower server names. */
  readonly named: readonly { readonly hostname: string; readonly certificate: string }[];
  /** Of clients whose handshake names it; null: what the port asks. */
  readonly asks?: ClientQuestion | null;
  /** Null when it takes requests. */
  readonly stream: StreamProgram | null;
}

/** What becomes of connections or datagrams of a listener. */
export interface StreamProgram {
  readonly mode: StreamListener['mode'];
  /** The most specific first. */
  readonly hosts: readonly { readonly hostname: string; readonly rule: StreamRuleProgram }[];
}

export interface StreamRuleProgram {
  readonly id: string;
  readonly backends: readonly WeightedProgram[];
}

/** The rules of one host, grouped by the path they ask for; groups keep the order of precedence. */
export interface TableProgram {
  readonly exact: readonly PathGroup[];
  /** `path` is an expression in RE2 syntax. In order of precedence. */
  readonly regex: readonly PathGroup[];
  readonly prefix: readonly PathGroup[];
}

export interface PathGroup {
  readonly path: string;
  /** Of an expression: any part of the path will do. */
  readonly searches?: true;
  readonly rules: readonly RuleProgram[];
}

export interface RuleProgram {
  readonly method: string | null;
  /** The whole path must match this expression as well. */
  readonly pattern: string | null;
  readonly headers: readonly ValueMatch[];
  readonly queryParams: readonly ValueMatch[];
  readonly cookies: readonly ValueMatch[];
  readonly action: ActionProgram;
}

export interface ActionProgram {
  readonly id: string;
  readonly filters: readonly FilterProgram[];
  readonly result: ResultProgram;
  readonly timeouts: Timeouts | null;
  readonly retry: Retry | null;
  readonly session: Session | null;
  readonly groupsOf: string | null;
  readonly guard: Guard | null;
  readonly hashBy: TextTemplate | null;
  readonly errorPages: ErrorPages | null;
}

/** A filter without its origin, which does not travel to the data path. */
export type FilterProgram = Filter extends infer F
  ? F extends unknown
    ? Omit<F, 'origin'>
    : never
  : never;

export type ResultProgram =
  | { readonly kind: 'forward'; readonly backends: readonly WeightedProgram[] }
  | RedirectProgram
  | { readonly kind: 'respond'; readonly statusCode: number; readonly reason: string };

export interface RedirectProgram {
  readonly kind: 'redirect';
  readonly statusCode: number;
  readonly scheme?: 'http' | 'https';
  readonly hostname?: string;
  readonly port?: number;
  readonly path?: PathChange;
  readonly location?: TextTemplate;
}

export interface WeightedProgram {
  /** Key of the backend; null answers `statusCode` itself, or resets the connection. */
  readonly backend: string | null;
  readonly statusCode: number;
  readonly reason: string;
  /** Not null: answers so, in place of `statusCode`. */
  readonly redirect: RedirectProgram | null;
  readonly weight: number;
  readonly filters: readonly FilterProgram[];
}

export interface BackendProgram {
  readonly key: string;
  readonly protocol: BackendProtocol;
  /** Null for plain text. */
  readonly tls: BackendTls | null;
  /** Absent: leastRequests. */
  readonly balance?: Balance;
  /** Absent: rules alone say how much is tried again. */
  readonly retryBudget?: RetryBudget;
  /** For rules that have none of their own. */
  readonly session?: Session;
  /** Looked up in DNS for endpoints, in place of those below. */
  readonly host?: ExternalHost;
  readonly endpoints: readonly EndpointProgram[];
  readonly draining: readonly EndpointProgram[];
}

export interface EndpointProgram {
  readonly address: string;
  readonly port: number;
}

export interface CertificateProgram {
  readonly key: string;
  readonly chain: string;
  readonly privateKey: string;
  readonly names: readonly string[];
}

/** One address of a Service, relayed connection by connection (TCP) or client by client (UDP). */
export interface RelayProgram {
  /** `service port id|kind|address:port` */
  readonly id: string;
  readonly service: string;
  readonly protocol: 'TCP' | 'UDP';
  /** Empty: the addresses node ports are served on. */
  readonly address: string;
  readonly port: number;
  readonly affinitySeconds: number;
  /** Never empty: an address without endpoints is not listened on, so that it refuses. */
  readonly endpoints: readonly EndpointProgram[];
  /** Lists of networks: a client must be in one network of each. */
  readonly sources: readonly (readonly string[])[];
}
