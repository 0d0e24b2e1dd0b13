// Rules, chains and elements → the words nft reads. Shared by what is shown and what is applied.

import type { Family } from '../../lib/cidr.ts';
import { joinHostPort } from '../../lib/cidr.ts';
import { fieldsText, MASQUERADE_MARK, nftFamily } from './frame.ts';
import type { Chain, Element, Part, Rule } from './program.ts';

export function ruleText(rule: Rule, family: Family): string {
  return rule.map((part) => partText(part, nftFamily(family))).join(' ');
}

function partText(part: Part, ip: 'ip' | 'ip6'): string {
  switch (part.kind) {
    case 'new':
      return 'ct state new';
    case 'translated':
      return 'ct status dnat';
    case 'marked':
      return `meta mark & ${MASQUERADE_MARK} != 0`;
    case 'source':
      return `${ip} saddr ${part.isIn ? '' : '!= '}{ ${part.networks.join(', ')} }`;
    case 'destination':
      return `${ip} daddr ${part.isIn ? '' : '!= '}{ ${part.networks.join(', ')} }`;
    case 'from node':
      return 'fib saddr type local';
    case 'to node':
      return 'fib daddr type local';
    case 'found':
      return `${fieldsText(part.by, ip)} ${part.isIn ? '' : '!= '}@${part.map}`;
    case 'stays':
      return `${ip} saddr @${part.set}`;
    case 'mark':
      return `meta mark set meta mark | ${MASQUERADE_MARK}`;
    case 'unmark':
      return `meta mark set meta mark ^ ${MASQUERADE_MARK}`;
    case 'remember':
      return `update @${part.set} { ${ip} saddr timeout ${part.seconds}s }`;
    case 'look up':
      return `${fieldsText(part.by, ip)} vmap @${part.map}`;
    case 'any of':
      return anyOf(part.chains);
    case 'slot': {
      const key = `${fieldsText(part.by, ip)} . numgen random mod ${part.of}`;
      return `dnat ${ip} to ${key} map @${part.map}`;
    }
    case 'translate':
      return `meta l4proto ${part.protocol} dnat ${ip} to ${joinHostPort(part.address, part.port)}`;
    case 'reset':
      return 'meta l4proto tcp reject with tcp reset';
    case 'jump':
    case 'goto':
      return `${part.kind} ${part.chain}`;
    case 'masquerade':
      return 'masquerade fully-random';
    case 'reject':
    case 'drop':
      return part.kind;
  }
}

function anyOf(chains: readonly string[]): string {
  const [only, ...others] = chains;
  if (only !== undefined && others.length === 0) return `goto ${only}`;
  const verdicts = chains.map((chain, slot) => `${slot} : goto ${chain}`).join(', ');
  return `numgen random mod ${chains.length} vmap { ${verdicts} }`;
}

/** `type nat hook prerouting priority -100;` */
export function hookText({ hook }: Chain): string {
  return hook === undefined ? '' : `type ${hook.type} hook ${hook.hook} priority ${hook.priority};`;
}

/** `10.96.0.1 . tcp . 80 comment "shop/cart:80/TCP" : goto pick-3` */
export function elementText({ key, value, comment }: Element): string {
  const about = comment === undefined ? '' : ` comment ${quoted(comment)}`;
  return `${key}${about}${value === '' ? '' : ` : ${value}`}`;
}

/** nft takes comments of 127 bytes. */
const COMMENT_CHARS_MAX = 120;

export function quoted(text: string): string {
  return `"${text.replaceAll('"', "'").slice(0, COMMENT_CHARS_MAX)}"`;
}
