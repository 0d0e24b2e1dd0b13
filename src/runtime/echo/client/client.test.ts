// The echo client against echo-advanced pods, as the mesh tests use it: what is printed, and the exit status.

import assert from 'node:assert/strict';
import net, { type LookupFunction } from 'node:net';
import { test, type TestContext } from 'node:test';
import { runEchoClient } from '../echo.ts';
import { makeCertificates, missingOpenssl } from '../testing/certificates.ts';
import { startPod } from '../testing/pods.ts';
import type { ClientOptions } from './sender.ts';

const ADDRESS = '127.244.250.20';
const SOURCE = '127.244.250.21';
const ARGS = [
  '--tcp=9090',
  '--tcp=9091',
  '--server-first=9091',
  '--udp=9092',
  '--port=8080',
  '--port=8443',
  '--tls=8443',
];

async function startServer(t: TestContext): Promise<void> {
  await startPod(t, {
    address: ADDRESS,
    image: 'registry.k8s.io/gateway-api/echo-advanced:v1.5.1',
    args: [...ARGS, '--crt=/cert.crt', '--key=/cert.key'],
    env: { HOSTNAME: 'echo-v1-a-b' },
  });
}

/** Resolves every name to the server, as cluster DNS would a Service. */
const lookup: LookupFunction = (_name, options, callback) => {
  if (options.all === true) callback(null, [{ address: ADDRESS, family: 4 }]);
  else callback(null, ADDRESS, 4);
};

