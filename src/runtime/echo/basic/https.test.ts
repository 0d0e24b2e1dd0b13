// echo-basic's HTTPS port: what it says about TLS, and what it makes of client certificates.

import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import tls from 'node:tls';
import { makeCertificates, missingOpenssl } from '../testing/certificates.ts';
import { parseAnswer, requestHttp2, startPod } from '../testing/pods.ts';

const ADDRESS = '127.244.250.14';
const skip = missingOpenssl() ?? false;
const certificates = skip ? undefined : makeCertificates();
const GET = 'GET /?a HTTP/1.1\r\nHost: echo.example\r\nConnection: close\r\n\r\n';

async function startHttps(
  t: TestContext,
  env: Readonly<Record<string, string>> = {},
): Promise<void> {
  await startPod(t, {
    address: ADDRESS,
    env: { TLS_SERVER_CERT: '/tls/tls.crt', TLS_SERVER_PRIVKEY: '/tls/tls.key', ...env },
    files: {
      '/tls/tls.crt': certificates?.server.cert ?? '',
      '/tls/tls.key': certificates?.server.key ?? '',
      '/ca/ca.crt': certificates?.ca.cert ?? '',
    },
  });
}

/** The text a TLS client gets for a GET, and the code of its error if any. */
function get(options: tls.ConnectionOptions): Promise<{ text: string; error: string | undefined }> {
  return new Promise((resolve) => {
    let text = '';
    let error: string | undefined;
    const trusted = {
      host: ADDRESS,
      port: 8443,
      servername: 'echo.example',
      ca: certificates?.ca.cert,
    };
    const socket = tls.connect({ ...trusted, ...options });
    socket.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
    socket.on('error', (caught: NodeJS.ErrnoException) => (error = caught.code));
    socket.on('close', () => resolve({ text, error }));
    socket.write(GET);
  });
}

async function tlsSeen(options: tls.ConnectionOptions): Promise<unknown> {
  return JSON.parse(parseAnswer((await get(options)).text).body).tls;
}

const TLS13 = { version: 'TLSv1.3', cipherSuite: 'TLS_AES_128_GCM_SHA256' };

test('TLS 1.3 without ALPN', { skip }, async (t) => {
  await startHttps(t);
  assert.deepEqual(await tlsSeen({}), { ...TLS13, serverName: 'echo.example' });
});

test('no server name', { skip }, async (t) => {
  await startHttps(t);
  assert.deepEqual(await tlsSeen({ servername: '', rejectUnauthorized: false }), {
    ...TLS13,
    serverName: '',
  });
});

test('TLS 1.2 and its cipher suite by the name Go gives it', { skip }, async (t) => {
  await startHttps(t);
  const options = { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-CHACHA20-POLY1305' } as const;
  assert.deepEqual(await tlsSeen(options), {
    version: 'TLSv1.2',
    serverName: 'echo.example',
    cipherSuite: 'TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256',
  });
});

test('HTTP/1.1 and HTTP/2 by ALPN', { skip }, async (t) => {
  await startHttps(t);
  const seen = await tlsSeen({ ALPNProtocols: ['http/1.1'] });
  assert.deepEqual(seen, { ...TLS13, serverName: 'echo.example', negotiatedProtocol: 'http/1.1' });
  const trusted = { ca: certificates?.ca.cert, servername: 'echo.example' };
  const answer = await requestHttp2(
    `https://${ADDRESS}:8443`,
    { ':path': '/health' },
    undefined,
    trusted,
  );
  assert.equal(String(answer.body), 'OK');
  const echoed = await requestHttp2(
    `https://${ADDRESS}:8443`,
    { ':path': '/' },
    undefined,
    trusted,
  );
  const { proto, tls: facts } = JSON.parse(String(echoed.body));
  assert.deepEqual([proto, facts.negotiatedProtocol], ['HTTP/2.0', 'h2']);
});

test('a client that speaks neither is turned away in the handshake', { skip }, async (t) => {
  await startHttps(t);
  const { text, error } = await get({ ALPNProtocols: ['foo'] });
  assert.equal(text, '');
  assert.notEqual(error, undefined);
});

test('a client certificate is shown as PEM, byte for byte', { skip }, async (t) => {
  await startHttps(t, { TLS_CLIENT_CACERTS: '/ca/ca.crt' });
  const seen = await tlsSeen({ cert: certificates?.client.cert, key: certificates?.client.key });
  assert.deepEqual(seen, {
    ...TLS13,
    serverName: 'echo.example',
    peerCertificates: [certificates?.client.cert],
  });
});

test('each request on a connection shows the certificate', { skip }, async (t) => {
  await startHttps(t, { TLS_CLIENT_CACERTS: '/ca/ca.crt' });
  const client = { cert: certificates?.client.cert, key: certificates?.client.key };
  const { text } = await new Promise<{ text: string }>((resolve) => {
    let received = '';
    const options = { host: ADDRESS, port: 8443, rejectUnauthorized: false, ...client };
    const socket = tls.connect(options, () =>
      socket.write(GET.replace('Connection: close\r\n', '') + GET),
    );
    socket.setEncoding('utf8').on('data', (chunk: string) => (received += chunk));
    socket.on('close', () => resolve({ text: received }));
  });
  assert.equal(text.split('BEGIN CERTIFICATE').length - 1, 2);
});

test(
  'a client without certificate is served even if authorities are given',
  { skip },
  async (t) => {
    await startHttps(t, { TLS_CLIENT_CACERTS: '/ca/ca.crt' });
    assert.deepEqual(await tlsSeen({}), { ...TLS13, serverName: 'echo.example' });
  },
);

test(
  'a client certificate of another authority ends the connection without an answer',
  { skip },
  async (t) => {
    await startHttps(t, { TLS_CLIENT_CACERTS: '/ca/ca.crt' });
    const { text } = await get({
      cert: certificates?.stranger.cert,
      key: certificates?.stranger.key,
    });
    assert.equal(text, '');
  },
);

test('without authorities no certificate is asked for', { skip }, async (t) => {
  await startHttps(t);
  const seen = await tlsSeen({ cert: certificates?.client.cert, key: certificates?.client.key });
  assert.deepEqual(seen, { ...TLS13, serverName: 'echo.example' });
});

test('a failure of the retry endpoint closes the TLS connection', { skip }, async (t) => {
  await startHttps(t);
  const { text } = await new Promise<{ text: string }>((resolve) => {
    let received = '';
    const socket = tls.connect({ host: ADDRESS, port: 8443, rejectUnauthorized: false });
    socket.on('data', (chunk) => (received += String(chunk))).on('error', () => {});
    socket.on('close', () => resolve({ text: received }));
    socket.write(GET.replace('/?a', '/retry/x?uuid=a&succeedAfter=1'));
  });
  assert.equal(text, '');
  const trusted = { ca: certificates?.ca.cert, servername: 'echo.example' };
  const path = '/retry/x?uuid=b&succeedAfter=1';
  const answer = await requestHttp2(
    `https://${ADDRESS}:8443`,
    { ':path': path },
    undefined,
    trusted,
  );
  assert.equal(String(answer.body), '{"message":"response writer does not support hijacking"}');
});
