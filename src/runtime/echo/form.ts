// One field of a request's form, looked up as Go's Request.FormValue does: a form body first, then the query, then a
// multipart body. Used for `delay` and friends.

import type { Exchange } from './exchange.ts';
import { firstHeader } from './go-headers.ts';
import { queryValue } from './go-url.ts';

/** Go's limit for form bodies; a larger one counts as no form. */
const FORM_BYTES_MAX = 10 * 1024 * 1024;

/** The fields of one request. Answers at once when there is no body to read, which is nearly always. */
export function readForm(exchange: Exchange, query: string): Form | Promise<Form> {
  const contentType = firstHeader(exchange.headers, 'Content-Type');
  if (contentType === undefined) return new Form('', query, undefined);
  const [mediaType = ''] = contentType.split(';');
  switch (mediaType.trim().toLowerCase()) {
    case 'application/x-www-form-urlencoded':
      return hasFormBody(exchange.method)
        ? readUrlEncoded(exchange, query)
        : new Form('', query, undefined);
    case 'multipart/form-data':
      return readMultipart(exchange, query, contentType);
    default:
      return new Form('', query, undefined);
  }
}

function hasFormBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

async function readUrlEncoded(exchange: Exchange, query: string): Promise<Form> {
  const body = await exchange.body(FORM_BYTES_MAX);
  return new Form(body?.toString('utf8') ?? '', query, undefined);
}

async function readMultipart(
  exchange: Exchange,
  query: string,
  contentType: string,
): Promise<Form> {
  const body = await exchange.body(FORM_BYTES_MAX);
  try {
    const response = new Response(body?.toString('latin1'), {
      headers: { 'Content-Type': contentType },
    });
    return new Form('', query, await response.formData());
  } catch {
    return new Form('', query, undefined);
  }
}

export class Form {
  readonly #body: string;
  readonly #query: string;
  readonly #parts: FormData | undefined;

  constructor(body: string, query: string, parts: FormData | undefined) {
    this.#body = body;
    this.#query = query;
    this.#parts = parts;
  }

  /** First value of the field, or the empty string. */
  value(key: string): string {
    const part = this.#parts?.get(key);
    return (
      queryValue(this.#body, key) ??
      queryValue(this.#query, key) ??
      (typeof part === 'string' ? part : '')
    );
  }
}
