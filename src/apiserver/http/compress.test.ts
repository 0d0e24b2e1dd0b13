// Large answers by gzip: what is compressed, what is not, and that nothing is lost on the way.

import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { after, describe, it } from 'node:test';
import { gunzipSync } from 'node:zlib';
import { compressLarge, GZIP_BYTES_MIN } from './compress.ts';
import { sendText } from './send.ts';

const TEXT = JSON.stringify(Array.from({ length: 40_000 }, (_, i) => ({ i, text: `é${i % 7}` })));

const ROUTES: Readonly<Record<string, (response: ServerResponse) => void>> = {
  '/large': (response) => sendText(response, 200, 'application/json', TEXT),
  '/small': (response) => sendText(response, 200, 'application/json', TEXT.slice(0, 1000)),
  '/failure': (response) => sendText(response, 500, 'application/json', TEXT),
  '/list': (response) => {
    response.writeHead(200, { 'content-type': 'application/json' });
    for (let at = 0; at < TEXT.length; at += 10_000) response.write(TEXT.slice(at, at + 10_000));
    response.end('\n');
  },
  '/watch': (response) => {
    response.writeHead(200, { 'transfer-encoding': 'chunked' });
    response.write(TEXT);
    response.end();
  },
};

const server = createServer((incoming, response) => {
  compressLarge(incoming, response);
  ROUTES[incoming.url ?? '']?.(response);
});

interface Got {
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
}

function get(path: string, accept: string): Promise<Got> {
  return new Promise((resolve, reject) => {
    const { port } = server.address() as AddressInfo;
    const headers = { 'accept-encoding': accept };
    const sent = request({ host: '127.0.0.1', port, path, headers }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('end', () => {
        const bytes = Buffer.concat(chunks);
        const isZipped = response.headers['content-encoding'] === 'gzip';
        resolve({
          headers: response.headers,
          text: String(isZipped ? gunzipSync(bytes) : bytes),
        });
      });
    });
    sent.once('error', reject);
    sent.end();
  });
}

describe('answers by gzip', async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  after(() => server.close());

  it('are the large ones, whole and in pieces', async () => {
    assert.ok(TEXT.length > GZIP_BYTES_MIN);
    for (const path of ['/large', '/list']) {
      const { headers, text } = await get(path, 'deflate, gzip;q=0.5');
      assert.equal(headers['content-encoding'], 'gzip', path);
      assert.equal(headers['vary'], 'accept-encoding', path);
      assert.equal(text.trimEnd(), TEXT, path);
    }
  });

  it('are not small ones, failures and watches', async () => {
    for (const path of ['/small', '/failure', '/watch']) {
      const { headers, text } = await get(path, 'gzip');
      assert.equal(headers['content-encoding'], undefined, path);
      assert.equal(text, path === '/small' ? TEXT.slice(0, 1000) : TEXT, path);
    }
  });

  it('are for those who take them', async () => {
    for (const accept of ['identity', 'gzip;q=0', 'gzip; q=0.0', 'xgzip']) {
      const { headers } = await get('/large', accept);
      assert.equal(headers['content-encoding'], undefined, accept);
    }
  });
});
