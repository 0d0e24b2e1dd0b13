// The end of a generated name: five characters that spell no word and are not taken for one another
// (k8s.io/apimachinery/pkg/util/rand).

import { randomInt } from 'node:crypto';

const ALPHABET = 'bcdfghjklmnpqrstvwxz2456789';
const SUFFIX_CHARS = 5;

export function randomSuffix(): string {
  return Array.from({ length: SUFFIX_CHARS }, () => ALPHABET[randomInt(ALPHABET.length)]).join('');
}
