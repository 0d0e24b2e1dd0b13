// The probes of every case with echo backends, played against real sockets: what the tracers promise is
// what clients get. The instances run in this process, one after the other; up.test.ts starts the program.

import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { request } from 'node:http';
import { SERVED_KINDS } from '../../src/api/kinds.ts';
import { startInstance } from '../../src/cli/instance.ts';
import type { Instance } from '../../src/cli/instance.ts';
import { notReady } from '../../src/cli/readiness.ts';
import { defaultConfiguration } from '../../src/config/config.ts';
import type { Report } from '../../src/pipeline/pipeline.ts';
import { createFilesSource } from '../../src/sources/files/files.ts';
import { grpcStatusName } from '../../src/lib/grpc-status.ts';
import { askH2, callEcho } from '../support/http2.ts';
import { folder, until } from '../support/fairway.ts';
import { caseInput, isCall, listCases, toProbe } from '../support/cases.ts';
import { playConnection } from '../support/play-connection.ts';
import type { Case, WrittenProbe } from '../support/cases.ts';

/** Requests sent to see every backend of a split at least once, as likely as never to fail. */
const SPLIT_REQUESTS = 400;

/** As many as would not all reach the same of two pods by chance. */
const STAY_REQUESTS = 24;

interface Echoed {
  readonly path: string;
  readonly host: string;
  readonly namespace: string;
  readonly service: string;
  readonly tls?: { readonly serverName: string; readonly peerCertificates?: readonly string[] };
  readonly pod?: string;
  readonly headers: Readonly<Record<string, readonly string[]>>;
}

interface Answer {
  readonly status: number;
  readonly location: string | undefined;
  readonly echoed: Echoed | undefined;
  readonly rawHeaders: readonly string[];
  readonly grpcStatus?: number;
}

const home = folder({});
process.env['FAIRWAY_HOME'] = home.path;
after(() => home.remove());

for (const testCase of listCases().filter((c) => c.options.backends === 'echo')) {
  describe(testCase.name, () => {
    let instance: Instance;
    before(async () => {
      instance = await start(testCase);
      await until(() => waitsFor(instance).length === 0, `${testCase.name} to be ready`);
    });
    after(() => instance.stop());

    for (const probe of testCase.probes) {
      it(probe.name, () => play(testCase, probe, instance));
    }
  });
}

function start(testCase: Case): Promise<Instance> {
  const { paths, stdin } = caseInput(testCase);
  const source = createFilesSource({
    paths,
    kinds: SERVED_KINDS,
    stdin: (async function* () {
      yield stdin;
    })(),
    watch: false,
  });
  const configuration = defaultConfiguration();
  return startInstance({
    configuration: {
      ...configuration,
      externalBackends: { ...configuration.externalBackends, ...testCase.options.externalBackends },
      gatewayClasses: testCase.options.gatewayClasses ?? [],
    },
    sources: [source],
    workers: 1,
    pods: true,
    paths,
    api: null,
    onError: (error) => {
      throw error;
    },
  });
}

/** Pods only: what some cases are about is a Gateway or a ListenerSet that will never be ready. */
function waitsFor({ pipeline: { report } }: Instance): readonly string[] {
  if (report === undefined) return ['nothing is served yet'];
  return notReady(report.snapshot, true).filter(
    (reason) => !/^(?:Gateway|ListenerSet) /.test(reason),
  );
}

/** What an echo can tell: its Service, but not the port it was reached by. */
function withoutPort(fate: string): string {
  return fate.replace(/^([^ ]+\/[^ ]+):\d+(?:\/\w+)?$/, '$1');
}

/** Probes name addresses of the first block; another Fairway on the machine may have it. */
function inBlock(probe: WrittenProbe, gatewayCidr: string): WrittenProbe {
  const [first, second] = gatewayCidr.split('.');
  return probe.address === undefined
    ? probe
    : { ...probe, address: probe.address.replace(/^127\.80\./, `${first}.${second}.`) };
}

