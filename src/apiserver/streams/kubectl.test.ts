// The real kubectl against these streams, over TLS and both ways it has: WebSockets, and SPDY for older
// servers.

import assert from 'node:assert/strict';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { makeAuthority, makeServerCertificate } from '../../certificates/x509.ts';
import { harness, isReady, node, pod, temporaryFolder, until } from '../../runtime/testing.ts';
import type { Harness } from '../../runtime/testing.ts';
import { startApiServer } from './testing/api-server.ts';
import type { TestApiServer } from './testing/api-server.ts';

const noKubectl = ((): string | false => {
  try {
    execFileSync('kubectl', ['version', '--client'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'kubectl is not installed';
  }
})();

const noScript = existsSync('/usr/bin/script') ? false : 'script(1) is not installed';

const PROGRAM = `
  const { createServer } = require('node:net');
  console.log('first line');
  console.error('an error');
  createServer({ allowHalfOpen: true }, (socket) => {
    socket.pipe(socket);
  }).listen(8080, process.env.FAIRWAY_POD_IP);
  require('node:http').createServer((request, response) => {
    response.end(request.method + ' ' + request.url + ' ' + (request.headers.authorization ?? 'no token'));
  }).listen(8081, process.env.FAIRWAY_POD_IP, () => console.log('up'));
  setInterval(() => { console.log('tick'); console.error('tock'); }, 100);
`;

interface Cluster {
  readonly h: Harness;
  readonly api: TestApiServer;
  readonly run: (args: readonly string[], input?: string | Buffer) => Promise<Result>;
  readonly start: (args: readonly string[]) => ChildProcess;
  /** Runs a line of shell in a terminal. */
  readonly terminal: (line: string) => ChildProcess;
}

interface Result {
  readonly code: number | null;
  readonly out: string;
  readonly err: string;
}

async function cluster(t: TestContext, websockets: boolean): Promise<Cluster> {
  const h = harness(t);
  const authority = await makeAuthority('test', new Date());
  const tls = await makeServerCertificate(['127.0.0.1'], authority, new Date());
  const api = await startApiServer(t, h, { tls });
  const folder = temporaryFolder(t);
  const config = join(folder, 'config');
  const ca = Buffer.from(authority.certificate).toString('base64');
  const server = { server: `https://127.0.0.1:${api.port}`, 'certificate-authority-data': ca };
  writeFileSync(
    config,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: server }],
      users: [{ name: 'u', user: { token: 'secret' } }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u' } }],
      'current-context': 'x',
    }),
  );
  const env = {
    ...process.env,
    KUBECONFIG: config,
    HOME: folder,
    KUBECTL_REMOTE_COMMAND_WEBSOCKETS: String(websockets),
    KUBECTL_PORT_FORWARD_WEBSOCKETS: String(websockets),
  };
  const begin = (command: string, args: readonly string[]): ChildProcess => {
    const child = spawn(command, args, { env: { ...env, SHELL: '/bin/sh' }, stdio: 'pipe' });
    t.after(() => child.kill('SIGKILL'));
    return child;
  };
  const start = (args: readonly string[]): ChildProcess => begin('kubectl', args);
  const terminal = (line: string): ChildProcess => begin('script', ['-qec', line, '/dev/null']);
  const run = async (args: readonly string[], input: string | Buffer = ''): Promise<Result> => {
    const child = start(args);
    assert.ok(child.stdin && child.stdout && child.stderr);
    child.stdin.on('error', () => {});
    child.stdin.end(input);
    const [out, err] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, 'close'),
    ]);
    return { code: child.exitCode, out, err };
  };
  h.put(pod({ container: { ...node(PROGRAM), ports: [{ containerPort: 8080 }] } }));
  await h.when('ready', isReady);
  return { h, api, run, start, terminal };
}

