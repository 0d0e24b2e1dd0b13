// Field lists for tests, filled as the HPACK decoder fills them.

import { FieldList } from '../field-list.ts';
import { Decoder, scratchBytesFor } from '../hpack/decoder.ts';
import { SecretNames } from '../hpack/secret-names.ts';
import { block } from './wire.ts';

/** A list of these fields, with their kinds. */
export function readList(
  fields: readonly (readonly [name: string, value: string])[],
  sizeBytesMax = 32 * 1024,
): FieldList {
  const bytes = block(...fields);
  const list = new FieldList(100);
  list.reset(sizeBytesMax);
  const decoder = new Decoder(Buffer.alloc(scratchBytesFor(bytes.length)), new SecretNames());
  if (!decoder.decode(bytes, 0, bytes.length, list)) throw new Error('invalid block');
  return list;
}
