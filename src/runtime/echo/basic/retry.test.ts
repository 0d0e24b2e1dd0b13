// echo-basic's flaky backend, by which the conformance suite tests a gateway's retries.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { request, requestHttp2, startPod } from '../testing/pods.ts';

const ADDRESS = '127.244.250.12';

test('without responseCode a failure resets the connection', async (t) => {
  await startPod(t, { address: ADDRESS });
  const target = '/retry/x?uuid=a&succeedAfter=2';
  const answers = [
    await request(ADDRESS, target),
    await request(ADDRESS, target),
    await request(ADDRESS, target),
  ];
  assert.deepEqual(
    answers.map(({ status, error }) => [status, error]),
    [
      [0, 'ECONNRESET'],
      [0, 'ECONNRESET'],
      [200, undefined],
    ],
  );
});

test('with responseCode a failure is an answer without body', async (t) => {
  const pod = await startPod(t, { address: ADDRESS });
  const target = '/retry/x?uuid=a&succeedAfter=1&responseCode=503';
  const failure = await request(ADDRESS, target);
  assert.deepEqual([failure.status, failure.body], [503, '']);
  assert.equal(JSON.parse((await request(ADDRESS, target)).body).path, target);
  // Only the success is in the log, where tests count requests.
  assert.equal(pod.log.filter((line) => line.startsWith('Echoing')).length, 1);
});

test('every uuid has its own count', async (t) => {
  await startPod(t, { address: ADDRESS });
  for (const uuid of ['a', 'b']) {
    const target = `/retry/x?uuid=${uuid}&succeedAfter=1&responseCode=500`;
    assert.equal((await request(ADDRESS, target)).status, 500);
    assert.equal((await request(ADDRESS, target)).status, 200);
  }
});

test('a failure can come late, and failures wait for each other', async (t) => {
  await startPod(t, { address: ADDRESS });
  const target = '/retry/x?uuid=a&succeedAfter=2&responseCode=500&delayRetry=100ms';
  const startedMs = performance.now();
  const answers = await Promise.all([request(ADDRESS, target), request(ADDRESS, target)]);
  assert.deepEqual(
    answers.map((answer) => answer.status),
    [500, 500],
  );
  assert.ok(performance.now() - startedMs >= 195);
});

const BAD: readonly [target: string, status: number, body: string][] = [
  ['/retry/x?succeedAfter=1', 400, 'uuid is required'],
  ['/retry/x?uuid=a', 400, 'succeedAfter is required'],
  ['/retry/x?uuid=a&succeedAfter=x', 400, 'succeedAfter is required'],
  [
    '/retry/x?uuid=a&succeedAfter=1&delayRetry=z',
    500,
    '{"message":"time: invalid duration \\"z\\""}',
  ],
];

for (const [target, status, body] of BAD) {
  test(`${target} is answered with ${status}`, async (t) => {
    await startPod(t, { address: ADDRESS });
    const answer = await request(ADDRESS, target);
    assert.deepEqual([answer.status, answer.body], [status, body]);
  });
}

test('zero and negative counts succeed at once', async (t) => {
  await startPod(t, { address: ADDRESS });
  assert.equal((await request(ADDRESS, '/retry/?uuid=a&succeedAfter=0')).status, 200);
  assert.equal((await request(ADDRESS, '/retry/?uuid=a&succeedAfter=-1')).status, 200);
});

test('the h2c port has no retry: it echoes', async (t) => {
  await startPod(t, { address: ADDRESS });
  const answer = await requestHttp2(`http://${ADDRESS}:3001`, {
    ':path': '/retry/x?uuid=a&succeedAfter=1',
  });
  assert.equal(answer.headers[':status'], 200);
});
