// What `fairway explain` is asked: [METHOD] URL PATH…

import { FairwayError } from '../lib/errors.ts';
import type { RequestProbe } from '../model/answer.ts';
import type { EntryPoint } from '../model/model.ts';

export interface AskedRequest {
  readonly method: string;
  readonly url: URL;
  /** The URL as written, without the normalizing that a browser does. */
  readonly target: string;
  readonly headers: readonly (readonly [string, string])[];
  readonly paths: readonly string[];
}

const METHOD = /^[A-Z]+$/;

/** Reads the arguments. Throws FW_USAGE when they are no request. */
export function parseRequest(
  args: readonly string[],
  headerFlags: readonly string[],
): AskedRequest {
  const [first = '', ...others] = args;
  const [method, address, paths] = METHOD.test(first)
    ? [first, others[0] ?? '', others.slice(1)]
    : ['GET', first, others];
  const written = /^[a-z]+:\/\//i.test(address) ? address : `http://${address}`;
  if (address === '' || !URL.canParse(written)) {
    throw new FairwayError('FW_USAGE', `"${address}" is not a URL`, {
      hint: "as in: fairway explain GET http://shop.example/cart -H 'X-User: me' examples/bookshop",
    });
  }
  const url = new URL(written);
  if (url.protocol !== 'http:' && url.protocol !== 'https:') {
    throw new FairwayError('FW_USAGE', `${url.protocol}// is neither http:// nor https://`);
  }
  if (paths.length === 0) {
    throw noFiles();
  }
  const second = paths.find((path) => /^https?:\/\//i.test(path));
  if (second !== undefined) {
    throw new FairwayError('FW_USAGE', `${second} is a second URL`, {
      hint: 'explain answers one request at a time',
    });
  }
  return {
    method,
    url,
    target: targetOf(written),
    headers: headerFlags.map(parseHeader),
    paths,
  };
}

export function noFiles(): FairwayError {
  return new FairwayError('FW_USAGE', 'no files to explain it from', {
    hint: 'name the files or folders after the URL',
  });
}

/** Path and query exactly as written: how they are normalized is part of the answer. */
function targetOf(written: string): string {
  const afterScheme = written.slice(written.indexOf('://') + 3);
  const start = afterScheme.search(/[/?]/);
  if (start === -1) return '/';
  const target = afterScheme.slice(start).replace(/#.*$/, '');
  return target.startsWith('/') ? target : `/${target}`;
}

function parseHeader(text: string): readonly [string, string] {
  const colon = text.indexOf(':');
  if (colon < 1 || /[\r\n\0]/.test(text)) {
    throw new FairwayError('FW_USAGE', `"${text}" is not a header field`, {
      hint: "write it as -H 'Name: value', on one line",
    });
  }
  return [text.slice(0, colon).trim(), text.slice(colon + 1).trim()];
}

/** Ports that stand for others where those cannot be opened, or on localhost: 8080 for 80. */
const MAPPED_OFFSET = 8000;

/** The question put to the model, and what had to be understood in it. */
export function probeFor(
  request: AskedRequest,
  entryPoints: readonly EntryPoint[],
): { readonly probe: RequestProbe; readonly notes: readonly string[] } {
  const { url, method, headers, target } = request;
  const scheme = url.protocol === 'https:' ? 'https' : 'http';
  const standard = scheme === 'https' ? 443 : 80;
  const asked = url.port === '' ? standard : Number(url.port);
  const notes: string[] = [];
  let port = asked;
  const isServed = (p: number): boolean =>
    entryPoints.some((e) => e.port === p && e.protocol === scheme);
  if (!isServed(asked) && isServed(asked - MAPPED_OFFSET)) {
    port = asked - MAPPED_OFFSET;
    notes.push(`port ${asked} stands for port ${port}`);
  }
  const given = headers.find(([name]) => name.toLowerCase() === 'host')?.[1];
  const address = entryPoints.flatMap((e) => e.addresses).find((a) => a === url.hostname);
  const probe: RequestProbe = {
    scheme,
    ...(address === undefined ? {} : { address }),
    port,
    method,
    host: given ?? url.host,
    target,
    headers: headers.filter(([name]) => name.toLowerCase() !== 'host'),
  };
  return { probe, notes };
}
