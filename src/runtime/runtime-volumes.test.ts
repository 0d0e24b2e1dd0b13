import assert from 'node:assert/strict';
import https from 'node:https';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import type { Pod } from '../api/core/pod.ts';
import { makeCertificates, missingOpenssl } from './echo/testing/certificates.ts';
import { readLog } from './logs/read-log.ts';
import { configMap, harness, isReady, pod, secret, shell, the, until } from './testing.ts';
import type { Harness } from './testing.ts';

const first = (found: Pod) => the(found.status.containerStatuses?.[0]);

async function logOf(h: Harness, name = 'web'): Promise<readonly string[]> {
  const lines: string[] = [];
  const log = { stateDir: h.stateDir, namespace: 'default', pod: name, container: 'main' };
  for await (const line of readLog(log)) lines.push(line);
  return lines;
}

async function output(h: Harness, ...command: readonly string[]): Promise<string> {
  const session = await h.runtime.exec({ namespace: 'default', pod: 'web', command, stdin: false });
  const [out] = await Promise.all([text(session.stdout), session.exited]);
  return out;
}

test('a pod waits for the Secret it mounts, starts when it is there, and sees it change', async (t) => {
  const h = harness(t);
  h.put(
    pod({
      container: shell('cat /etc/login/user $FAIRWAY_ROOT/etc/login/user; sleep 3600', {
        volumeMounts: [{ name: 'login', mountPath: '/etc/login', readOnly: true }],
      }),
      spec: { volumes: [{ name: 'login', secret: { secretName: 'login' } }] },
    }),
  );
  const waiting = await h.when(
    'it waits',
    (found) => first(found).state.waiting?.message !== undefined,
  );
  assert.deepEqual(first(waiting).state.waiting, {
    reason: 'ContainerCreating',
    message: 'MountVolume.SetUp failed for volume "login" : secret "login" not found',
  });
  assert.equal(waiting.status.phase, 'Pending');
  h.put(secret('login', { user: 'ada\n' }));
  const found = await h.when('it runs', isReady);
  await until('it has read the file', async () => (await logOf(h)).length === 2);
  assert.deepEqual(await logOf(h), ['ada', 'ada']);
  h.put(secret('login', { user: 'eve\n' }));
  await until(
    'the file has changed',
    async () => (await output(h, 'cat', '/etc/login/user')) === 'eve\n',
  );
  assert.equal(first(the(h.get())).containerID, first(found).containerID, 'nothing was restarted');
});

test('a container waits for the ConfigMap its variables come from; they stay as they were at the start', async (t) => {
  const h = harness(t);
  const env = [
    { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'color' } } },
  ];
  h.put(pod({ container: shell('sleep 3600', { env }) }));
  const waiting = await h.when(
    'it waits',
    (found) => first(found).state.waiting?.reason === 'CreateContainerConfigError',
  );
  assert.equal(first(waiting).state.waiting?.message, 'configmap "settings" not found');
  h.put(configMap('settings', { other: 'x' }));
  await h.when(
    'the key is missed',
    (found) =>
      first(found).state.waiting?.message ===
      "couldn't find key color in ConfigMap default/settings",
  );
  h.put(configMap('settings', { color: 'red' }));
  await h.when('it runs', isReady);
  h.put(configMap('settings', { color: 'blue' }));
  assert.equal(await output(h, '/bin/sh', '-c', 'echo $COLOR'), 'red\n');
});

test('labels in a downward API volume follow the pod', async (t) => {
  const h = harness(t);
  const sketch = (app: string) =>
    pod({
      labels: { app },
      container: shell('sleep 3600', { volumeMounts: [{ name: 'info', mountPath: '/etc/info' }] }),
      spec: {
        volumes: [
          {
            name: 'info',
            downwardAPI: {
              items: [{ path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } }],
            },
          },
        ],
      },
    });
  h.put(sketch('one'));
  const found = await h.when('it runs', isReady);
  assert.equal(await output(h, 'cat', '/etc/info/labels'), 'app="one"');
  h.put(sketch('two'));
  await until(
    'the file has changed',
    async () => (await output(h, 'cat', '/etc/info/labels')) === 'app="two"',
  );
  assert.equal(first(the(h.get())).containerID, first(found).containerID);
});

