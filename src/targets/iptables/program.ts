// What the iptables target runs, as lines of iptables-restore: the chains that kube-proxy made known, and
// for each port of a Service its own chains and its rules in the common ones.

import type { Family } from '../../lib/cidr.ts';
import type { Origin } from '../../model/model.ts';

export interface IptablesProgram {
  readonly families: readonly IptablesFamily[];
}

export interface IptablesFamily {
  readonly family: Family;
  /** Rules of built-in chains, as `nat PREROUTING …`: where packets enter. */
  readonly hooks: readonly Hook[];
  /** Chains that are there whatever Services there are, with the rules before those of Services. */
  readonly frame: readonly CommonChain[];
  /** In order of their ids. A port that did not change is the same object as before. */
  readonly ports: readonly IptablesPort[];
}

export type Table = 'nat' | 'filter';

export interface Hook {
  readonly table: Table;
  readonly chain: 'PREROUTING' | 'INPUT' | 'FORWARD' | 'OUTPUT' | 'POSTROUTING';
  /** Without `-A CHAIN`. */
  readonly rule: string;
}

export interface CommonChain {
  readonly table: Table;
  readonly name: string;
  readonly first: readonly string[];
  readonly last: readonly string[];
}

export interface IptablesPort {
  /** `shop/cart:80/TCP` */
  readonly id: string;
  readonly origin: Origin;
  /** Of the nat table, each after those it goes to. */
  readonly chains: readonly OwnChain[];
  readonly rules: readonly CommonRule[];
}

export interface OwnChain {
  readonly name: string;
  /** Without `-A CHAIN`. */
  readonly rules: readonly string[];
}

/** A rule in a chain that all ports share. */
export interface CommonRule {
  readonly table: Table;
  readonly chain: string;
  readonly rule: string;
}
