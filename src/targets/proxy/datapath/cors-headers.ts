// The open form of cross-origin answers: the same fields in every response, and 204 for every OPTIONS.
//
// Budget: 1 µs for a request of a rule that has it.

import { compilePattern } from '../../../lib/regex.ts';
import type { Pattern } from '../../../lib/regex.ts';
import type { HeaderChanges } from '../../../model/filter.ts';
import type { FilterProgram } from '../program.ts';
import type { CrossOrigin } from './cors.ts';
import { fieldValue } from './fields.ts';
import type { Fields } from './stream.ts';

type CorsHeadersProgram = Extract<FilterProgram, { kind: 'corsHeaders' }>;

const NOTHING: HeaderChanges = { set: [], add: [], remove: [] };

export class CorsHeaders implements CrossOrigin {
  readonly #program: CorsHeadersProgram;
  readonly #origins: Pattern | null;

  constructor(program: CorsHeadersProgram) {
    this.#program = program;
    const pattern = program.origins === null ? null : compilePattern(program.origins);
    this.#origins = pattern !== null && 'isIn' in pattern ? pattern : null;
  }

  preflight(method: string, fields: Fields): Fields | null {
    if (method !== 'OPTIONS') return null;
    const { set } = this.changes(fields);
    if (set.length === 0) return null;
    return set.flatMap(({ name, value }) => [name, value]);
  }

  changes(fields: Fields): HeaderChanges {
    const { origins, fields: own } = this.#program;
    const origin = fieldValue(fields, 'origin') ?? '';
    if (origins !== null && this.#origins?.isIn(origin) !== true) return NOTHING;
    const value = origins === null ? '*' : origin;
    return { ...NOTHING, set: [{ name: 'access-control-allow-origin', value }, ...own] };
  }
}