for (const websockets of [true, false]) {
  const how = websockets ? 'WebSockets' : 'SPDY';

  test(`kubectl exec over ${how}`, { skip: noKubectl }, async (t) => {
    const { api, run, start } = await cluster(t, websockets);
    const hello = await run([
      'exec',
      'web',
      '--',
      '/bin/sh',
      '-c',
      'echo out; echo err >&2; echo $HOSTNAME',
    ]);
    assert.deepEqual(hello, { code: 0, out: 'out\nweb\n', err: 'err\n' });
    assert.equal(api.upgrades.at(-1), websockets ? 'GET websocket' : 'POST SPDY/3.1');

    const failed = await run(['exec', 'web', '--', '/bin/sh', '-c', 'exit 7']);
    assert.equal(failed.code, 7);
    assert.match(failed.err, /command terminated with exit code 7/);

    const input = Buffer.alloc(5_000_000, 'all of this comes back ');
    const echoed = await run(['exec', '-i', 'web', '--', 'cat'], input);
    assert.equal(echoed.code, 0, echoed.err);
    assert.equal(echoed.out, input.toString());

    const unread = await run(['exec', '-i', 'web', '--', 'true'], input);
    assert.equal(unread.code, 0, unread.err);

    const missing = await run(['exec', 'web', '--', 'no-such-program']);
    assert.equal(missing.code, 1);
    assert.match(missing.err, /exec: "no-such-program": executable file not found in \$PATH/);

    // The command must end with the client.
    const long = start(['exec', 'web', '--', '/bin/sh', '-c', 'echo $$; exec sleep 3600']);
    assert.ok(long.stdout);
    const [pid] = await once(long.stdout, 'data');
    long.kill('SIGKILL');
    await until('the command has ended', () => {
      try {
        return !process.kill(Number(String(pid)), 0);
      } catch {
        return true;
      }
    });
  });

  test(`kubectl attach and logs, ${how}`, { skip: noKubectl }, async (t) => {
    const { run, start } = await cluster(t, websockets);
    const attached = start(['attach', 'web']);
    assert.ok(attached.stdout && attached.stderr);
    let [out, err] = ['', ''];
    attached.stdout.on('data', (chunk) => (out += chunk));
    attached.stderr.on('data', (chunk) => (err += chunk));
    await until(
      'both outputs come',
      () => out.includes('tick\ntick\n') && err.includes('tock\ntock\n'),
    );
    assert.ok(!out.includes('tock'));
    attached.kill();
    const typing = await run(['attach', '-i', 'web'], 'x');
    assert.equal(typing.code, 1);
    assert.match(typing.err, /standard input of a container cannot be attached/);
    if (!websockets) return;

    const log = await run(['logs', 'web']);
    assert.match(log.out, /^first line\nan error\nup\n/);
    assert.match((await run(['logs', 'web', '--tail=1', '--timestamps'])).out, /^\S+Z t[io]ck\n$/);
    assert.equal((await run(['logs', 'web', '--limit-bytes=5'])).out, 'first');
    assert.equal((await run(['logs', 'web', '--since-time=2999-01-01T00:00:00Z'])).out, '');
    const following = start(['logs', '-f', '--tail=0', 'web']);
    assert.ok(following.stdout);
    const lines: Buffer[] = [];
    following.stdout.on('data', (chunk: Buffer) => lines.push(chunk));
    await until('new lines come', () => Buffer.concat(lines).toString().split('tick').length > 3);
    following.kill();
  });

  test(`kubectl port-forward over ${how}`, { skip: noKubectl }, async (t) => {
    const { api, start } = await cluster(t, websockets);
    const forward = start(['port-forward', 'pod/web', ':8080', ':8081', ':9999']);
    assert.ok(forward.stdout && forward.stderr);
    let said = '';
    let failed = '';
    forward.stdout.on('data', (chunk) => (said += chunk));
    forward.stderr.on('data', (chunk) => (failed += chunk));
    const local = (port: number): number =>
      Number(new RegExp(`127\\.0\\.0\\.1:(\\d+) -> ${port}\\n`).exec(said)?.[1] ?? 0);
    await until('all ports are forwarded', () =>
      [8080, 8081, 9999].every((port) => local(port) > 0),
    );
    assert.equal(api.upgrades.at(-1), websockets ? 'GET websocket' : 'POST SPDY/3.1', failed);
    const big = Buffer.alloc(2_000_000, 'through the tunnel ');
    const echoed = await Promise.all(
      Array.from({ length: 8 }, async () => {
        const socket = connect({ port: local(8080), host: '127.0.0.1', allowHalfOpen: true });
        socket.end(big);
        return text(socket);
      }),
    );
    for (const each of echoed)
      assert.equal(each === big.toString(), true, `${each.length} bytes: ${failed}`);
    const answer = await fetch(`http://127.0.0.1:${local(8081)}/x?y`);
    assert.equal(await answer.text(), 'GET /x?y no token');
    const refused = connect(local(9999), '127.0.0.1');
    refused.on('error', () => {});
    refused.resume();
    await until('kubectl says why', () => failed.includes('connection refused'));
    assert.match(
      failed,
      /an error occurred forwarding \d+ -> 9999: error forwarding port 9999 to pod default\/web/,
    );
  });
}

test('kubectl exec -it has a terminal of its size', { skip: noKubectl || noScript }, async (t) => {
  for (const websockets of [true, false]) {
    const { terminal } = await cluster(t, websockets);
    const inPod = `'tty; read line; stty size; echo "got $line"; exit 3'`;
    const child = terminal(
      `stty cols 91 rows 33; exec kubectl exec -it web -- /bin/sh -c ${inPod}`,
    );
    assert.ok(child.stdin && child.stdout);
    let said = '';
    child.stdout.on('data', (chunk) => (said += chunk));
    await until('there is a terminal', () => /\/dev\/pts\/\d+/.test(said));
    await delay(500);
    child.stdin.write('hello\n');
    await once(child, 'close');
    assert.match(said, /33 91\r/);
    assert.match(said, /got hello\r/);
    assert.equal(child.exitCode, 3);
  }
});

test('kubectl get --raw through pods/proxy', { skip: noKubectl }, async (t) => {
  const { run } = await cluster(t, true);
  const got = await run(['get', '--raw', '/api/v1/namespaces/default/pods/web:8081/proxy/a/b?c=d']);
  assert.deepEqual(got, { code: 0, out: 'GET /a/b?c=d no token', err: '' });
  const down = await run(['get', '--raw', '/api/v1/namespaces/default/pods/web:9999/proxy/']);
  assert.match(
    down.err,
    /error trying to reach service: dial tcp 127\.[\d.]+:9999: .*ECONNREFUSED/,
  );
});
