// Builds a RequestHead from the fields of a decoded header block, or says why it is none (RFC 9113 §8.3.1).
// What one field alone can get wrong was found when it was decoded (field-kind.ts); here it is about which
// fields there are, how often, and in what order. Hot: allocates the head and its fields.
//
// Budget: 0.3 µs for a head of 10 fields. Guarded by bench/proxy.ts.

import { LENGTH_UNKNOWN } from '../stream.ts';
import type { Fields, RequestHead } from '../stream.ts';
import { isHttpVersion } from '../websocket.ts';
import { Kind } from './field-kind.ts';
import type { FieldList } from './field-list.ts';

/** Not a request: its stream is reset with PROTOCOL_ERROR. */
export const MALFORMED = 0;

/** What a request that is valid HTTP/2, but not one we take, is answered with. */
const METHOD_NOT_ALLOWED = 405;
const TARGET_TOO_LONG = 414;
const EXPECTATION_FAILED = 417;
const HEAD_TOO_LARGE = 431;
const NOT_IMPLEMENTED = 501;

export interface RequestHeadOptions {
  readonly scheme: 'http' | 'https';
  /** The head's frame carried END_STREAM. */
  readonly endStream: boolean;
  readonly targetBytesMax: number;
}

/** Sorts out one head after another; connections of a worker share one, so its strings are reused slots. */
export class RequestHeadReader {
  private method = '';
  private scheme = '';
  private authority = '';
  private path = '';
  private protocol = '';
  private host = '';
  private expect = '';
  private contentLength = LENGTH_UNKNOWN;
  private cookieAt = -1;
  private dropped = false;
  private fields: Fields = [];

  /** The head, or a status to answer with, or MALFORMED. */
  read(list: FieldList, options: RequestHeadOptions): RequestHead | number {
    if (list.overflowed) return HEAD_TOO_LARGE;
    this.clear();
    for (let at = 0; at < list.count; at++) {
      const kind = list.kinds[at]!;
      if (!this.take(kind, list.names[at]!, list.values[at]!)) return MALFORMED;
    }
    const refusal = this.judge(options);
    return refusal === -1 ? this.build(options) : refusal;
  }

  private clear(): void {
    this.method = '';
    this.scheme = '';
    this.authority = '';
    this.path = '';
    this.protocol = '';
    this.host = '';
    this.expect = '';
    this.contentLength = LENGTH_UNKNOWN;
    this.cookieAt = -1;
    this.dropped = false;
    this.fields = [];
  }

  /** Takes one field to its place; false when the field cannot stand here. */
  private take(kind: number, name: string, value: string): boolean {
    switch (kind) {
      case Kind.PLAIN:
      case Kind.TE:
      case Kind.CREDENTIAL:
        this.fields.push(name, value);
        return true;
      case Kind.COOKIE:
        this.takeCookie(value);
        return true;
      case Kind.HOST:
        if (this.host !== '') return false;
        this.host = value;
        return true;
      case Kind.CONTENT_LENGTH:
        if (this.contentLength !== LENGTH_UNKNOWN) return false;
        this.contentLength = Number(value);
        return true;
      case Kind.DISGUISED:
        this.dropped = true;
        return true;
      case Kind.EXPECT:
        this.expect = this.expect === '' ? value : `${this.expect}, ${value}`;
        return true;
      default:
        return this.takePseudo(kind, value);
    }
  }

  /** Pseudo-headers come before all other fields, each at most once. */
  private takePseudo(kind: number, value: string): boolean {
    if (this.fields.length > 0 || this.sawRegular()) return false;
    switch (kind) {
      case Kind.METHOD:
        if (this.method !== '') return false;
        this.method = value;
        return true;
      case Kind.SCHEME:
        if (this.scheme !== '') return false;
        this.scheme = value;
        return true;
      case Kind.AUTHORITY:
        if (this.authority !== '') return false;
        this.authority = value;
        return true;
      case Kind.PATH:
        if (this.path !== '') return false;
        this.path = value;
        return true;
      case Kind.PROTOCOL:
        if (this.protocol !== '') return false;
        this.protocol = value;
        return true;
      default:
        return false;
    }
  }

  /** Fields that are taken out of `fields` were regular ones too. */
  private sawRegular(): boolean {
    const { host, expect, contentLength, dropped } = this;
    return host !== '' || expect !== '' || contentLength !== LENGTH_UNKNOWN || dropped;
  }

  /** Cookies may come in crumbs and go on as one field (RFC 9113 §8.2.3). */
  private takeCookie(value: string): void {
    if (this.cookieAt < 0) {
      this.cookieAt = this.fields.push('cookie', value) - 1;
    } else {
      this.fields[this.cookieAt] += `; ${value}`;
    }
  }

  /** What the head as a whole earns: MALFORMED, a status, or -1 when it is a request. */
  private judge(options: RequestHeadOptions): number {
    if (this.method === '') return MALFORMED;
    if (this.method === 'CONNECT' && this.protocol === '') return this.judgePlainConnect();
    if (this.protocol !== '') {
      // A tunnel has no length, and only CONNECT makes one (RFC 8441 §4).
      if (this.method !== 'CONNECT' || this.contentLength !== LENGTH_UNKNOWN) return MALFORMED;
      // In a tunnel of HTTP, requests would come past the rules.
      if (isHttpVersion(this.protocol)) return NOT_IMPLEMENTED;
    }
    if (this.scheme === '' || this.path === '') return MALFORMED;
    if (this.path === '*' && this.method !== 'OPTIONS') return MALFORMED;
    if (!this.settleAuthority()) return MALFORMED;
    if (options.endStream && this.contentLength > 0) return MALFORMED;
    if (this.path.length > options.targetBytesMax) return TARGET_TOO_LONG;
    if (this.expect !== '' && this.expect.toLowerCase() !== '100-continue') {
      return EXPECTATION_FAILED;
    }
    return -1;
  }

  /** We are no forward proxy: a well-formed CONNECT is answered, not tunnelled (RFC 9113 §8.5). */
  private judgePlainConnect(): number {
    const valid = this.authority !== '' && this.scheme === '' && this.path === '';
    return valid ? METHOD_NOT_ALLOWED : MALFORMED;
  }

  /** Host may stand in for :authority, or say the same; two hosts would be two requests to two parsers. */
  private settleAuthority(): boolean {
    if (this.authority === '') this.authority = this.host;
    if (this.host === '' || this.host === this.authority) return this.authority !== '';
    return this.host.toLowerCase() === this.authority.toLowerCase();
  }

  private build(options: RequestHeadOptions): RequestHead {
    const contentLength = options.endStream ? 0 : this.contentLength;
    return {
      // A tunnel is asked for as HTTP/1.1 asks for it, so that rules need not know the difference.
      method: this.protocol === '' ? this.method : 'GET',
      target: this.path,
      authority: this.authority,
      scheme: options.scheme,
      fields: this.fields,
      contentLength,
      protocol: this.protocol,
      expectContinue: this.expect !== '' && !options.endStream,
    };
  }
}
