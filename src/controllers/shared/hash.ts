// Names that follow from what they name, where Kubernetes takes random ones: the same objects get the
// same names on every machine. The letters are Kubernetes' own, which spell no words.

const LETTERS = 'bcdfghjklmnpqrstvwxz2456789';

const SUFFIX_LENGTH = 5;

/** A 32-bit hash of a text (FNV-1a), its bits mixed so that neighbours end up far apart. */
export function hash32(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** Five letters that follow from a seed, as in `web-5d4f8b7c6-x2k9q`. */
function nameSuffix(seed: string): string {
  let rest = hash32(seed);
  let suffix = '';
  for (let i = 0; i < SUFFIX_LENGTH; i++) {
    suffix += LETTERS[rest % LETTERS.length];
    rest = Math.floor(rest / LETTERS.length);
  }
  return suffix;
}

/** Ten letters at most that follow from a JSON value, whatever the order of its keys. */
export function valueHash(value: unknown, collisionCount = 0): string {
  const salt = collisionCount === 0 ? '' : String(collisionCount);
  const digits = String(hash32(canonicalJson(value) + salt));
  return Array.from(digits, (digit) => LETTERS[digit.charCodeAt(0) % LETTERS.length]).join('');
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_key, part: unknown) =>
    typeof part === 'object' && part !== null && !Array.isArray(part)
      ? Object.fromEntries(
          Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)),
        )
      : part,
  );
}

/**
 * Names `<base><suffix>` that are free, one with every call, beginning with the lowest ordinal. Kubernetes
 * cuts the base so that the whole stays within the 63 characters of a DNS label.
 */
export function freeNames(
  base: string,
  seed: string,
  isTaken: (name: string) => boolean,
): () => string {
  const kept = base.slice(0, 63 - SUFFIX_LENGTH);
  const given = new Set<string>();
  let ordinal = 0;
  return () => {
    for (;;) {
      const name = `${kept}${nameSuffix(`${seed}/${ordinal++}`)}`;
      if (isTaken(name) || given.has(name)) continue;
      given.add(name);
      return name;
    }
  };
}