async function play(
  testCase: Case,
  written: WrittenProbe,
  { pipeline: { report }, network }: Instance,
): Promise<void> {
  const probe = inBlock(written, network.gatewayCidr);
  assert.ok(report);
  if (probe.connect !== undefined) {
    await playConnection(probe, report);
    return;
  }
  const place = findPlace(probe, report);
  if (typeof probe.fate !== 'string') {
    await playSplit(testCase, probe, probe.fate, place);
    return;
  }
  const copies = (probe.mirrors ?? []).filter((mirror) => !mirror.includes(' '));
  const before = copies.map((copy) => copiesSeen(copy, probe));
  const send = isCall(probe) ? call : ask;
  const answer =
    place === undefined ? 'refused' : await send(probe, place, testCase).catch(toRefused);
  if (typeof answer === 'string') {
    assert.equal(answer, probe.fate, testCase.name);
    return;
  }
  if (probe.handshake === 'fails') {
    assert.equal(describeAnswer(answer), '503');
    return;
  }
  assert.equal(describeAnswer(answer), withoutPort(probe.ends ?? probe.fate));
  checkSeen(probe, answer);
  if (probe.serverName !== undefined && place !== undefined) {
    // It is HTTP/2 whose clients send requests for several hosts on one connection.
    assert.equal(await askH2(toProbe(probe), place), answer.status, 'by HTTP/2');
  }
  for (const [i, copy] of copies.entries()) {
    await until(() => copiesSeen(copy, probe) === (before[i] ?? 0) + 1, `a copy for ${copy}`);
  }
  if (probe.stays !== undefined && place !== undefined) {
    await playStay(testCase, probe, probe.stays, { first: answer, place });
  }
}

/** How often the pods of a Service have logged the path that a copy has. */
function copiesSeen(copy: string, { request = '', sees }: WrittenProbe): number {
  const [namespace = '', service = ''] = copy.replace(/:\d+$/, '').split('/');
  const path = sees?.path ?? new URL(request.split(' ')[1] ?? '').pathname;
  const logs = globSync(`**/logs/${namespace}/${service}-*/*.log`, { cwd: home.path });
  return logs.reduce((sum, log) => {
    const text = readFileSync(join(home.path, log), 'utf8');
    return sum + text.split(`request made to ${path} `).length - 1;
  }, 0);
}

/** Requests that bring back what the first answer gave all reach the pod that gave it. */
async function playStay(
  testCase: Case,
  probe: WrittenProbe,
  carrier: string,
  { first, place }: { readonly first: Answer; readonly place: Place },
): Promise<void> {
  const at = first.rawHeaders.findIndex((name, i) => i % 2 === 0 && name.toLowerCase() === carrier);
  const given = first.rawHeaders[at + 1];
  assert.ok(at !== -1 && given !== undefined, `no ${carrier} was given`);
  const [kept = ''] = given.split(';');
  const name = carrier === 'set-cookie' ? 'cookie' : carrier;
  const pods = new Set<string>();
  for (let i = 0; i < STAY_REQUESTS; i++) {
    const next = await ask(
      { ...probe, headers: { ...probe.headers, [name]: kept } },
      place,
      testCase,
    );
    pods.add(next.echoed?.pod ?? String(next.status));
    assert.ok(!next.rawHeaders.some((n, j) => j % 2 === 0 && n.toLowerCase() === carrier));
  }
  assert.deepEqual([...pods], [first.echoed?.pod]);
}

