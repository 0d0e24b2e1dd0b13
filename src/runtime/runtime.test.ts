import assert from 'node:assert/strict';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { test } from 'node:test';
import { Pod } from '../api/core/pod.ts';
import { readLog } from './logs/read-log.ts';
import { OWNER_VARIABLE, ownerMarker } from './process/marker.ts';
import { processesWith } from './process/proc.ts';
import { harness, isReady, node, pod, service, shell, the, until } from './testing.ts';
import type { Harness } from './testing.ts';

/** A web server that answers with a value of its own. */
const server = (answer: string): string =>
  `require('http').createServer((request, response) => response.end(String(${answer}))).listen(8080);`;

const PORTS = { ports: [{ containerPort: 8080 }] };

async function ask(h: Harness, name = 'web', path = '/'): Promise<string> {
  const { podIP } = the(h.get(name)).status;
  return (await fetch(`http://${podIP}:8080${path}`)).text();
}

async function logOf(h: Harness, container = 'main', previous = false): Promise<readonly string[]> {
  const lines: string[] = [];
  const name = { stateDir: h.stateDir, namespace: 'default', pod: 'web', container };
  for await (const line of readLog({ ...name, previous })) lines.push(line);
  return lines;
}

const first = (found: Pod) => the(found.status.containerStatuses?.[0]);

test('replicas listen on the same port, each at an address of its own, and know their names', async (t) => {
  const h = harness(t);
  const container = node(server("require('os').hostname() + ' ' + process.env.HOSTNAME"), PORTS);
  h.put(...['a', 'b', 'c'].map((name) => pod({ name, container })));
  const found = [];
  for (const name of ['a', 'b', 'c']) found.push(await h.when('it is ready', isReady, name));
  for (const name of ['a', 'b', 'c']) assert.equal(await ask(h, name), `${name} ${name}`);
  assert.equal(new Set(found.map(({ status }) => status.podIP)).size, 3);
  const [one] = found;
  assert.equal(one?.status.phase, 'Running');
  assert.match(the(first(the(one)).containerID), /^fairway:\/\/[0-9a-f]{64}$/);
  assert.deepEqual(h.errors, []);
});

test('one pod reaches another, from its own address', async (t) => {
  const h = harness(t);
  const away = `fetch('http://' + request.url.slice(1) + ':8080/').then((r) => r.text()).then((body) => response.end(body))`;
  h.put(
    pod({
      container: node(
        `require('http').createServer((request, response) => ${away}).listen(8080)`,
        PORTS,
      ),
    }),
    pod({ name: 'back', container: node(server('request.socket.remoteAddress'), PORTS) }),
  );
  const front = await h.when('it is ready', isReady);
  const back = await h.when('it is ready', isReady, 'back');
  assert.equal(await ask(h, 'web', `/${back.status.podIP}`), front.status.podIP);
});

test('commands, variables and services of the namespace reach the process', async (t) => {
  const h = harness(t);
  const env = [
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'URL', value: 'http://$(POD_IP):$(API_SERVICE_PORT)' },
  ];
  h.put(service('api', { clusterIP: '127.96.0.9', ports: [{ port: 8000 }] }));
  h.put(
    pod({
      container: {
        command: ['/bin/sh', '-c', 'echo $0 $URL $FAIRWAY_POD_IP; sleep 3600'],
        args: ['$(URL)-$$(URL)-$(FAIRWAY_POD_IP)'],
        env,
      },
    }),
  );
  const { status } = await h.when('it is ready', isReady);
  const url = `http://${status.podIP}:8000`;
  await until('it has said so', async () => (await logOf(h)).length > 0);
  assert.deepEqual(await logOf(h), [`${url}-$(URL)-${status.podIP} ${url} ${status.podIP}`]);
});

test('an annotation says what to run, and a changed one starts the pod anew at the same address', async (t) => {
  const h = harness(t);
  h.put(pod());
  const waiting = await h.when(
    'it waits',
    (found) => first(found).state.waiting?.reason === 'ErrImageNeverPull',
  );
  assert.equal(waiting.status.phase, 'Pending');
  const run = (answer: string): Record<string, string> => ({
    'fairway.dev/command': JSON.stringify([process.execPath, '-e', server(`'${answer}'`)]),
  });
  h.put(pod({ annotations: run('one'), container: PORTS }));
  const one = await h.when('it is ready', isReady);
  assert.equal(await ask(h), 'one');
  h.put(pod({ annotations: run('two'), container: PORTS }));
  const two = await h.when(
    'it is another container',
    (found) => isReady(found) && first(found).containerID !== first(one).containerID,
  );
  assert.equal(await ask(h), 'two');
  assert.equal(two.status.podIP, one.status.podIP);
  assert.equal(first(two).restartCount, 1);
});

