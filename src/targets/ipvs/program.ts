// What the IPVS target runs: virtual servers, sets of addresses, and rules of iptables that look into
// the sets and whose number does not grow with Services.

import type { Family } from '../../lib/cidr.ts';
import type { Origin } from '../../model/model.ts';

export interface IpvsProgram {
  readonly families: readonly IpvsFamily[];
}

export interface IpvsFamily {
  readonly family: Family;
  /** All sets there are, also those without entries. */
  readonly sets: readonly AddressSet[];
  /** Rules of built-in chains: where packets enter. */
  readonly hooks: readonly Hook[];
  readonly chains: readonly Chain[];
  /** In order of their ids. A port that did not change is the same object as before. */
  readonly ports: readonly IpvsPort[];
}

/** Schedulers that kernels have, as `ipvsadm -s` takes them. */
export const IPVS_SCHEDULERS = [
  'rr',
  'wrr',
  'lc',
  'wlc',
  'lblc',
  'lblcr',
  'dh',
  'sh',
  'sed',
  'nq',
  'mh',
  'fo',
  'ovf',
] as const;
export type IpvsScheduler = (typeof IPVS_SCHEDULERS)[number];

/** What IPVS has to know of each address a client may dial. */
export interface IpvsPort {
  /** `shop/cart:80/TCP` */
  readonly id: string;
  readonly origin: Origin;
  readonly servers: readonly VirtualServer[];
  readonly entries: readonly SetEntry[];
  /** Addresses that the node takes for its own, on the dummy device. */
  readonly addresses: readonly string[];
}

export interface VirtualServer {
  readonly transport: Transport;
  readonly address: string;
  readonly port: number;
  readonly scheduler: IpvsScheduler;
  /** How long a client stays with its endpoint; 0 for not at all. */
  readonly persistSeconds: number;
  /** Empty: who dials it is refused. */
  readonly destinations: readonly Destination[];
}

export type Transport = 'tcp' | 'udp' | 'sctp';

export interface Destination {
  readonly address: string;
  readonly port: number;
}

export interface AddressSet {
  readonly name: string;
  /** Words of `ipset create` after the name. */
  readonly type: string;
}

export interface SetEntry {
  /** Name of the set. */
  readonly set: string;
  /** `10.96.0.1,tcp:80` */
  readonly entry: string;
}

export type Table = 'mangle' | 'nat' | 'filter';

export interface Hook {
  readonly table: Table;
  readonly chain: 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';
  /** Without `-A CHAIN`. */
  readonly rule: string;
}

/** A chain of ours, after those it goes to. */
export interface Chain {
  readonly table: Table;
  readonly name: string;
  /** Without `-A CHAIN`. */
  readonly rules: readonly string[];
}