/** Every share gets what it is due, give or take what chance allows; those with weight 0 get nothing. */
async function playSplit(
  testCase: Case,
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
    const answer = await (isCall(probe) ? call(probe, place) : ask(probe, place, testCase));
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

/** By the system, or in the handshake, for want of a certificate: of ours for that name, or of the client. */
function toRefused(error: NodeJS.ErrnoException): 'refused' {
  const isRefusal =
    error.code === 'ECONNREFUSED' ||
    error.code === 'ECONNRESET' ||
    /alert (?:handshake failure|certificate required)/.test(error.message);
  if (isRefusal) return 'refused';
  throw error;
}

interface Place {
  readonly address: string;
  readonly port: number;
}

/** Where the probe's port is served: by the Gateway at the address it says, or the only one there is. */
function findPlace(probe: WrittenProbe, { model, bindings }: Report): Place | undefined {
  const { scheme, port, address } = toProbe(probe);
  const protocols = scheme === 'https' ? ['https', 'tls'] : ['http'];
  for (const { id, addresses, port: own, protocol } of model.entryPoints) {
    if (address !== undefined && !addresses.includes(address)) continue;
    if (own !== port || !protocols.includes(protocol)) continue;
    const binding = bindings.find((b) => b.socket === id && addresses.includes(b.address));
    if (binding !== undefined) return { address: binding.address, port: binding.port };
  }
  return undefined;
}

/** A gRPC call, answered by the echo with what it saw. */
async function call(probe: WrittenProbe, place: Place): Promise<Answer> {
  const { grpcStatus, headers, echoed } = await callEcho(toProbe(probe), place);
  return { status: 200, location: undefined, echoed, rawHeaders: headers, grpcStatus };
}

/** The certificate and the key of a client, in one file. */
function clientIdentity(directory: string, client: string): { cert: string; key: string } {
  const pem = readFileSync(join(directory, 'clients', `${client}.pem`), 'utf8');
  return { cert: pem, key: pem };
}

function ask(probe: WrittenProbe, { address, port }: Place, { directory }: Case): Promise<Answer> {
  const { scheme, method, host, target, headers, serverName } = toProbe(probe);
  const identity = probe.client === undefined ? {} : clientIdentity(directory, probe.client);
  return new Promise((resolve, reject) => {
    const options = {
      method,
      path: target,
      headers: { host, connection: 'close' },
      ...(scheme === 'https'
        ? {
            createConnection: () =>
              connectTls({
                host: address,
                port,
                servername: serverName ?? host.replace(/:\d+$/, ''),
                rejectUnauthorized: false,
                ...identity,
                ALPNProtocols: ['http/1.1'],
              }),
          }
        : { host: address, port, agent: false as const }),
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
    // As it is written: the constructor turns it into capitals.
    sent.method = method;
    for (const [name, value] of headers) sent.appendHeader(name, value);
    sent.end(probe.body);
  });
}

function describeAnswer({ status, location, echoed, grpcStatus = 0 }: Answer): string {
  if (grpcStatus !== 0) return `grpc ${grpcStatusName(grpcStatus)}`;
  if (location !== undefined) return `${status} ${location}`;
  if (echoed === undefined) return String(status);
  return `${echoed.namespace}/${echoed.service}`;
}

function headerOf({ headers }: Echoed, name: string): string | null {
  const named = Object.entries(headers).filter(([n]) => n.toLowerCase() === name);
  return named.length === 0 ? null : named.flatMap(([, values]) => values).join(',');
}

function checkSeen(probe: WrittenProbe, { echoed, rawHeaders }: Answer): void {
  for (const [name, value] of Object.entries(probe.answer ?? {})) {
    const found = rawHeaders.filter(
      (_, i) => i % 2 === 1 && rawHeaders[i - 1]?.toLowerCase() === name,
    );
    assert.equal(found.length === 0 ? null : found.join(','), value, name);
  }
  if (echoed !== undefined && probe.sees !== undefined) {
    const { sees } = probe;
    if (sees.tls !== undefined) assert.equal(echoed.tls !== undefined, sees.tls, 'TLS');
    if (sees.serverName !== undefined) assert.equal(echoed.tls?.serverName, sees.serverName);
    if (sees.certificate !== undefined) {
      const shown = (echoed.tls?.peerCertificates ?? []).length > 0;
      assert.equal(shown, sees.certificate, 'a certificate is shown');
    }
    if (sees.host !== undefined) assert.equal(echoed.host, sees.host);
    if (sees.path !== undefined) assert.equal(echoed.path, sees.path);
    for (const [name, value] of Object.entries({ ...sees.headers, ...sees.given })) {
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