interface Result {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function run(
  args: readonly string[],
  options: ClientOptions = { localAddress: SOURCE, lookup },
): Promise<Result> {
  const printed = { stdout: '', stderr: '' };
  const out = {
    stdout: (text: string) => void (printed.stdout += text),
    stderr: (text: string) => void (printed.stderr += text),
  };
  return { status: await runEchoClient(args, out, options), ...printed };
}

/** Printed lines without what differs from run to run. */
function stable(stdout: string): string[] {
  return stdout
    .replace(/^.*\tinfo\t/m, 'info ')
    .split('\n')
    .filter((line) => !/Latency=|ResponseHeader=(Date|date|Content-Length):/.test(line));
}

test('HTTP: the request, the answer’s head, then its body, line by line', async (t) => {
  await startServer(t);
  const { status, stdout } = await run([
    'client',
    'http://echo:8080/path?x=1',
    '--method=POST',
    '-H',
    'X-B:v',
    '-H',
    'Host: foo.example',
  ]);
  assert.equal(status, 0);
  assert.deepEqual(stable(stdout), [
    '[0] Url=http://echo:8080/path?x=1',
    '[0] Header=X-B:v',
    `[0] SourceIP=${SOURCE}`,
    '[0] ActiveRequests=1',
    '[0] StatusCode=200',
    '[0] ResponseHeader=Content-Type:text/plain; charset=utf-8',
    '[0 body] ServiceVersion=',
    '[0 body] ServicePort=8080',
    '[0 body] Host=foo.example',
    '[0 body] URL=/path?x=1',
    '[0 body] Method=POST',
    '[0 body] Proto=HTTP/1.1',
    `[0 body] IP=${SOURCE}`,
    '[0 body] RequestHeader=Accept-Encoding:gzip',
    '[0 body] RequestHeader=Connection:close',
    '[0 body] RequestHeader=Content-Length:0',
    '[0 body] RequestHeader=User-Agent:Go-http-client/1.1',
    '[0 body] RequestHeader=X-B:v',
    '[0 body] Hostname=echo-v1-a-b',
    '',
    'info All 1 requests succeeded',
    '',
  ]);
});

test('several requests are separate blocks in order', async (t) => {
  await startServer(t);
  const { stdout } = await run(['http://echo:8080/', '--count=45']);
  const blocks = stdout.split('\n\n').filter((block) => block.includes('StatusCode'));
  assert.deepEqual(
    blocks.map((block) => block.slice(0, block.indexOf(']') + 1)),
    Array.from({ length: 45 }, (_, at) => `[${at}]`),
  );
  for (const block of blocks) assert.match(block, /^\[\d+\] StatusCode=200$/m);
});

test('an error status is an answer, and redirects are not followed', async (t) => {
  await startServer(t);
  const { status, stdout } = await run(['http://echo:8080/?codes=302&headers=Location:/x']);
  assert.equal(status, 0);
  assert.match(stdout, /^\[0\] StatusCode=302$/m);
  assert.match(stdout, /^\[0\] ResponseHeader=Location:\/x$/m);
});

const LINES: readonly [name: string, args: readonly string[], lines: readonly string[]][] = [
  [
    'HTTP/2 by prior knowledge',
    ['http://echo:8080/p', '--http2', '-H', 'x-a:1,X-A:2'],
    ['[0 body] Proto=HTTP/2.0', '[0 body] RequestHeader=X-A:1', '[0 body] RequestHeader=X-A:2'],
  ],
  [
    'HTTPS with the Host header as server name',
    ['https://echo:8443/', '-H', 'Host:sni.example'],
    ['[0 body] Sni=sni.example', '[0 body] Alpn=http/1.1', '[0 body] Host=sni.example'],
  ],
  [
    'HTTPS and HTTP/2',
    ['https://echo:8443/', '--http2'],
    ['[0 body] Sni=echo', '[0 body] Alpn=h2'],
  ],
  ['no path', ['http://echo:8080'], ['[0 body] URL=/', '[0 body] Host=echo:8080']],
  ['no scheme', ['echo:8080/x'].map((url) => `http://${url}`), ['[0 body] URL=/x']],
  [
    'a path the program must not touch',
    ['http://echo:8080/a/../%2e//b'],
    ['[0 body] URL=/a/../%2e//b'],
  ],
  [
    'gRPC',
    ['grpc://echo:7070', '-H', 'x-a:1', '-H', 'Host:foo.example', '--msg', 'hi'],
    [
      '[0 body] Host=foo.example',
      '[0 body] RequestHeader=x-a:1',
      '[0 body] Echo=hi',
      '[0 body] StatusCode=200',
      '[0 body] Hostname=echo-v1-a-b',
      '[0] ResponseHeader=content-type:application/grpc',
    ],
  ],
  [
    'TCP',
    ['tcp://echo:9090'],
    [
      '[0] Echo=HelloWorld',
      '[0 body] StatusCode=200',
      '[0 body] HelloWorld',
      `[0 body] IP=${SOURCE}`,
    ],
  ],
  [
    'TCP where the server speaks first',
    ['tcp://echo:9091', '--server-first'],
    ['[0 body] ServicePort=9091', '[0 body] HelloWorld'],
  ],
  ['UDP', ['udp://echo:9092'], ['[0 body] ServicePort=9092', `[0 body] IP=${SOURCE}`]],
];

for (const [name, args, lines] of LINES) {
  test(`printed: ${name}`, async (t) => {
    await startServer(t);
    const { status, stdout } = await run(args);
    assert.equal(status, 0, stdout);
    for (const line of lines) assert.ok(stdout.split('\n').includes(line), `${line} in\n${stdout}`);
  });
}

test('a compressed answer is shown as if it had not been', async (t) => {
  const { gzipSync } = await import('node:zlib');
  const body = gzipSync('Hostname=zipped\n');
  const server = net.createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      socket.write(
        `HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: ${body.length}\r\n\r\n`,
      );
      socket.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(8080, ADDRESS, resolve));
  t.after(() => server.close());
  const { stdout } = await run(['http://echo:8080/']);
  assert.match(stdout, /^\[0 body\] Hostname=zipped$/m);
  assert.doesNotMatch(stdout, /ResponseHeader/);
});

