import assert from 'node:assert/strict';
import { once } from 'node:events';
import http from 'node:http';
import http2 from 'node:http2';
import https from 'node:https';
import net from 'node:net';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeCertificates, missingOpenssl } from '../echo/testing/certificates.ts';
import { pod, the, until } from '../testing.ts';
import { ask, runHook } from './ask.ts';
import type { AskContext } from './ask.ts';
import type { ProbeResult } from './connect.ts';
import { awaitedPort, portAccepts } from './default-readiness.ts';
import { runProber } from './prober.ts';
import type { ProbeKind } from './prober.ts';

const IP = '127.0.0.1';
const SUCCESS: ProbeResult = { ok: true };

async function listening(t: TestContext, server: net.Server): Promise<number> {
  server.listen(0, IP);
  await once(server, 'listening');
  t.after(() => {
    server.close();
    (server as http.Server).closeAllConnections?.();
  });
  return (server.address() as AddressInfo).port;
}

/** A port on which nothing listens. */
async function closedPort(): Promise<number> {
  const server = net.createServer().listen(0, IP);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function contextOf(ports: readonly unknown[] = [], more: Partial<AskContext> = {}): AskContext {
  return {
    container: the(pod({ container: { ports } }).spec.containers[0]),
    podIp: IP,
    exec: () => Promise.resolve({ exitCode: 0, output: '' }),
    signal: new AbortController().signal,
    ...more,
  };
}

function probeOf(probe: Record<string, unknown>) {
  return the(the(pod({ container: { readinessProbe: probe } }).spec.containers[0]).readinessProbe);
}

const askWith = (probe: Record<string, unknown>, context = contextOf()): Promise<ProbeResult> =>
  ask(probeOf(probe), context);

test('httpGet: 200 to 399 is success, anything else is told with its code', async (t) => {
  const server = http.createServer((request, response) => {
    response.writeHead(Number(request.url?.slice(1))).end('body');
  });
  const port = await listening(t, server);
  for (const status of [200, 204, 302, 399]) {
    assert.deepEqual(await askWith({ httpGet: { path: `/${status}`, port } }), SUCCESS);
  }
  for (const status of [400, 404, 500, 503]) {
    const message = `HTTP probe failed with statuscode: ${status}`;
    assert.deepEqual(await askWith({ httpGet: { path: `/${status}`, port } }), {
      ok: false,
      message,
    });
  }
});

test('httpGet sends the headers of the manifest, its Host too, and says who asks', async (t) => {
  const seen: http.IncomingHttpHeaders[] = [];
  const server = http.createServer((request, response) => {
    seen.push(request.headers);
    response.end();
  });
  const port = await listening(t, server);
  const httpHeaders = [
    { name: 'Host', value: 'shop.example.com' },
    { name: 'X-Probe', value: 'a' },
    { name: 'x-probe', value: 'b' },
  ];
  await askWith(
    { httpGet: { port: 'web', httpHeaders } },
    contextOf([{ name: 'web', containerPort: port }]),
  );
  await askWith({
    httpGet: {
      port,
      httpHeaders: [
        { name: 'User-Agent', value: 'mine' },
        { name: 'Accept', value: '' },
      ],
    },
  });
  assert.equal(seen[0]?.host, 'shop.example.com');
  assert.equal(seen[0]?.['x-probe'], 'a, b');
  assert.match(the(seen[0]?.['user-agent']), /^kube-probe\//);
  assert.equal(seen[0]?.accept, '*/*');
  assert.equal(seen[1]?.['user-agent'], 'mine');
  assert.equal(seen[1]?.accept, undefined);
});

test('httpGet follows redirects on its host, counts one away from it as success, and has enough of a circle', async (t) => {
  const seen: string[] = [];
  const server = http.createServer((request, response) => {
    const url = the(request.url);
    seen.push(url);
    const to: Record<string, string> = {
      '/moved': '/bad',
      '/away': 'http://elsewhere.invalid/x',
      '/circle': '/circle',
    };
    if (to[url] === undefined) response.writeHead(500).end();
    else response.writeHead(302, { location: to[url] }).end();
  });
  const port = await listening(t, server);
  assert.equal((await askWith({ httpGet: { path: '/moved', port } })).ok, false);
  assert.deepEqual(seen, ['/moved', '/bad']);
  assert.deepEqual(await askWith({ httpGet: { path: '/away', port } }), SUCCESS);
  const circle = await askWith({ httpGet: { path: '/circle', port } });
  assert.deepEqual(circle, { ok: false, message: 'stopped after 10 redirects' });
});

test(
  'httpGet over TLS does not ask whose certificate it is, and HTTP2 is spoken without TLS',
  { skip: missingOpenssl() ?? false },
  async (t) => {
    const secure = https.createServer(makeCertificates().stranger, (_, response) => response.end());
    const port = await listening(t, secure);
    assert.deepEqual(
      await askWith({ httpGet: { scheme: 'HTTPS', port }, timeoutSeconds: 10 }),
      SUCCESS,
    );
    assert.equal(
      (await askWith({ httpGet: { scheme: 'HTTP', port }, timeoutSeconds: 10 })).ok,
      false,
    );

    const plain = http2.createServer((request, response) => {
      response
        .writeHead(request.url === '/ok' && request.authority === 'a.example' ? 200 : 500)
        .end();
    });
    const h2port = await listening(t, plain as unknown as net.Server);
    const httpGet = {
      protocol: 'HTTP2',
      port: h2port,
      path: '/ok',
      httpHeaders: [{ name: 'Host', value: 'a.example' }],
    };
    assert.deepEqual(await askWith({ httpGet, timeoutSeconds: 10 }), SUCCESS);
  },
);

test('no connection and no answer are told as such', async (t) => {
  const port = await closedPort();
  const refused = `dial tcp ${IP}:${port}: connection refused`;
  assert.deepEqual(await askWith({ tcpSocket: { port } }), { ok: false, message: refused });
  assert.deepEqual(await askWith({ httpGet: { port, path: '/x' } }), {
    ok: false,
    message: `Get "http://${IP}:${port}/x": ${refused}`,
  });
  assert.deepEqual(await askWith({ grpc: { port } }), { ok: false, message: refused });
  const silent = await listening(
    t,
    net.createServer(() => {}),
  );
  for (const way of [{ httpGet: { port: silent } }, { grpc: { port: silent } }]) {
    assert.deepEqual(await askWith(way), { ok: false, message: 'no answer within 1 s' });
  }
  assert.deepEqual(await askWith({ tcpSocket: { port: silent } }), SUCCESS);
});

test('a port without such a name is told in the words of kubelet', async () => {
  const result = await askWith({ httpGet: { port: 'admin' } });
  assert.deepEqual(result, { ok: false, message: `couldn't find port: "admin"` });
});

/** A gRPC health server that answers with this status, or with a gRPC error. */
function healthServer(answers: Record<string, number | 'unimplemented' | 'refused'>) {
  const server = http2.createServer();
  server.on('stream', (stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('end', () => {
      const body = Buffer.concat(chunks);
      const service = body.length > 5 ? body.toString('utf8', 7) : '';
      const answer =
        headers[':path'] === '/grpc.health.v1.Health/Check' ? answers[service] : 'unimplemented';
      if (typeof answer !== 'number') {
        stream.respond(
          {
            ':status': 200,
            'content-type': 'application/grpc',
            'grpc-status': '12',
            'grpc-message': 'no%20health',
          },
          { endStream: true },
        );
        return;
      }
      stream.respond(
        { ':status': 200, 'content-type': 'application/grpc' },
        { waitForTrailers: true },
      );
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.end(Buffer.from(answer === 0 ? [0, 0, 0, 0, 0] : [0, 0, 0, 0, 2, 0x08, answer]));
    });
  });
  return server;
}

test('grpc asks the health service by name', async (t) => {
  const server = healthServer({ '': 1, ready: 1, down: 2, odd: 0 });
  const port = await listening(t, server as unknown as net.Server);
  const timeoutSeconds = 10;
  assert.deepEqual(await askWith({ grpc: { port }, timeoutSeconds }), SUCCESS);
  assert.deepEqual(await askWith({ grpc: { port, service: 'ready' }, timeoutSeconds }), SUCCESS);
  assert.deepEqual(await askWith({ grpc: { port, service: 'down' }, timeoutSeconds }), {
    ok: false,
    message: 'service unhealthy (responded with "NOT_SERVING")',
  });
  assert.deepEqual(await askWith({ grpc: { port, service: 'odd' }, timeoutSeconds }), {
    ok: false,
    message: 'service unhealthy (responded with "UNKNOWN")',
  });
  assert.deepEqual(await askWith({ grpc: { port, service: 'x'.repeat(200) }, timeoutSeconds }), {
    ok: false,
    message: 'error: this server answered with gRPC status 12: no health',
  });
});

test('exec is a success with exit code 0, and its output is the message otherwise', async () => {
  const commands: (readonly string[])[] = [];
  const context = (exitCode: number, output: string): AskContext =>
    contextOf([], {
      exec: (command) => {
        commands.push(command);
        return Promise.resolve({ exitCode, output });
      },
    });
  const probe = { exec: { command: ['check', '-v'] } };
  assert.deepEqual(await askWith(probe, context(0, 'fine')), SUCCESS);
  assert.deepEqual(await askWith(probe, context(2, 'not well\n')), {
    ok: false,
    message: 'not well',
  });
  assert.deepEqual(await askWith(probe, context(3, '')), {
    ok: false,
    message: 'command ended with exit code 3',
  });
  assert.deepEqual(commands[0], ['check', '-v']);
});

test('a hook may sleep, and ends early when it is told to', async () => {
  assert.deepEqual(await runHook({ sleep: { seconds: 0 } }, contextOf()), SUCCESS);
  const end = new AbortController();
  const sleeping = runHook({ sleep: { seconds: 3600 } }, contextOf([], { signal: end.signal }));
  end.abort();
  assert.equal((await sleeping).ok, false);
});

/** Runs a prober on scripted answers (the last one for ever); returns its verdicts and questions. */
function proberOn(
  t: TestContext,
  kind: ProbeKind,
  probe: Record<string, unknown>,
  answers: readonly boolean[],
) {
  const end = new AbortController();
  t.after(() => end.abort());
  const verdicts: boolean[] = [];
  const counts = { asked: 0 };
  const done = runProber(
    {
      kind,
      probe: probeOf({ tcpSocket: { port: 1 }, ...probe }),
      ask: () => {
        const ok = answers[Math.min(counts.asked++, answers.length - 1)] === true;
        return Promise.resolve(ok ? SUCCESS : { ok: false, message: 'no' });
      },
      onVerdict: (verdict) => verdicts.push(verdict.ok),
    },
    end.signal,
  );
  return { verdicts, counts, done, end };
}

test('a readiness probe succeeds soon after the first success, though its period is long', async (t) => {
  const { verdicts } = proberOn(t, 'readiness', { periodSeconds: 3600 }, [
    false,
    false,
    false,
    true,
  ]);
  await until('it is ready', () => verdicts.length === 1);
  assert.deepEqual(verdicts, [true]);
});

test('the questions in between never count as failures', async (t) => {
  const { verdicts, counts } = proberOn(
    t,
    'startup',
    { periodSeconds: 3600, failureThreshold: 2 },
    [false],
  );
  await until('it was asked often', () => counts.asked > 5);
  assert.deepEqual(verdicts, []);
});

test('failures and successes count only in a row, each verdict is told once', async (t) => {
  const answers = [true, false, true, false, false, true, false, false, false, true];
  const probe = { periodSeconds: 1, failureThreshold: 2 };
  const { verdicts, counts } = proberOn(t, 'readiness', probe, answers);
  await until('all answers were given', () => counts.asked >= answers.length);
  assert.deepEqual(verdicts, [true, false, true, false, true]);
});

test('a liveness probe is asked once each period and a startup probe ends with its verdict', async (t) => {
  const liveness = proberOn(t, 'liveness', { periodSeconds: 3600 }, [false]);
  const startup = proberOn(t, 'startup', { periodSeconds: 1, failureThreshold: 1 }, [false]);
  await startup.done;
  assert.deepEqual(startup.verdicts, [false]);
  assert.equal(liveness.counts.asked, 1);
});

test('a prober that is ended asks no more', async (t) => {
  const { counts, done, end } = proberOn(t, 'readiness', { initialDelaySeconds: 3600 }, [true]);
  end.abort();
  await done;
  assert.equal(counts.asked, 0);
});

test('without a probe a container is awaited at its first TCP port', async (t) => {
  const container = the(
    pod({ container: { ports: [{ containerPort: 53, protocol: 'UDP' }, { containerPort: 8080 }] } })
      .spec.containers[0],
  );
  assert.equal(awaitedPort(container), 8080);
  assert.equal(awaitedPort(the(pod().spec.containers[0])), undefined);
  const port = await closedPort();
  const end = new AbortController();
  let accepted: boolean | undefined;
  const waiting = portAccepts(IP, port, end.signal).then((result) => (accepted = result));
  await delay(50);
  assert.equal(accepted, undefined);
  const server = net.createServer().listen(port, IP);
  t.after(() => server.close());
  assert.equal(await waiting, true);
  server.close();
  end.abort();
  assert.equal(await portAccepts(IP, port, end.signal), false);
});
