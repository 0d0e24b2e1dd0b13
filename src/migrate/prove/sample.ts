// Texts that a regular expression takes: one with the least of everything, one with other alternatives, one
// with more. No expression is understood in full; whoever uses a sample asks the expression again.

/** Characters of a sample. */
const SAMPLE_CHARS_MAX = 200;

/** Up to `count` different texts. Those that the expression does not take may be among them. */
export function samplesOf(expression: string, count = 4): readonly string[] {
  const text = expression.replace(/^\(\?[a-zA-Z]+\)/, '');
  const out = new Set<string>();
  for (let variant = 0; variant < count; variant++) {
    const sampled = new Sampler(text, variant).run();
    if (sampled.length <= SAMPLE_CHARS_MAX) out.add(sampled);
  }
  return [...out];
}

class Sampler {
  readonly #text: string;
  readonly #variant: number;
  #at = 0;

  constructor(text: string, variant: number) {
    this.#text = text;
    this.#variant = variant;
  }

  run(): string {
    return this.#alternatives();
  }

  #alternatives(): string {
    const options = [this.#sequence()];
    while (this.#text[this.#at] === '|') {
      this.#at++;
      options.push(this.#sequence());
    }
    return options[this.#variant % options.length] ?? '';
  }

  #sequence(): string {
    let out = '';
    while (this.#at < this.#text.length) {
      const c = this.#text[this.#at];
      if (c === '|' || c === ')') break;
      out += this.#repeated(this.#atom());
    }
    return out;
  }

  #atom(): string {
    const c = this.#text[this.#at++] ?? '';
    switch (c) {
      case '(': {
        const flags = /^\?(?::|P?<\w+>|[a-zA-Z-]+:)/.exec(this.#text.slice(this.#at));
        const bare = /^\?[a-zA-Z-]+\)/.exec(this.#text.slice(this.#at));
        if (bare !== null) {
          this.#at += bare[0].length;
          return '';
        }
        if (flags !== null) this.#at += flags[0].length;
        const inner = this.#alternatives();
        this.#at++;
        return inner;
      }
      case '[':
        return this.#charClass();
      case '\\':
        return escaped(this.#text[this.#at++] ?? '');
      case '.':
        return 'q';
      case '^':
      case '$':
        return '';
      default:
        return c;
    }
  }

  #charClass(): string {
    const end = this.#text.indexOf(']', this.#at + 1);
    const inside = this.#text.slice(this.#at, end === -1 ? undefined : end);
    this.#at = end === -1 ? this.#text.length : end + 1;
    if (inside.startsWith('^')) return ['q', '7', '-', 'Z'].find((c) => !inside.includes(c)) ?? 'q';
    const first = inside[0] === '\\' ? escaped(inside[1] ?? '') : (inside[0] ?? 'q');
    const last = inside.at(-1) ?? first;
    return this.#variant % 2 === 0 || inside.at(-2) === '\\' ? first : last;
  }

  #repeated(unit: string): string {
    const found = /^(?:([*+?])|\{(\d+)(?:,(\d*))?\})\??/.exec(this.#text.slice(this.#at));
    if (found === null) return unit;
    this.#at += found[0].length;
    const [, sign, least] = found;
    const min = sign === '+' ? 1 : sign === undefined ? Number(least) : 0;
    const wanted =
      this.#variant === 0 ? min : sign === '?' ? this.#variant % 2 : Math.max(min, this.#variant);
    return unit.repeat(Math.min(wanted, 20));
  }
}

function escaped(c: string): string {
  if (c === 'd') return '7';
  if (c === 'w') return 'w';
  if (c === 's') return ' ';
  return /[bBAzZ]/.test(c) ? '' : c;
}