interface Failure {
  readonly name: string;
  readonly args: readonly string[];
  readonly status: number;
  readonly printed: RegExp;
}

const FAILURES: readonly Failure[] = [
  {
    name: 'nobody listens',
    args: ['http://echo:9/'],
    status: 1,
    printed: /\tfatal\tError 1\/1 requests had errors; first error: .*ECONNREFUSED/,
  },
  {
    name: 'nobody listens, HTTP/2',
    args: ['http://echo:9/', '--http2'],
    status: 1,
    printed: /\tfatal\tError 1\/1 requests had errors; .*ECONNREFUSED/,
  },
  {
    name: 'nobody listens, gRPC',
    args: ['grpc://echo:9'],
    status: 1,
    printed: /rpc error: code = Unavailable desc = .*ECONNREFUSED/,
  },
  { name: 'nobody listens, UDP', args: ['udp://echo:9'], status: 1, printed: /ECONNREFUSED/ },
  { name: 'no gRPC there', args: ['grpc://echo:8080'], status: 1, printed: /rpc error: code = / },
  {
    name: 'the wrong answer',
    args: ['tcp://echo:9090', '--expect', 'zzz'],
    status: 1,
    printed: /expect to recv message with zzz/,
  },
  {
    name: 'no answer in time',
    args: ['http://echo:8080/?delay=1h', '--timeout=100ms', '--count=3'],
    status: 1,
    printed: /request set timed out after 0\.1s and only 0\/3 requests completed/,
  },
  {
    name: 'a header without colon',
    args: ['http://echo/', '-H', 'A'],
    status: 1,
    printed: /invalid header format: "A" \(want name:value\)/,
  },
  {
    name: 'a protocol it does not have',
    args: ['dns://echo/'],
    status: 1,
    printed: /no protocol handler found for scheme dns/,
  },
  {
    name: 'an unknown flag',
    args: ['http://echo/', '--nope'],
    status: 255,
    printed: /^Error: unknown flag: --nope\n$/,
  },
  {
    name: 'two URLs',
    args: ['http://echo/', 'http://echo/'],
    status: 255,
    printed: /^Error: accepts 1 arg\(s\), received 2\n$/,
  },
  {
    name: 'no URL',
    args: ['client'],
    status: 255,
    printed: /^Error: accepts 1 arg\(s\), received 0\n$/,
  },
];

for (const { name, args, status, printed } of FAILURES) {
  test(`fails: ${name}`, async (t) => {
    await startServer(t);
    const result = await run(args);
    assert.equal(result.status, status);
    assert.match(result.stdout + result.stderr, printed);
  });
}

test('--qps spreads the requests out', async (t) => {
  await startServer(t);
  const startedMs = performance.now();
  const { status } = await run(['http://echo:8080/', '--count=3', '--qps=20']);
  assert.equal(status, 0);
  assert.ok(performance.now() - startedMs >= 95);
});

test(
  'a server certificate is checked if there is an authority to check it by',
  { skip: missingOpenssl() ?? false },
  async (t) => {
    const { ca, server, stranger } = makeCertificates();
    await startPod(t, {
      address: ADDRESS,
      image: 'istio/app',
      args: ['--port=8443', '--tls=8443', '--crt=/c', '--key=/k'],
      files: { '/c': server.cert, '/k': server.key },
    });
    const files: Readonly<Record<string, string>> = { '/ca': ca.cert, '/stranger': stranger.cert };
    const options = { lookup, readFile: async (path: string) => Buffer.from(files[path] ?? '') };
    assert.equal((await run(['https://echo.example:8443/', '--ca=/ca'], options)).status, 0);
    assert.equal((await run(['https://echo.example:8443/', '--ca=/stranger'], options)).status, 1);
    assert.equal(
      (await run(['https://echo.example:8443/', '--ca=/stranger', '-k'], options)).status,
      0,
    );
    assert.equal((await run(['https://echo.example:8443/'], options)).status, 0);
  },
);
