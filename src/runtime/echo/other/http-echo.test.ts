// hashicorp/http-echo: the text, its headers, its health and its log.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, startPod } from '../testing/pods.ts';

const POD = { address: '127.244.250.22', image: 'hashicorp/http-echo:0.2.3' };
const HEADERS = [
  'Content-Type: text/plain; charset=utf-8',
  'X-App-Name: http-echo',
  'X-App-Version: 0.2.3',
];

test('every path answers with the text', async (t) => {
  await startPod(t, { ...POD, args: ['-text=hello world'] });
  for (const method of ['GET', 'POST']) {
    const answer = await request(POD.address, '/any?x', { port: 5678, method });
    assert.deepEqual([answer.status, answer.body], [200, 'hello world\n']);
    assert.deepEqual(answer.headers.slice(0, 3), HEADERS);
  }
});

test('text from the environment, another port, another status', async (t) => {
  await startPod(t, {
    ...POD,
    args: ['-listen', ':8080', '--status-code=404'],
    env: { ECHO_TEXT: 'gone' },
  });
  const answer = await request(POD.address, '/', { port: 8080 });
  assert.deepEqual([answer.status, answer.body], [404, 'gone\n']);
});

test('health is always well, and not logged', async (t) => {
  const pod = await startPod(t, { ...POD, args: ['-text=x', '-status-code=500'] });
  const answer = await request(POD.address, '/health', { port: 5678 });
  assert.deepEqual([answer.status, answer.body], [200, '{"status":"ok"}\n']);
  assert.equal(pod.log.length, 1);
});

test('a request is one line of the log', async (t) => {
  const pod = await startPod(t, { ...POD, args: ['-text=x'] });
  await request(POD.address, '/p?q', { port: 5678, headers: ['User-Agent: me'] });
  const line =
    /^\d{4}\/\d\d\/\d\d \d\d:\d\d:\d\d echo\.example 127\.[\d.]+:\d+ "GET \/p HTTP\/1\.1" 200 2 "me" [\d.]+(µs|ms)$/;
  assert.match(pod.log.at(-1) ?? '', line);
});

test('a path to clean up redirects permanently', async (t) => {
  await startPod(t, { ...POD, args: ['-text=x'] });
  const answer = await request(POD.address, '/a/../b', { port: 5678 });
  assert.deepEqual([answer.status, answer.body], [301, '<a href="/b">Moved Permanently</a>.\n\n']);
});
