// Node's own parser, as node:http uses it, without anything around it: bytes → the messages it finds in
// them, and whether it found fault.

import { createRequire } from 'node:module';

export interface Parsed {
  readonly method: string;
  readonly url: string;
  readonly status: number;
  /** Name, value, name, value. */
  readonly headers: readonly string[];
  readonly upgrade: boolean;
  body: string;
  complete: boolean;
}

export interface ParsedAll {
  readonly messages: readonly Parsed[];
  /** Why the rest is no message; '' when nothing is wrong. */
  readonly fault: string;
}

interface Binding {
  readonly HTTPParser: {
    new (): Parser;
    readonly REQUEST: number;
    readonly RESPONSE: number;
    readonly kOnHeaders: number;
    readonly kOnHeadersComplete: number;
    readonly kOnBody: number;
    readonly kOnMessageComplete: number;
  };
  readonly methods: readonly string[];
}

interface Parser {
  initialize(type: number, resource: object, maxHeaderSize: number): void;
  execute(bytes: Buffer): number | (Error & { readonly code?: string });
  finish(): number | (Error & { readonly code?: string });
  close(): void;
  [callback: number]: unknown;
}

// Undocumented, and the only door there is to the parser alone.
const { HTTPParser, methods } = createRequire(import.meta.url)('_http_common') as Binding;

const HEAD_BYTES_MAX = 1 << 20;
/** What execute says of bytes after an upgrade: it leaves them to somebody else. */
const PAUSED = 'HPE_PAUSED_UPGRADE';

/** Methods llhttp has a name for; to it, all others are none. */
export const KNOWN_METHODS: ReadonlySet<string> = new Set(methods);

/** Parses everything as requests, or as responses to requests of which none was HEAD. */
export function parseAll(text: string, kind: 'request' | 'response', atEnd: boolean): ParsedAll {
  const parser = new HTTPParser();
  parser.initialize(
    kind === 'request' ? HTTPParser.REQUEST : HTTPParser.RESPONSE,
    {},
    HEAD_BYTES_MAX,
  );
  const messages: Parsed[] = [];
  let pending: string[] = [];
  let pendingUrl = '';
  parser[HTTPParser.kOnHeaders | 0] = (headers: string[], url: string): void => {
    pending.push(...headers);
    pendingUrl += url;
  };
  parser[HTTPParser.kOnHeadersComplete | 0] = (
    _major: number,
    _minor: number,
    headers: string[] | undefined,
    method: number | undefined,
    url: string | undefined,
    status: number | undefined,
    _message: unknown,
    upgrade: boolean,
  ): number => {
    messages.push({
      method: method === undefined ? '' : (methods[method] ?? ''),
      url: url ?? pendingUrl,
      status: status ?? 0,
      headers: headers ?? pending,
      upgrade,
      body: '',
      complete: false,
    });
    pending = [];
    pendingUrl = '';
    return 0;
  };
  parser[HTTPParser.kOnBody | 0] = (bytes: Buffer): void => {
    messages.at(-1)!.body += bytes.toString('latin1');
  };
  parser[HTTPParser.kOnMessageComplete | 0] = (): void => {
    messages.at(-1)!.complete = true;
    // Of trailers.
    pending = [];
    pendingUrl = '';
  };
  const done = parser.execute(Buffer.from(text, 'latin1'));
  let fault = typeof done === 'number' ? '' : (done.code ?? done.message);
  if (fault === '' && atEnd) {
    const ended = parser.finish();
    if (typeof ended !== 'number' && ended !== undefined) fault = ended.code ?? ended.message;
  }
  parser.close();
  return { messages, fault: fault === PAUSED ? '' : fault };
}
