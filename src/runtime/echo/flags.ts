// Command lines of the echo images, as the two Go flag packages read them: `flag` (whoami, http-echo: `-name=v` and
// `--name v`) and `pflag` (echo-advanced, agnhost: `--name=v`, `--name v`, `-X v`, flags and words mixed).

import { EchoStartError } from './errors.ts';

export interface FlagSet {
  /** Every flag by its long name; a switch takes no following word (`--tls=true`, never `--tls true`). */
  readonly flags: Readonly<Record<string, 'switch' | 'value'>>;
  /** One-letter forms: letter → long name. Only pflag has them. */
  readonly letters?: Readonly<Record<string, string>>;
}

export class Flags {
  readonly words: readonly string[];
  readonly #values: ReadonlyMap<string, readonly string[]>;

  constructor(values: ReadonlyMap<string, readonly string[]>, words: readonly string[]) {
    this.#values = values;
    this.words = words;
  }

  /** Every value given, in order; empty if the flag was not used. */
  all(name: string): readonly string[] {
    return this.#values.get(name) ?? [];
  }

  /** The last value given, which wins; undefined if the flag was not used. */
  last(name: string): string | undefined {
    return this.all(name).at(-1);
  }

  /** A switch: absent is `fallback`, `--x` is true, and so is any of Go's spellings of true. */
  isOn(name: string, fallback = false): boolean {
    const value = this.last(name);
    return value === undefined ? fallback : /^(1|t|T|true|TRUE|True)$/.test(value);
  }

  /** A list flag, which may be repeated and may hold commas; `fallback` if it was not used. */
  list(name: string, fallback: readonly string[] = []): readonly string[] {
    const given = this.all(name);
    return given.length === 0
      ? fallback
      : given.flatMap((value) => (value === '' ? [] : value.split(',')));
  }
}

/** Reads a command line. Throws EchoStartError for an unknown flag or a missing value, as the programs exit. */
export function parseFlags(args: readonly string[], set: FlagSet): Flags {
  const values = new Map<string, string[]>();
  const words: string[] = [];
  for (let at = 0; at < args.length; at += 1) {
    const arg = args[at] ?? '';
    if (arg === '--') {
      words.push(...args.slice(at + 1));
      break;
    }
    if (!arg.startsWith('-') || arg === '-') {
      words.push(arg);
      continue;
    }
    const flag = splitFlag(arg, set);
    const value = flag.value ?? (set.flags[flag.name] === 'switch' ? 'true' : args[(at += 1)]);
    if (value === undefined) {
      throw new EchoStartError('FW_ECHO_CONFIG', `flag needs an argument: ${arg}`);
    }
    values.set(flag.name, [...(values.get(flag.name) ?? []), value]);
  }
  return new Flags(values, words);
}

function splitFlag(arg: string, set: FlagSet): { name: string; value: string | undefined } {
  const letter = arg.startsWith('--') ? undefined : set.letters?.[arg.charAt(1)];
  if (letter !== undefined) {
    const rest = arg.slice(2).replace(/^=/, '');
    return { name: letter, value: rest === '' ? undefined : rest };
  }
  const bare = arg.replace(/^--?/, '');
  const equals = bare.indexOf('=');
  const name = equals === -1 ? bare : bare.slice(0, equals);
  if (!Object.hasOwn(set.flags, name)) {
    throw new EchoStartError('FW_ECHO_CONFIG', `unknown flag: ${arg.replace(/=.*$/s, '')}`);
  }
  return { name, value: equals === -1 ? undefined : bare.slice(equals + 1) };
}