test('a crashing container is restarted with a wait, and its last words are kept', async (t) => {
  const h = harness(t);
  h.put(pod({ container: shell('echo working; echo "no database" >&2; exit 3') }));
  const found = await h.when(
    'it waits again',
    (each) =>
      first(each).state.waiting?.reason === 'CrashLoopBackOff' && first(each).restartCount >= 2,
  );
  const { lastState, state } = first(found);
  assert.equal(lastState.terminated?.exitCode, 3);
  assert.equal(lastState.terminated?.reason, 'Error');
  assert.equal(lastState.terminated?.message, 'working\nno database');
  assert.match(
    the(state.waiting?.message),
    /^back-off \d.*s restarting failed container=main pod=web_default\(/,
  );
  assert.equal(found.status.phase, 'Running');
  assert.ok(!isReady(found));
  await until('there is a previous log', async () => (await logOf(h, 'main', true)).length === 2);
});

test('a command that is not there is told like one, and tried again', async (t) => {
  const h = harness(t);
  h.put(pod({ container: { command: ['no-such-program'] } }));
  const found = await h.when(
    'it was tried twice',
    (each) =>
      first(each).restartCount >= 1 && first(each).state.waiting?.reason === 'RunContainerError',
  );
  const { state, lastState } = first(found);
  assert.equal(
    state.waiting?.message,
    'exec: "no-such-program": executable file not found in $PATH',
  );
  assert.deepEqual(
    [lastState.terminated?.reason, lastState.terminated?.exitCode],
    ['StartError', 128],
  );
});

test('a pod whose work is done has succeeded or failed, and gives its address back', async (t) => {
  const h = harness(t, { podCidr: '127.190.0.0/30' });
  const once = (name: string, script: string, restartPolicy = 'Never') =>
    pod({ name, container: shell(script), spec: { restartPolicy } });
  h.put(once('good', 'exit 0'), once('bad', 'echo broken > /dev/termination-log; exit 4'));
  const good = await h.when(
    'it has succeeded',
    ({ status }) => status.phase === 'Succeeded',
    'good',
  );
  const bad = await h.when('it has failed', ({ status }) => status.phase === 'Failed', 'bad');
  assert.equal(first(good).state.terminated?.reason, 'Completed');
  assert.equal(first(bad).state.terminated?.exitCode, 4);
  assert.equal(first(bad).state.terminated?.message, 'broken\n');
  // The range has two addresses.
  h.put(once('third', 'exit 0', 'OnFailure'), once('fourth', 'exit 0', 'OnFailure'));
  for (const name of ['third', 'fourth']) {
    await h.when('it has succeeded', ({ status }) => status.phase === 'Succeeded', name);
  }
});

test('a pod that is on no node yet is not started', async (t) => {
  const h = harness(t);
  const sketch = (nodeName: string) =>
    pod({
      container: shell('echo on $NODE; sleep 3600', { env: [NODE_NAME] }),
      spec: { nodeName },
    });
  h.put(sketch(''), pod({ name: 'other', container: shell('sleep 3600') }));
  await h.when('another one runs', isReady, 'other');
  assert.deepEqual(h.get()?.status, {});
  h.put(sketch('fairway'));
  await h.when('it runs', isReady);
  await until('it has said where', async () => (await logOf(h)).includes('on fairway'));
});

test('a pod of another node is left to it; one of a node that there is not runs here', async (t) => {
  const h = harness(t);
  const there = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'there' } };
  const on = (name: string, nodeName: string) =>
    pod({ name, container: shell('sleep 3600'), spec: { nodeName } });
  h.put(there, on('theirs', 'there'), on('web', 'nowhere'));
  await h.when('it runs', isReady);
  assert.deepEqual(h.get('theirs')?.status, {});
});

const NODE_NAME = { name: 'NODE', valueFrom: { fieldRef: { fieldPath: 'spec.nodeName' } } };

