// Which images are known, and what becomes of a pod that cannot start.

import assert from 'node:assert/strict';
import net from 'node:net';
import { test } from 'node:test';
import { isEchoImage, startEcho, type EchoPod } from './echo.ts';
import { EchoStartError, type EchoStartCode } from './errors.ts';
import { makeCertificates, missingOpenssl } from './testing/certificates.ts';
import { request, startPod } from './testing/pods.ts';

const ADDRESS = '127.244.250.18';

const IMAGES: readonly [image: string, isKnown: boolean][] = [
  ['registry.k8s.io/gateway-api/echo-basic:v1.5.1', true],
  ['gcr.io/k8s-staging-gateway-api/echo-basic:v20240412-v1.0.0-394-g40c666fd', true],
  ['registry.k8s.io/gateway-api/echo-basic', true],
  ['registry.k8s.io/gateway-api/echo-basic:v1@sha256:0123', true],
  ['localhost:5000/mirror/gateway-api/echo-advanced@sha256:0123', true],
  ['istio/app:1.30', true],
  ['hashicorp/http-echo', true],
  ['docker.io/hashicorp/http-echo:0.2.3', true],
  ['registry.k8s.io/e2e-test-images/agnhost:2.53', true],
  ['traefik/whoami:v1.11', true],
  ['echo-basic', false],
  ['example.com/me/echo-basic:v1', false],
  ['hashicorp/http-echo-plus', false],
  ['nginx:1.27', false],
  ['registry.k8s.io/coredns/coredns:v1.12', false],
  ['', false],
];

for (const [image, isKnown] of IMAGES) {
  test(`${image || 'no image'} is ${isKnown ? 'an' : 'no'} echo image`, () =>
    assert.equal(isEchoImage(image), isKnown));
}

function pod(overrides: Partial<EchoPod>): EchoPod {
  return {
    address: ADDRESS,
    image: 'gateway-api/echo-basic',
    args: [],
    env: {},
    log: () => {},
    readFile: async (path) => {
      throw new Error(`ENOENT: ${path}`);
    },
    ...overrides,
  };
}

const TLS_ENV = { TLS_SERVER_CERT: '/tls.crt', TLS_SERVER_PRIVKEY: '/tls.key' };
const FAILURES: readonly [
  name: string,
  overrides: Partial<EchoPod>,
  code: EchoStartCode,
  message: RegExp,
][] = [
  ['an unknown image', { image: 'nginx' }, 'FW_ECHO_IMAGE', /^nginx is not an echo image/],
  [
    'a port that is none',
    { env: { HTTP_PORT: 'http' } },
    'FW_ECHO_CONFIG',
    /^HTTP_PORT: "http" is not a port/,
  ],
  [
    'a port out of range',
    { env: { HTTP_PORT: '70000' } },
    'FW_ECHO_CONFIG',
    /^HTTP_PORT: "70000" is not a port/,
  ],
  [
    'two uses of one port',
    { env: { H2C_PORT: '3000' } },
    'FW_ECHO_LISTEN',
    /127\.244\.250\.18:3000\/tcp: EADDRINUSE/,
  ],
  [
    'a certificate that is not there',
    { env: TLS_ENV },
    'FW_ECHO_CERTIFICATE',
    /^failed to read certificate \/tls\.crt/,
  ],
  [
    'a certificate that is none',
    { env: TLS_ENV, readFile: async () => Buffer.from('no PEM') },
    'FW_ECHO_CERTIFICATE',
    /^error parsing key pair: /,
  ],
  [
    'an address of someone else',
    { address: '192.0.2.1' },
    'FW_ECHO_LISTEN',
    /192\.0\.2\.1:3000\/tcp: EADDRNOTAVAIL/,
  ],
  [
    'no text to echo',
    { image: 'hashicorp/http-echo' },
    'FW_ECHO_CONFIG',
    /^Missing -text option or ECHO_TEXT env var!$/,
  ],
  [
    'an agnhost command that is not there',
    { image: 'e2e-test-images/agnhost', args: ['liveness'] },
    'FW_ECHO_CONFIG',
    /liveness/,
  ],
  [
    'an unknown flag',
    { image: 'traefik/whoami', args: ['--nope'] },
    'FW_ECHO_CONFIG',
    /^unknown flag: --nope$/,
  ],
  [
    'a feature left out',
    { image: 'istio/app', args: ['--hbone=1'] },
    'FW_ECHO_CONFIG',
    /^--hbone is not supported/,
  ],
];

for (const [name, overrides, code, message] of FAILURES) {
  test(`does not start: ${name}`, async (t) => {
    await assert.rejects(startEcho(pod(overrides)), (error) => {
      return error instanceof EchoStartError && error.code === code && message.test(error.message);
    });
    // What was open until then is closed again.
    await startPod(t, { address: ADDRESS });
  });
}

test(
  'does not start: a key that does not belong to the certificate',
  { skip: missingOpenssl() ?? false },
  async () => {
    const { server, client } = makeCertificates();
    const readFile = async (path: string): Promise<Buffer> =>
      Buffer.from(path === '/tls.crt' ? server.cert : client.key);
    await assert.rejects(
      startEcho(pod({ env: TLS_ENV, readFile })),
      /^EchoStartError: error parsing key pair: /,
    );
  },
);

test('a taken port is named with its owner’s protocol', async (t) => {
  const other = net.createServer().listen(3001, ADDRESS);
  t.after(() => other.close());
  await new Promise((resolve) => other.once('listening', resolve));
  await assert.rejects(startEcho(pod({})), (error) => {
    assert.ok(error instanceof EchoStartError);
    assert.equal(
      error.message,
      'cannot listen on 127.244.250.18:3001/tcp: EADDRINUSE, another program listens there already',
    );
    assert.equal((error.cause as NodeJS.ErrnoException).code, 'EADDRINUSE');
    return true;
  });
});

test('a hundred pods in one process answer each for itself', async (t) => {
  const addresses = Array.from({ length: 100 }, (_, at) => `127.244.251.${at + 1}`);
  await Promise.all(
    addresses.map((address) => startPod(t, { address, env: { POD_NAME: address } })),
  );
  const answers = await Promise.all(addresses.map((address) => request(address, '/')));
  assert.deepEqual(
    answers.map((answer) => JSON.parse(answer.body).pod),
    addresses,
  );
});
