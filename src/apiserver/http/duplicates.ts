// JSON → the keys that an object in it has twice. JSON.parse takes the last one and says nothing; whoever
// wrote both meant each of them, and kube-apiserver tells them (sigs.k8s.io/json, UnmarshalStrict). One
// pass over text that JSON.parse has taken already: nothing is checked a second time.

export interface Duplicate {
  /** As `spec.rules[0].name`. */
  readonly path: string;
  readonly key: string;
  /** Of its second place, counted from 1. */
  readonly line: number;
}

/** More are not told of, as upstream. */
const DUPLICATES_MAX = 100;

interface Frame {
  /** Undefined for a list. */
  readonly keys: Set<string> | undefined;
  key: string;
  /** The next text in an object is a key. */
  expectsKey: boolean;
  index: number;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;

/** The duplicate keys in JSON that can be parsed, in the order of the text. */
export function duplicateFields(text: string): readonly Duplicate[] {
  const found: Duplicate[] = [];
  const frames: Frame[] = [];
  let frame: Frame | undefined;
  for (let at = 0; at < text.length; at++) {
    switch (text.charCodeAt(at)) {
      case QUOTE: {
        const end = endOfText(text, at);
        if (frame?.keys !== undefined && frame.expectsKey) {
          const raw = text.slice(at + 1, end);
          const key = raw.includes('\\') ? (JSON.parse(`"${raw}"`) as string) : raw;
          if (frame.keys.has(key) && found.length < DUPLICATES_MAX) {
            found.push({ path: pathOf(frames, key), key, line: lineAt(text, at) });
          }
          frame.keys.add(key);
          frame.key = key;
          frame.expectsKey = false;
        }
        at = end;
        break;
      }
      case 0x7b: // {
        frames.push((frame = { keys: new Set(), key: '', expectsKey: true, index: 0 }));
        break;
      case 0x5b: // [
        frames.push((frame = { keys: undefined, key: '', expectsKey: false, index: 0 }));
        break;
      case 0x7d: // }
      case 0x5d: // ]
        frames.pop();
        frame = frames.at(-1);
        break;
      case 0x2c: // ,
        if (frame === undefined) break;
        frame.index++;
        frame.expectsKey = true;
        break;
      default:
    }
  }
  return found;
}

/** Where the text that begins at a quote ends. */
function endOfText(text: string, start: number): number {
  for (let end = start; ;) {
    end = text.indexOf('"', end + 1);
    if (end === -1) return text.length;
    let escapes = 0;
    while (text.charCodeAt(end - 1 - escapes) === BACKSLASH) escapes++;
    if (escapes % 2 === 0) return end;
  }
}

/** `spec.rules[0].name`: `key` in the innermost object. */
function pathOf(frames: readonly Frame[], key: string): string {
  const steps = frames
    .slice(0, -1)
    .map(({ keys, key: name, index }) => (keys === undefined ? `[${index}]` : `.${name}`));
  return [...steps, `.${key}`].join('').replace(/^\./, '');
}

function lineAt(text: string, at: number): number {
  let line = 1;
  for (let end = text.indexOf('\n'); end !== -1 && end < at; end = text.indexOf('\n', end + 1))
    line++;
  return line;
}
