// A packet somebody might send, and what becomes of it on a node: the question and the answer that the
// reference (trace-packet.ts), every target that programs a kernel, and real sockets agree on.

import type { Step } from './answer.ts';

/** The first packet of a connection, or a datagram, as it reaches a node or leaves a process on it. */
export interface PacketProbe {
  readonly transport: 'tcp' | 'udp' | 'sctp';
  /** The address of whoever sends it. */
  readonly source: string;
  /** The address dialled. */
  readonly address: string;
  readonly port: number;
}

export type PacketFate =
  /** To one of the endpoints. */
  | {
      readonly kind: 'forward';
      /** `address:port`, sorted. */
      readonly endpoints: readonly string[];
      /** Those of them that see the node's address in place of the client's, sorted. */
      readonly masqueraded: readonly string[];
      /** Seconds a client stays with its endpoint; 0 when every packet is decided anew. */
      readonly affinitySeconds: number;
    }
  /** Refused at once: the client sees an error. */
  | { readonly kind: 'reject' }
  /** Dropped without a word. */
  | { readonly kind: 'drop' }
  /** No Service has to do with it: it goes where the network takes it. */
  | { readonly kind: 'pass' };

export interface PacketAnswer {
  readonly fate: PacketFate;
  readonly steps: readonly Step[];
}
