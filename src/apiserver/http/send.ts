// Answers: one value at once, a long list piece by piece, so that neither memory nor the event loop is
// taken up by it.

import type { ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { KubeObject } from '../../api/kind.ts';
import type { Status } from '../failure.ts';
import { drained } from '../streams/wait.ts';
import type { ListMetadata, Presenter } from './present.ts';

const JSON_HEADERS = { 'content-type': 'application/json', 'cache-control': 'no-cache, private' };
/** Objects turned into text in one turn. */
const BATCH = 250;
/** More is not prepared before the client has taken what there is. */
const PREPARED_BYTES_MAX = 2 * 1024 * 1024;

export function sendJson(response: ServerResponse, code: number, value: unknown): void {
  sendText(response, code, JSON_HEADERS['content-type'], `${JSON.stringify(value)}\n`);
}

/** One object, as a presenter shows it. */
export function sendObject(response: ServerResponse, code: number, text: string): void {
  sendText(response, code, JSON_HEADERS['content-type'], `${text}\n`);
}

export function sendText(
  response: ServerResponse,
  code: number,
  contentType: string,
  text: string,
): void {
  response.writeHead(code, {
    ...JSON_HEADERS,
    'content-type': contentType,
    'content-length': Buffer.byteLength(text),
  });
  response.end(text);
}

export function sendStatus(response: ServerResponse, status: Status): void {
  if (response.headersSent) {
    response.destroy();
    return;
  }
  if (status.code === 401) response.setHeader('www-authenticate', 'Bearer');
  const retry = status.details?.retryAfterSeconds;
  if (retry !== undefined) response.setHeader('retry-after', retry);
  sendJson(response, status.code, status);
}

export async function sendList(
  response: ServerResponse,
  presenter: Presenter,
  objects: readonly KubeObject[],
  metadata: ListMetadata,
): Promise<void> {
  const { head, items } = presenter.envelope(metadata);
  const opening = `${JSON.stringify(head).slice(0, -1)},${JSON.stringify(items)}:[`;
  if (objects.length <= BATCH) {
    const text = `${opening}${presenter.items(objects)}]}\n`;
    sendText(response, 200, JSON_HEADERS['content-type'], text);
    return;
  }
  response.writeHead(200, JSON_HEADERS);
  response.write(opening);
  for (let at = 0; at < objects.length && !response.destroyed; at += BATCH) {
    const text = presenter.items(objects.slice(at, at + BATCH));
    response.write(at === 0 ? text : `,${text}`);
    if (response.writableLength < PREPARED_BYTES_MAX) await nextTurn();
    else await drained(response);
  }
  response.end(']}\n');
}
