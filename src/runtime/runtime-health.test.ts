import assert from 'node:assert/strict';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { Pod } from '../api/core/pod.ts';
import { Store } from '../store/store.ts';
import { readLog } from './logs/read-log.ts';
import { harness, isReady, node, pod, putAll, shell, the, until } from './testing.ts';
import type { Harness } from './testing.ts';

const PORTS = { ports: [{ name: 'http', containerPort: 8080 }] };
const SERVER =
  "require('http').createServer((request, response) => response.end('ok')).listen(8080);";

const first = (found: Pod) => the(found.status.containerStatuses?.[0]);
const noProc = existsSync('/proc/self/environ') ? false : 'needs /proc';

async function logOf(h: Harness, previous = false): Promise<readonly string[]> {
  const lines: string[] = [];
  const name = { stateDir: h.stateDir, namespace: 'default', pod: 'web', container: 'main' };
  for await (const line of readLog({ ...name, previous })) lines.push(line);
  return lines;
}

test('without a probe a container is ready when its port accepts, not before', async (t) => {
  const h = harness(t);
  const gate = join(h.stateDir, 'gate');
  const script = `
    const timer = setInterval(() => {
      if (!require('fs').existsSync(${JSON.stringify(gate)})) return;
      clearInterval(timer);
      ${SERVER}
    }, 20);`;
  h.put(pod({ container: node(script, PORTS) }));
  const running = await h.when(
    'it runs',
    (found) => first(found).state.running !== undefined && first(found).started === true,
  );
  assert.equal(isReady(running), false);
  writeFileSync(gate, '');
  await h.when('it is ready', isReady);
});

test('a readiness probe takes a pod out and puts it back, without a restart', async (t) => {
  const h = harness(t);
  const sick = join(h.stateDir, 'sick');
  const script = `require('http').createServer((request, response) => {
    response.statusCode = require('fs').existsSync(${JSON.stringify(sick)}) ? 503 : 200;
    response.end();
  }).listen(8080);`;
  const readinessProbe = {
    httpGet: { path: '/ready', port: 'http' },
    periodSeconds: 1,
    failureThreshold: 1,
  };
  h.put(pod({ container: node(script, { ...PORTS, readinessProbe }) }));
  await h.when('it is ready', isReady);
  writeFileSync(sick, '');
  await h.when('it is not ready', (found) => !isReady(found));
  await until('there is a finding', () =>
    h
      .findings()
      .some(
        ({ reason, message }) =>
          reason === 'NotReady' && message.includes('HTTP probe failed with statuscode: 503'),
      ),
  );
  rmSync(sick);
  const again = await h.when('it is ready again', isReady);
  assert.equal(first(again).restartCount, 0);
  await until('the finding is gone', () => h.findings().length === 0);
});

test('a container that fails its liveness probe is ended and started again', async (t) => {
  const h = harness(t);
  const sick = join(h.stateDir, 'sick');
  const livenessProbe = {
    exec: { command: ['/bin/sh', '-c', `test ! -e ${sick}`] },
    periodSeconds: 1,
    failureThreshold: 1,
    timeoutSeconds: 10,
    terminationGracePeriodSeconds: 1,
  };
  h.put(pod({ container: shell("trap '' TERM; while :; do sleep 0.1; done", { livenessProbe }) }));
  await h.when('it runs', isReady);
  writeFileSync(sick, '');
  const killed = await h.when(
    'it was killed',
    (found) =>
      first(found).lastState.terminated !== undefined ||
      first(found).state.terminated !== undefined,
  );
  const terminated = first(killed).state.terminated ?? first(killed).lastState.terminated;
  assert.deepEqual(
    [terminated?.exitCode, terminated?.signal, terminated?.reason],
    [137, 9, 'Error'],
  );
  rmSync(sick);
  await h.when('it runs again', (found) => isReady(found) && first(found).restartCount >= 1);
  await until('the log says why', async () =>
    (await logOf(h, true)).some((line) => line.includes('liveness probe failed')),
  );
});

test('a startup probe holds the others back, and replaces a container that never comes up', async (t) => {
  const h = harness(t);
  const up = join(h.stateDir, 'up');
  const probes = {
    startupProbe: {
      exec: { command: ['test', '-e', up] },
      periodSeconds: 1,
      failureThreshold: 2,
      timeoutSeconds: 10,
    },
    livenessProbe: {
      exec: { command: ['test', '-e', up] },
      periodSeconds: 1,
      failureThreshold: 1,
      timeoutSeconds: 10,
    },
  };
  h.put(
    pod({ container: shell('sleep 3600', probes), spec: { terminationGracePeriodSeconds: 1 } }),
  );
  const restarted = await h.when('it was replaced', (found) => first(found).restartCount >= 1);
  assert.equal(first(restarted).started, false);
  writeFileSync(up, '');
  const found = await h.when('it is up', isReady);
  assert.equal(first(found).started, true);
});

