// String formats, read as the API server reads them. Only what it checks is here: any other format in
// a schema is for people.

const OCTET = '(?:25[0-5]|2[0-4]\\d|1\\d\\d|[1-9]?\\d)';
const IPV4 = new RegExp(`^${OCTET}(?:\\.${OCTET}){3}$`);
const IPV4_ZEROS = new RegExp(`^0*${OCTET}(?:\\.0*${OCTET}){3}$`);
const IPV6_GROUP = /^[0-9a-fA-F]{1,4}$/;
const DATE_TIME =
  /^(\d{4}-\d{2}-\d{2})[tT](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d+)?(?:[zZ]|[+-]\d{2}:\d{2})$/;

/**
 * An IPv4 address in dotted form. Kubernetes still takes leading zeros where old objects may have
 * them (`010.0.0.1`, read as decimal); `leadingZeros` says that this is such a place.
 */
export function isIPv4(text: string, leadingZeros = false): boolean {
  return (leadingZeros ? IPV4_ZEROS : IPV4).test(text);
}

/** An IPv6 address without zone; the last four bytes may be dotted. */
export function isIPv6(text: string): boolean {
  const halves = text.split('::');
  if (halves.length > 2) return false;
  const groups = halves.flatMap((half) => (half === '' ? [] : half.split(':')));
  let count = groups.length;
  const last = groups.at(-1);
  if (last?.includes('.') === true) {
    if (!text.endsWith(last) || !isIPv4(last)) return false;
    groups.pop();
    count++;
  }
  return (
    groups.every((group) => IPV6_GROUP.test(group)) &&
    (halves.length === 2 ? count < 8 : count === 8)
  );
}

/** A date and time of RFC 3339, on a day that exists. */
export function isDateTime(text: string): boolean {
  const day = DATE_TIME.exec(text)?.[1];
  if (day === undefined) return false;
  const date = new Date(`${day}T00:00:00Z`);
  return !Number.isNaN(date.getTime()) && date.toISOString().startsWith(day);
}
