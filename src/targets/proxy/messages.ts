// What the control plane and a worker thread of the data path say to each other.

import type { OutsideRules } from '../../lib/outside.ts';
import type { Limits } from './datapath/limits.ts';
import type { Observation } from './datapath/observe/observer.ts';
import type { PathPolicy } from '../../lib/http-path.ts';
import type { Patch } from './patch.ts';

/** What hosts outside may be (lib/outside.ts), and who knows their addresses. */
export interface ExternalRules extends OutsideRules {
  /** `192.0.2.1`, `[2001:db8::1]:53`; empty for those of the machine. */
  readonly nameservers: readonly string[];
}

/** What a worker is born with. */
export interface WorkerInit {
  readonly index: number;
  /** What it counts (datapath/tally.ts). It outlives the worker. */
  readonly tally: SharedArrayBuffer;
  readonly limits: Limits;
  readonly pathPolicy: PathPolicy;
  readonly explains: boolean;
  readonly external: ExternalRules;
  readonly observation: Observation;
  /** 48 random bytes, the same for all workers. */
  readonly ticketKeys: Uint8Array;
}

/** One number is two ports. */
export type Transport = 'tcp' | 'udp';

/** A local address that leads to an entry point. */
export interface Binding {
  /** Id of the entry point. */
  readonly socket: string;
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
  /** Where the entry points of the Gateway are reached on this address, by the port they ask for. */
  readonly ports: readonly (readonly [number, number])[];
}

/** An address that a relay listens on. */
export interface RelayBinding {
  /** Id of the relay. */
  readonly relay: string;
  readonly address: string;
  /** Of the Service, or another one where that cannot be opened. */
  readonly port: number;
}

export type ToWorker =
  | {
      readonly kind: 'apply';
      readonly generation: number;
      readonly patch: Patch;
      /** All of them, as they are to be. */
      readonly bindings: readonly Binding[];
      /** Those of this worker, all of them. */
      readonly relays: readonly RelayBinding[];
    }
  | {
      readonly kind: 'stop';
      /** Finish what is running, at most for that long, then end. */
      readonly graceMs: number;
      /**
       * Somebody else listens on the same ports already: for so long, connections that have nothing to do
       * may bring one more request, which is answered and told to be the last.
       */
      readonly lastRequestsMs: number;
    };

export type FromWorker =
  | {
      readonly kind: 'applied';
      readonly generation: number;
      readonly failures: readonly BindFailure[];
      /** How long the worker served nothing while it changed programs. */
      readonly swapMs: number;
    }
  | { readonly kind: 'stopped' }
  /** Not asked for: which hosts lead nowhere but inside has changed. All of them, as they are now. */
  | { readonly kind: 'hosts'; readonly forbidden: readonly ForbiddenHost[] };

/** What answers a question. */
export type Answer = Exclude<FromWorker, { readonly kind: 'hosts' }>;

/** A host that requests are not sent to, because none of its addresses is outside. */
export interface ForbiddenHost {
  /** Key of the backend. */
  readonly backend: string;
  readonly name: string;
  /** The first of its addresses, and what it is, to follow `127.0.0.1 is `. */
  readonly address: string;
  readonly why: string;
  /** We listen there ourselves: allowing the network does not help. */
  readonly isOurs: boolean;
}

export interface BindFailure {
  /** Id of the entry point or relay. */
  readonly id: string;
  readonly address: string;
  readonly port: number;
  readonly transport: Transport;
  /** As EADDRINUSE. */
  readonly code: string;
}
