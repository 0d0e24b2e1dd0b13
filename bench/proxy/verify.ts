// Before anything is compared: do the proxies do the same? Each has to answer the same request, and the
// backend has to see the same of who asked.

import { request } from 'node:http';
import type { Peer } from './peers.ts';
import { HELLO } from './rows.ts';

/** Throws when a proxy answers something else than it should. */
export async function verifySameJob(peers: readonly Peer[], host: string): Promise<void> {
  const seen = `${host}|127.0.0.1|http|${host}\n`;
  for (const { name, origins } of peers) {
    await expectBody(name, `${origins.http}/app/hello`, host, HELLO);
    await expectBody(name, `${origins.http}/app/seen`, host, seen);
    const { status } = await get(`${origins.http}/app/hello`, 'elsewhere.example.test');
    if (status !== 404) {
      throw new Error(`${name} answers ${status} to a host that has no route`);
    }
  }
}

async function expectBody(name: string, url: string, host: string, body: string): Promise<void> {
  const got = await get(url, host);
  if (got.status === 200 && got.body === body) return;
  throw new Error(`${name} answers ${got.status} ${JSON.stringify(got.body)} to ${url}`);
}

function get(url: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { headers: { host }, agent: false, timeout: 5000 }, (response) => {
      let body = '';
      response.on('data', (chunk: Buffer) => (body += chunk.toString()));
      response.once('end', () => resolve({ status: response.statusCode ?? 0, body }));
      response.once('error', reject);
    });
    sent.once('error', reject);
    sent.once('timeout', () => sent.destroy(new Error(`${url} did not answer in time`)));
    sent.end();
  });
}
