// What the nftables target runs: for each family of addresses a table with a fixed frame of chains,
// chains that Services of one shape share, and for each port of a Service its elements of the maps.
// Rules are data, so that render.ts can write them and trace.ts can follow them.

import type { Family } from '../../lib/cidr.ts';
import type { Origin } from '../../model/model.ts';

export interface NftProgram {
  readonly families: readonly FamilyProgram[];
}

export interface FamilyProgram {
  readonly family: Family;
  readonly podCidrs: readonly string[];
  /** Whether there is anything to do: a family without Services and their range needs no table. */
  readonly isUsed: boolean;
  /** Hooks, and what is the same for every Service. */
  readonly frame: readonly Chain[];
  /** Chains that ports share, by name, in order of their names. */
  readonly shared: ReadonlyMap<string, Chain>;
  /** In order of their ids. A port that did not change is the same object as before. */
  readonly ports: readonly PortProgram[];
}

export interface PortProgram {
  /** `shop/cart:80/TCP` */
  readonly id: string;
  readonly origin: Origin;
  readonly elements: readonly Element[];
  /** Chains of its own: only with session affinity. Each comes after those it goes to. */
  readonly chains: readonly Chain[];
  readonly affinities: readonly AffinitySet[];
  /** Shared chains it goes to; each comes after those it goes to. */
  readonly uses: readonly Chain[];
}

/** Maps of endpoints: of each protocol its own (frame.ts says why), for addresses and for node ports. */
export type SlotMapName = `${'' | 'udp-' | 'sctp-'}${'' | 'node-port-'}${'' | 'local-'}slots`;

/** The maps and sets of a table. Keys of each are in maps.ts. */
export type MapName =
  | 'services'
  | 'node-ports'
  | SlotMapName
  | 'closed'
  | 'closed-node-ports'
  | 'guarded'
  | 'allowed'
  | 'hairpin';

export interface Element {
  readonly map: MapName;
  /** As nft writes it: `10.96.0.1 . tcp . 80`. */
  readonly key: string;
  /** A verdict or an endpoint; empty in sets. */
  readonly value: string;
  readonly comment?: string;
}

/** Clients that stay with an endpoint, each forgotten after the time. */
export interface AffinitySet {
  readonly name: string;
  readonly seconds: number;
}

export interface Chain {
  readonly name: string;
  readonly hook?: {
    readonly type: 'filter' | 'nat';
    readonly hook: Hook;
    readonly priority: number;
  };
  /** What it is for, for people. */
  readonly comment?: string;
  readonly rules: readonly Rule[];
}

export type Hook = 'prerouting' | 'input' | 'forward' | 'output' | 'postrouting';

/** What a packet must be, and what is done with one that is. */
export type Rule = readonly Part[];

/** What of a packet is looked up. */
export type Fields = 'frontend' | 'node-port' | 'frontend-source' | 'flow';

export type Part =
  | { readonly kind: 'new' }
  | { readonly kind: 'translated' }
  | { readonly kind: 'marked' }
  | { readonly kind: 'source'; readonly isIn: boolean; readonly networks: readonly string[] }
  | { readonly kind: 'destination'; readonly isIn: boolean; readonly networks: readonly string[] }
  | { readonly kind: 'from node' }
  | { readonly kind: 'to node' }
  | { readonly kind: 'found'; readonly isIn: boolean; readonly map: MapName; readonly by: Fields }
  | { readonly kind: 'stays'; readonly set: string }
  | { readonly kind: 'mark' }
  | { readonly kind: 'unmark' }
  | { readonly kind: 'remember'; readonly set: string; readonly seconds: number }
  | { readonly kind: 'look up'; readonly map: MapName; readonly by: Fields }
  | { readonly kind: 'any of'; readonly chains: readonly string[] }
  | { readonly kind: 'slot'; readonly map: SlotMapName; readonly by: Fields; readonly of: number }
  | {
      readonly kind: 'translate';
      readonly protocol: string;
      readonly address: string;
      readonly port: number;
    }
  /** Refuses connections in their own language, TCP: unlike an ICMP message, never held back. */
  | { readonly kind: 'reset' }
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'reject' | 'drop' | 'masquerade' };
