// The probes of every case with echo backends, played against real sockets: what the tracers promise is
// what clients get.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { request } from 'node:http';
import { folder, startFairway } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { caseInput, listCases, toProbe } from '../support/cases.ts';
import type { Case, WrittenProbe } from '../support/cases.ts';

/** Requests sent to see every backend of a split at least once, as likely as never to fail. */
const SPLIT_REQUESTS = 400;

interface Echoed {
  readonly path: string;
  readonly host: string;
  readonly namespace: string;
  readonly service: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly echoed: Echoed | undefined;
  readonly rawHeaders: readonly string[];
}

for (const testCase of listCases().filter((c) => c.options.backends === 'echo')) {
  describe(testCase.name, () => {
    const home = folder({});
    let fairway: Fairway;
    before(async () => {
      const { paths, stdin } = caseInput(testCase);
      const classes = (testCase.options.gatewayClasses ?? []).flatMap((c) => [
        '--gateway-class',
        c,
      ]);
      fairway = await startFairway([...classes, '--no-watch', ...paths], {
        home: home.path,
        stdin,
      });
    });
    after(async () => {
      await fairway.stop();
      home.remove();
    });

    for (const probe of testCase.probes) {
      it(probe.name, () => play(testCase, probe, fairway));
    }
  });
}

/** What an echo can tell: its Service, but not the port it was reached by. */
function withoutPort(fate: string): string {
  return fate.replace(/^([^ ]+\/[^ ]+):\d+$/, '$1');
}

async function play(testCase: Case, probe: WrittenProbe, fairway: Fairway): Promise<void> {
  const place = findPlace(probe, fairway);
  if (typeof probe.fate !== 'string') {
    await playSplit(probe, probe.fate, place);
    return;
  }
  const answer = place === undefined ? 'refused' : await ask(probe, place).catch(() => 'refused');
  if (typeof answer === 'string') {
    assert.equal(answer, probe.fate, testCase.name);
    return;
  }
  assert.equal(describeAnswer(answer), withoutPort(probe.fate));
  checkSeen(probe, answer);
}

/** Every share gets what it is due, give or take what chance allows; those with weight 0 get nothing. */
async function playSplit(
  probe: WrittenProbe,
  written: Readonly<Record<string, number>>,
  place: Place | undefined,
): Promise<void> {
  const weights = Object.fromEntries(
    Object.entries(written).map(([name, weight]) => [withoutPort(name), weight]),
  );
  assert.ok(place, 'nothing serves the probe');
  const counts: Record<string, number> = {};
  for (let i = 0; i < SPLIT_REQUESTS; i++) {
    const answer = await ask(probe, place);
    const fate = describeAnswer(answer);
    counts[fate] = (counts[fate] ?? 0) + 1;
    checkSeen(probe, answer);
  }
  const total = Object.values(weights).reduce((a, b) => a + b, 0);
  for (const [name, weight] of Object.entries(weights)) {
    const share = (counts[name] ?? 0) / SPLIT_REQUESTS;
    assert.ok(Math.abs(share - weight / total) < 0.1, `${name} got ${share} of the requests`);
  }
  assert.deepEqual(
    Object.keys(counts).filter((name) => weights[name] === undefined),
    [],
  );
}

interface Place {
  readonly address: string;
  readonly port: number;
}

/** Where the probe's port is served: by the Gateway that says so, or the only one there is. */
function findPlace(probe: WrittenProbe, { gateways }: Fairway): Place | undefined {
  const { scheme, port, address } = toProbe(probe);
  for (const gateway of Object.values(gateways)) {
    if (address !== undefined && gateway.address !== address) continue;
    for (const { url } of Object.values(gateway.listeners)) {
      const found = new URL(url);
      const defaultPort = scheme === 'https' ? 443 : 80;
      const actual = found.port === '' ? defaultPort : Number(found.port);
      // Without the privilege for low ports, they are moved up.
      const asked = actual === port || actual - 8000 === port;
      if (asked && found.protocol === `${scheme}:`) {
        return { address: gateway.address, port: actual };
      }
    }
  }
  return undefined;
}

function ask(probe: WrittenProbe, { address, port }: Place): Promise<Answer> {
  const { scheme, method, host, target, headers } = toProbe(probe);
  return new Promise((resolve, reject) => {
    const options = {
      method,
      path: target,
      headers: [['host', host], ['connection', 'close'], ...headers].flat() as string[],
      agent: false as const,
      ...(scheme === 'https'
        ? {
            createConnection: () =>
              connectTls({
                host: address,
                port,
                servername: host.replace(/:\d+$/, ''),
                rejectUnauthorized: false,
                ALPNProtocols: ['http/1.1'],
              }),
          }
        : { host: address, port }),
    };
    const sent = request(options, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.once('error', reject);
      response.once('end', () => {
        const body = Buffer.concat(chunks).toString();
        const isEcho = response.headers['content-type'] === 'application/json';
        resolve({
          status: response.statusCode ?? 0,
          location: response.headers.location,
          echoed: isEcho ? (JSON.parse(body) as Echoed) : undefined,
          rawHeaders: response.rawHeaders,
        });
      });
    });
    sent.once('error', reject);
    sent.end();
  });
}

function describeAnswer({ status, location, echoed }: Answer): string {
  if (location !== undefined) return `${status} ${location}`;
  if (echoed === undefined) return String(status);
  return `${echoed.namespace}/${echoed.service}`;
}

function headerOf({ headers }: Echoed, name: string): string | null {
  const named = Object.entries(headers).filter(([n]) => n.toLowerCase() === name);
  return named.length === 0 ? null : named.flatMap(([, values]) => values).join(',');
}

function checkSeen(probe: WrittenProbe, { echoed, rawHeaders }: Answer): void {
  if (echoed !== undefined && probe.sees !== undefined) {
    const { sees } = probe;
    if (sees.host !== undefined) assert.equal(echoed.host, sees.host);
    if (sees.path !== undefined) assert.equal(echoed.path, sees.path);
    for (const [name, value] of Object.entries(sees.headers ?? {})) {
      assert.equal(headerOf(echoed, name), value, name);
    }
  }
  for (const change of probe.response ?? []) {
    const [, verb, name = '', value] = /^(\w+) ([^:]+)(?:: (.*))?$/.exec(change) ?? [];
    const values = rawHeaders.filter(
      (_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name,
    );
    if (verb === 'remove') assert.deepEqual(values, [], change);
    else assert.ok(values.includes(value ?? ''), `${change}: got ${values.join()}`);
  }
}