test('a pod that is deleted serves on in its preStop hook, is asked to end, and is then gone', async (t) => {
  const h = harness(t);
  const stop = join(h.stateDir, 'stop');
  const script = `${SERVER} process.on('SIGTERM', () => { console.log('asked'); process.exit(0); });`;
  const lifecycle = {
    preStop: {
      exec: { command: ['/bin/sh', '-c', `echo hook; until test -e ${stop}; do sleep 0.05; done`] },
    },
  };
  h.put(pod({ container: node(script, { ...PORTS, lifecycle }) }));
  const { status } = await h.when('it is ready', isReady);
  h.terminate('web', 60);
  for (let i = 0; i < 5; i++) {
    assert.equal(await (await fetch(`http://${status.podIP}:8080/`)).text(), 'ok');
    assert.ok(isReady(the(h.get())));
  }
  writeFileSync(stop, '');
  await until('it is gone', () => h.get() === undefined);
  assert.deepEqual(await logOf(h), ['asked']);
});

test('what is left after the grace period is killed, daemons too, and a shorter period counts', async (t) => {
  const h = harness(t);
  const stubborn =
    "trap '' TERM; (setsid sh -c \"trap '' TERM; echo daemon; while :; do sleep 1; done\" &); while :; do sleep 1; done";
  h.put(pod({ container: shell(stubborn) }));
  await until('the daemon runs', async () => (await logOf(h)).includes('daemon'));
  h.terminate('web', 3600);
  const session = await h.runtime.exec({
    namespace: 'default',
    pod: 'web',
    command: ['true'],
    stdin: false,
  });
  await session.exited;
  assert.ok(h.get() !== undefined);
  // What `kubectl delete --now` makes of it after a first delete.
  const found = the(h.get());
  const store = new Store({ newUid: () => the(found.metadata.uid) });
  putAll(store, [{ ...found, metadata: { ...found.metadata, deletionGracePeriodSeconds: 1 } }]);
  h.runtime.sync(store.snapshot());
  await until('it is gone', () => h.get() === undefined);
});

test('a pod with a finalizer stays until nobody holds it', async (t) => {
  const h = harness(t);
  const held = pod({ container: shell('sleep 3600') });
  h.put({ ...held, metadata: { ...held.metadata, finalizers: ['example.com/hold'] } } as Pod);
  await h.when('it runs', isReady);
  h.terminate('web', 0);
  await h.when('it has ended', (found) => first(found).state.terminated !== undefined);
  assert.ok(h.get() !== undefined);
  h.put(held);
  await until('it is gone', () => h.get() === undefined);
});

test('a postStart hook runs with the container, and one that fails ends it', async (t) => {
  const h = harness(t);
  const volume = { volumeMounts: [{ name: 'data', mountPath: '/data' }] };
  const hook = (command: string) => ({
    lifecycle: { postStart: { exec: { command: ['/bin/sh', '-c', command] } } },
  });
  const spec = { volumes: [{ name: 'data', emptyDir: {} }] };
  h.put(
    pod({
      container: shell('until test -e /data/hook; do sleep 0.05; done; echo hooked; sleep 3600', {
        ...volume,
        ...hook('touch /data/hook'),
      }),
      spec,
    }),
    pod({ name: 'bad', container: shell('sleep 3600', hook('echo refused >&2; exit 1')) }),
  );
  await until('the hook has run', async () => (await logOf(h)).includes('hooked'));
  const bad = await h.when(
    'it was ended',
    (found) => first(found).lastState.terminated !== undefined,
    'bad',
  );
  assert.match(the(first(bad).lastState.terminated?.message), /postStart hook failed: refused/);
});

test(
  'a program that listens on all addresses is told to use its own',
  { skip: noProc },
  async (t) => {
    const h = harness(t);
    // Without the preload file a Node.js program does what any other program does.
    const script = `NODE_OPTIONS= exec ${process.execPath} -e "require('net').createServer().listen(0, '0.0.0.0', function () { require('fs').writeFileSync(process.env.FILE, String(this.address().port)); })"`;
    const file = join(h.stateDir, 'port');
    const readinessProbe = { exec: { command: ['test', '-s', file] }, timeoutSeconds: 10 };
    h.put(
      pod({ container: shell(script, { readinessProbe, env: [{ name: 'FILE', value: file }] }) }),
    );
    const finding = await until('there is a finding', () => h.findings()[0]);
    assert.equal(finding.reason, 'ListensOnAllAddresses');
    assert.match(finding.message, /container main listens on 0\.0\.0\.0:\d+/);
    assert.match(the(finding.hint), /status\.podIP/);
    assert.deepEqual(finding.origin, {
      object: { kind: 'Pod', namespace: 'default', name: 'web' },
      field: 'spec.containers[0]',
    });
    h.terminate('web', 0);
    await until('the finding is gone with the pod', () => h.findings().length === 0);
  },
);

test(
  'a program that listens on another address than its pod’s is told so',
  { skip: noProc },
  async (t) => {
    const h = harness(t);
    const script = "require('net').createServer().listen(0, '127.0.0.1');";
    const readinessProbe = { tcpSocket: { port: 8080 }, periodSeconds: 1, failureThreshold: 2 };
    h.put(pod({ container: node(script, { ...PORTS, readinessProbe }) }));
    const finding = await until('there is a finding', () => h.findings()[0]);
    assert.equal(finding.reason, 'ListensElsewhere');
    assert.match(finding.message, /listens on 127\.0\.0\.1:\d+ and not on the pod's address 127\./);
  },
);
