// The parsers against each other, for as many inputs as asked: bin/node test/fuzz/parsers.ts
//
//   --inputs N   how many requests and as many responses, together; 1,000,000
//   --seed N     where chance begins; another one each time by default, and always printed
//
// Ends with 1 at the first disagreement, with the bytes that show it.

import { parseArgs } from 'node:util';
import { compareRequests, compareResponses } from './compare.ts';
import { randomRequests, randomResponses } from './messages.ts';
import { Random } from './random.ts';

export interface FuzzResult {
  readonly inputs: number;
  readonly agree: number;
  /** Inputs that only our parser refuses. */
  readonly stricter: number;
  /** The first input that is read in two ways, if there is one. */
  readonly difference: { readonly text: string; readonly why: string } | null;
}

export function fuzzParsers(seed: number, inputs: number): FuzzResult {
  const random = new Random(seed);
  let agree = 0;
  let stricter = 0;
  for (let n = 0; n < inputs; n++) {
    const isRequest = n % 2 === 0;
    const text = isRequest ? randomRequests(random) : randomResponses(random);
    const verdict = isRequest ? compareRequests(random, text) : compareResponses(random, text);
    if (verdict.kind === 'differ') {
      return { inputs: n + 1, agree, stricter, difference: { text, why: verdict.why } };
    }
    if (verdict.kind === 'agree') agree++;
    else stricter++;
  }
  return { inputs, agree, stricter, difference: null };
}

if (import.meta.main) {
  const { values } = parseArgs({
    options: { inputs: { type: 'string', default: '1000000' }, seed: { type: 'string' } },
  });
  const seed = values.seed === undefined ? Date.now() >>> 0 : Number(values.seed);
  const began = performance.now();
  const { inputs, agree, stricter, difference } = fuzzParsers(seed, Number(values.inputs));
  const seconds = ((performance.now() - began) / 1000).toFixed(1);
  process.stdout.write(
    `seed ${seed}: ${inputs} inputs in ${seconds} s; read alike ${agree}, refused by ours alone ${stricter}\n`,
  );
  if (difference !== null) {
    process.stdout.write(`${difference.why}\n${JSON.stringify(difference.text)}\n`);
    process.exitCode = 1;
  }
}
