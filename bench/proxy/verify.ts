// Before anything is compared: do the proxies do the same? Each has to answer the same request, and the
// backend has to see the same of who asked.

import { request } from 'node:http';
import type { Peer } from './peers.ts';
import { HELLO } from './rows.ts';

/** Throws when a proxy answers something else than it should. */
export async function verifySameJob(peers: readonly Peer[], host: string): Promise<void> {
  for (const { name, origins } of peers) {
    await expectBody(name, `${origins.http}/app/hello`, host, HELLO);
    // Envoy calls a client on a loopback address by the machine's own.
    const client = name === 'envoy' ? '[0-9.]+' : '127\\.0\\.0\\.1';
    const seen = new RegExp(`^${host}\\|${client}\\|http\\|${host}\\n$`);
    await expectBody(name, `${origins.http}/app/seen`, host, seen);
    const { status } = await get(`${origins.http}/app/hello`, 'elsewhere.example.test');
    if (status !== 404) {
      throw new Error(`${name} answers ${status} to a host that has no route`);
    }
  }
}

async function expectBody(
  name: string,
  url: string,
  host: string,
  body: string | RegExp,
): Promise<void> {
  const got = await get(url, host);
  const isRight = typeof body === 'string' ? got.body === body : body.test(got.body);
  if (got.status === 200 && isRight) return;
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