test('a pod for which there is no address says so, and starts when one is free', async (t) => {
  const h = harness(t, { podCidr: '127.190.1.0/30' });
  const container = shell('sleep 3600');
  h.put(...['a', 'b', 'c'].map((name) => pod({ name, container })));
  const waiting = await h.when('it is told', ({ status }) => status.reason === 'NoAddress', 'c');
  assert.match(the(waiting.status.message), /no address is free in 127\.190\.1\.0\/30/);
  h.terminate('a', 0);
  await h.when('it runs', isReady, 'c');
});

test('a pod with a failing init container waits for it; then containers come in order', async (t) => {
  const h = harness(t);
  const marker = join(h.stateDir, 'go');
  h.put(
    pod({
      container: shell(
        'echo main >> $FAIRWAY_ROOT/data/order; cat $FAIRWAY_ROOT/data/order; sleep 3600',
        {
          volumeMounts: [{ name: 'data', mountPath: '/data' }],
        },
      ),
      spec: {
        volumes: [{ name: 'data', emptyDir: {} }],
        initContainers: [
          {
            name: 'first',
            image: 'x',
            ...shell(`echo first >> /data/order; test -e ${marker}`),
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
          {
            name: 'side',
            image: 'x',
            restartPolicy: 'Always',
            ...shell('echo side >> /data/order; sleep 3600'),
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
          {
            name: 'second',
            image: 'x',
            ...shell(
              'until grep -q side /data/order; do sleep 0.1; done; echo second >> /data/order',
            ),
            volumeMounts: [{ name: 'data', mountPath: '/data' }],
          },
        ],
      },
    }),
  );
  const stuck = await h.when(
    'the first has failed twice',
    ({ status }) => the(status.initContainerStatuses?.[0]).restartCount >= 1,
  );
  assert.equal(stuck.status.phase, 'Pending');
  assert.equal(first(stuck).state.waiting?.reason, 'PodInitializing');
  const session = await h.runtime
    .exec({ namespace: 'default', pod: 'web', container: 'first', command: ['true'], stdin: false })
    .catch((error: unknown) => error);
  assert.ok(session instanceof Error || 'exited' in (session as object));
  const { writeFileSync } = await import('node:fs');
  writeFileSync(marker, '');
  const ready = await h.when('it is ready', isReady);
  assert.deepEqual(
    ready.status.initContainerStatuses?.map(({ name, started, state }) => [
      name,
      started,
      state.running !== undefined,
    ]),
    [
      ['first', false, false],
      ['side', true, true],
      ['second', false, false],
    ],
  );
  await until('main has told the order', async () => (await logOf(h)).length > 0);
  const order = (await logOf(h)).filter((line, i, all) => line !== all[i - 1]);
  assert.deepEqual(order, ['first', 'side', 'second', 'main']);
});

test('a sidecar ends after the work, and the pod has then succeeded', async (t) => {
  const h = harness(t);
  h.put(
    pod({
      container: shell('exit 0'),
      spec: {
        restartPolicy: 'Never',
        initContainers: [
          {
            name: 'side',
            image: 'x',
            restartPolicy: 'Always',
            ...shell("trap 'exit 0' TERM; while :; do sleep 0.1; done"),
          },
        ],
      },
    }),
  );
  const { status } = await h.when(
    'it has succeeded',
    (found) => found.status.phase === 'Succeeded',
  );
  assert.equal(status.initContainerStatuses?.[0]?.state.terminated?.exitCode, 0);
});

test('a pod that takes too long has failed with its deadline', async (t) => {
  const h = harness(t);
  h.put(
    pod({
      container: shell("trap '' TERM; sleep 3600"),
      spec: { activeDeadlineSeconds: 1, terminationGracePeriodSeconds: 0 },
    }),
  );
  const { status } = await h.when(
    'it has failed',
    (found) => found.status.phase === 'Failed' && first(found).state.terminated !== undefined,
  );
  assert.equal(status.reason, 'DeadlineExceeded');
});

test('commands run in a container with its environment, its folder and its files', async (t) => {
  const h = harness(t);
  h.put(
    pod({
      container: shell('sleep 3600', {
        env: [{ name: 'COLOR', value: 'red' }],
        volumeMounts: [{ name: 'data', mountPath: '/data' }],
      }),
      spec: { volumes: [{ name: 'data', emptyDir: {} }] },
    }),
  );
  await h.when('it is ready', isReady);
  const exec = (command: readonly string[], stdin = false) =>
    h.runtime.exec({ namespace: 'default', pod: 'web', command, stdin });
  const session = await exec(
    ['/bin/sh', '-c', 'cat > /data/in; echo $COLOR $HOSTNAME; pwd; cat /data/in >&2; exit 9'],
    true,
  );
  the(session.stdin).end('given');
  const [out, err, exit] = await Promise.all([
    text(session.stdout),
    text(session.stderr),
    session.exited,
  ]);
  assert.deepEqual([out, err, exit.exitCode], [`red web\n${h.stateDir}\n`, 'given', 9]);
  const endless = await exec(['sleep', '3600']);
  endless.kill();
  assert.equal((await endless.exited).signal, 9);
  await assert.rejects(exec(['no-such-program']), { code: 'FW_EXEC_FAILED' });
  await assert.rejects(
    h.runtime.exec({ namespace: 'default', pod: 'none', command: ['true'], stdin: false }),
    { code: 'FW_POD_NOT_RUNNING' },
  );
  await assert.rejects(
    h.runtime.exec({
      namespace: 'default',
      pod: 'web',
      container: 'none',
      command: ['true'],
      stdin: false,
    }),
    { code: 'FW_CONTAINER_UNKNOWN' },
  );
});

test('an end of Fairway ends everything, in good order, and leaves only logs', async (t) => {
  const h = harness(t);
  h.put(
    pod({ container: shell("trap 'echo bye; exit 0' TERM; echo up; while :; do sleep 0.1; done") }),
    pod({
      name: 'stubborn',
      container: shell(
        "trap '' TERM; (setsid sh -c \"trap '' TERM; while :; do sleep 1; done\" &); while :; do sleep 1; done",
      ),
    }),
    pod({ name: 'crashing', container: shell('exit 1') }),
    pod({ name: 'unknown' }),
  );
  await until('it has set its trap', async () => (await logOf(h)).includes('up'));
  await h.when('it is ready', isReady, 'stubborn');
  await h.runtime.stop(500);
  assert.equal((await logOf(h)).at(-1), 'bye');
  const mine = [...(await processesWith(OWNER_VARIABLE))].filter(
    ([, owner]) => owner === ownerMarker(),
  );
  assert.deepEqual(mine, []);
  assert.deepEqual(readdirSync(join(h.stateDir, 'pods')), ['owner']);
  assert.deepEqual(h.errors, []);
});

test('only the user can look into the state of the runtime', async (t) => {
  const h = harness(t);
  h.put(pod({ container: shell('echo hi; sleep 3600') }));
  await h.when('it is ready', isReady);
  await until('there is a log', async () => (await logOf(h)).length > 0);
  const look = (folder: string): void => {
    for (const entry of readdirSync(folder, { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (entry.isSymbolicLink()) continue;
      assert.equal(statSync(path).mode & 0o077, 0, path);
      if (entry.isDirectory()) look(path);
    }
  };
  look(h.stateDir);
});

test('a pod that is taken away is killed at once, and one of the same name comes after it', async (t) => {
  const h = harness(t);
  const script = (word: string): string =>
    `trap 'echo polite' TERM; echo ${word}; while :; do sleep 0.1; done`;
  h.put(pod({ container: shell(script('one')) }));
  const one = await h.when('it is ready', isReady);
  await until('it has begun', async () => (await logOf(h)).includes('one'));
  h.remove(Pod, 'web');
  h.put(pod({ container: shell(script('two')) }));
  const two = await h.when('the new one is ready', isReady);
  assert.notEqual(two.metadata.uid, one.metadata.uid);
  await until('it has begun', async () => (await logOf(h)).includes('two'));
  assert.deepEqual(await logOf(h), ['two'], 'the log is not the old one’s');
  assert.equal(existsSync(join(h.stateDir, 'pods', the(one.metadata.uid))), false);
});

test('a pod that writes without end keeps nobody from starting, and its log stays small', async (t) => {
  const h = harness(t);
  h.put(
    pod({
      container: shell('while :; do echo "$0$0$0$0$0$0$0$0"; done', { args: ['x'.repeat(100)] }),
    }),
  );
  await until('it writes', async () => (await logOf(h).catch(() => [])).length > 1000);
  h.put(pod({ name: 'quiet', container: node(server("'here'"), PORTS) }));
  await h.when('it is ready', isReady, 'quiet');
  assert.equal(await ask(h, 'quiet'), 'here');
  h.terminate('web', 0);
  await until('it is gone', () => h.get() === undefined);
});
