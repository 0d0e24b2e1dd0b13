// The string formats a CustomResourceDefinition may name and the API server checks. Any other format
// is for people.

import { cidrFamily, parseIp } from '../core/ip.ts';
import { isDateTime, isIPv4, isIPv6 } from '../schema/formats.ts';

const UUID = /^[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}$/i;
const HOSTNAME =
  /^(?=.{1,255}$)[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?(?:\.[0-9A-Za-z](?:[0-9A-Za-z-]{0,61}[0-9A-Za-z])?)*\.?$/;
const MAC =
  /^(?:[0-9a-f]{2}([:-])(?:[0-9a-f]{2}\1){4}[0-9a-f]{2}|(?:[0-9a-f]{4}\.){2}[0-9a-f]{4})$/i;
const DURATION_WORDS =
  /^\s*\d+(?:\.\d+)?\s*(?:n|us?|micro\w*|m|min\w*|ms|milli\w*|s|sec\w*|h|hr|hour\w*|d|day\w*|w|wk|week\w*|ns|nano\w*)\b/i;
const GO_DURATION = /^[+-]?(?:0|(?:(?:\d+(?:\.\d*)?|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+)$/;

const FORMATS: ReadonlyMap<string, (text: string) => boolean> = new Map<
  string,
  (text: string) => boolean
>([
  ['date-time', isDateTime],
  ['datetime', isDateTime],
  ['date', (text) => isDateTime(`${text}T00:00:00Z`)],
  ['duration', (text) => GO_DURATION.test(text) || DURATION_WORDS.test(text)],
  ['byte', (text) => /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0],
  ['ipv4', (text) => isIPv4(text, true)],
  ['ipv6', isIPv6],
  ['ip', (text) => parseIp(text) !== undefined],
  ['cidr', (text) => cidrFamily(text) !== undefined],
  ['mac', (text) => MAC.test(text)],
  ['uri', (text) => URL.canParse(text) || text.startsWith('/')],
  ['hostname', (text) => HOSTNAME.test(text)],
  ['email', (text) => /^[^\s@<>]+@[^\s@<>]+$/.test(text)],
  ['uuid', (text) => UUID.test(text)],
  ['uuid3', (text) => UUID.test(text) && /^.{8}-?.{4}-?3/.test(text)],
  ['uuid4', (text) => UUID.test(text) && /^.{8}-?.{4}-?4.{3}-?[89ab]/i.test(text)],
  ['uuid5', (text) => UUID.test(text) && /^.{8}-?.{4}-?5.{3}-?[89ab]/i.test(text)],
  ['hexcolor', (text) => /^#?(?:[0-9a-f]{3}|[0-9a-f]{6})$/i.test(text)],
  ['bsonobjectid', (text) => /^[0-9a-f]{24}$/i.test(text)],
]);

/** True when the text has the format, and when nobody checks the format. */
export function hasFormat(format: string, text: string): boolean {
  return FORMATS.get(format)?.(text) ?? true;
}
