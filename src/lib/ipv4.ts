// IPv4 addresses and ranges as unsigned 32-bit numbers.

export interface Range {
  /** The network address. */
  readonly first: number;
  /** The broadcast address. */
  readonly last: number;
}

/** The number of a dotted address; undefined when it is none. Leading zeros are refused. */
export function parseIPv4(text: string): number | undefined {
  const parts = text.split('.');
  if (parts.length !== 4) return undefined;
  let value = 0;
  for (const part of parts) {
    if (!/^(?:0|[1-9][0-9]{0,2})$/.test(part)) return undefined;
    const byte = Number(part);
    if (byte > 255) return undefined;
    value = value * 256 + byte;
  }
  return value;
}

export function formatIPv4(value: number): string {
  return [24, 16, 8, 0].map((shift) => (value >>> shift) & 0xff).join('.');
}

/** The range of a CIDR such as `127.96.0.0/16`; undefined when it is none. Host bits are ignored. */
export function parseRange(cidr: string): Range | undefined {
  const [address = '', bits = ''] = cidr.split('/');
  const value = parseIPv4(address);
  if (value === undefined || !/^(?:[0-9]|[12][0-9]|3[0-2])$/.test(bits)) return undefined;
  const size = 2 ** (32 - Number(bits));
  const first = Math.floor(value / size) * size;
  return { first, last: first + size - 1 };
}

export function rangeHas(range: Range, value: number): boolean {
  return value >= range.first && value <= range.last;
}