const ECHO = 'registry.k8s.io/gateway-api/echo-basic:v1.0';

const echo = (more: Record<string, unknown> = {}) => ({
  image: ECHO,
  ports: [{ containerPort: 3000 }],
  env: [{ name: 'POD_NAME', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } }],
  ...more,
});

test('an echo image runs the echo server, with its log, in every replica', async (t) => {
  const h = harness(t);
  h.put(pod({ container: echo() }), pod({ name: 'other', container: echo() }));
  for (const name of ['web', 'other']) {
    const { status } = await h.when('it is ready', isReady, name);
    const answer = (await (await fetch(`http://${status.podIP}:3000/path?q=1`)).json()) as Record<
      string,
      unknown
    >;
    assert.equal(answer['pod'], name);
    await until('the request is in the log', async () =>
      (await logOf(h, name)).some((line) => line.includes('/path?q=1')),
    );
  }
  h.terminate('web', 30);
  await until('it is gone', () => h.get() === undefined);
  assert.ok(isReady(the(h.get('other'))));
});

test(
  'an echo server finds its certificate where the manifest mounts it',
  { skip: missingOpenssl() ?? false },
  async (t) => {
    const h = harness(t);
    const { cert, key } = makeCertificates().stranger;
    h.put(
      pod({
        container: echo({
          env: [
            { name: 'TLS_SERVER_CERT', value: '/etc/server-certs/tls.crt' },
            { name: 'TLS_SERVER_PRIVKEY', value: '/etc/server-certs/tls.key' },
          ],
          volumeMounts: [{ name: 'certs', mountPath: '/etc/server-certs' }],
        }),
        spec: { volumes: [{ name: 'certs', secret: { secretName: 'certs' } }] },
      }),
    );
    h.put(
      secret('certs', {
        'tls.crt': cert,
        'tls.key': key,
      }),
    );
    const { status } = await h.when('it is ready', isReady);
    const code = await new Promise<number | undefined>((resolve, reject) => {
      https
        .get(
          {
            host: status.podIP,
            port: 8443,
            ca: cert,
            servername: 'echo',
            agent: false,
            checkServerIdentity: () => undefined,
          },
          (response) => {
            response.resume();
            resolve(response.statusCode);
          },
        )
        .on('error', reject);
    });
    assert.equal(code, 200);
  },
);

test('an echo server that cannot start says why, and is tried again', async (t) => {
  const h = harness(t);
  h.put(pod({ container: echo({ env: [{ name: 'HTTP_PORT', value: 'none' }] }) }));
  const found = await h.when(
    'it was tried twice',
    (each) => first(each).restartCount >= 1 && first(each).state.waiting !== undefined,
  );
  assert.equal(first(found).state.waiting?.reason, 'RunContainerError');
  assert.match(the(first(found).state.waiting?.message), /HTTP_PORT/);
});

test('the client of the mesh tests runs in its pod, and others as local commands', async (t) => {
  const h = harness(t);
  h.put(
    pod({
      container: {
        image: 'gcr.io/k8s-staging-gateway-api/echo-advanced:v1',
        args: ['--tcp', '9090', '--port', '8080', '--grpc', '7070'],
      },
    }),
  );
  h.put(pod({ name: 'back', container: echo() }));
  const { status } = await h.when('it is ready', isReady);
  const back = await h.when('it is ready', isReady, 'back');
  const out = await output(h, 'client', `http://${back.status.podIP}:3000/hello`);
  assert.match(out, /\[0\] StatusCode=200/);
  const log = await until('the request is in the log', async () =>
    (await logOf(h, 'back')).find((line) => line.includes('/hello')),
  );
  assert.ok(log.includes(the(status.podIP)), log);
  assert.equal(await output(h, '/bin/sh', '-c', 'echo $HOSTNAME'), 'web\n');
});
