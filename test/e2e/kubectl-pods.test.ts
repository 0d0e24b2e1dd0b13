// What people do with pods by kubectl, with the real one: look into them, copy files, forward ports, read
// and follow what they say. Everything that is a stream goes by both protocols kubectl has.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { folder, PATIENCE_MS, startFairway, until } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn, kubectlFor, NO_KUBECTL } from '../support/kubectl.ts';
import type { Kubectl } from '../support/kubectl.ts';
import { documents, echo } from '../support/manifests.ts';

const TIMEOUT = `--timeout=${PATIENCE_MS / 1000}s`;
const NO_TAR = spawnSync('tar', ['--version']).status === 0 ? false : 'tar is not installed';

function pod(name: string, script: string, more = ''): string {
  return `
apiVersion: v1
kind: Pod
metadata: { name: ${name}, labels: { app: ${name} } }
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 0
  containers:
    - name: main
      image: example.test/shell
      command: [sh, -c, ${JSON.stringify(script)}]
${more}`;
}

const SIDE = `    - name: side
      image: example.test/shell
      command: [sh, -c, "echo from the side; exec sleep 1000"]
`;

const home = folder({});
const manifests = folder({
  'pods.yaml': documents(
    echo('echo'),
    pod('talks', 'i=0; while true; do i=$((i+1)); echo line $i; sleep 0.1; done', SIDE),
    pod('said', 'echo one; echo two; echo three; exec sleep 1000'),
  ),
});
let fairway: Fairway;
let kubectl: Kubectl;

/** Once by WebSocket, as kubectl does by itself, and once by SPDY. */
const PROTOCOLS: Readonly<Record<string, NodeJS.ProcessEnv>> = {
  WebSocket: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'true' },
  SPDY: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' },
};

/** A pod that is not in a file, for tests that see it end. */
async function create(name: string, script: string): Promise<void> {
  await kubectl.ok('create -f -', pod(name, script));
  const begun = async (): Promise<boolean> => {
    const { status } = await kubectl.json(`get pod ${name}`);
    const state = status.containerStatuses?.[0]?.state ?? {};
    return state.running !== undefined || state.terminated !== undefined;
  };
  await until(begun, `pod ${name}`);
}

describe('kubectl and pods', { skip: NO_KUBECTL, concurrency: 4, timeout: 170_000 }, () => {
  before(async () => {
    fairway = await startFairway([manifests.path], { home: home.path });
    kubectl = kubectlFor(await kubeconfigIn(home.path), home.path);
    await kubectl.ok(`wait --for=condition=Ready pod --all ${TIMEOUT}`);
  });

  after(async () => {
    await fairway.stop();
    home.remove();
    manifests.remove();
  });

  for (const [protocol, env] of Object.entries(PROTOCOLS)) {
    it(`runs commands in them: ${protocol}`, async () => {
      const script = 'echo out; echo err >&2; exit 3';
      const words = ['exec', 'talks', '-c', 'side', '--', 'sh', '-c', script];
      const { code, stdout, stderr } = await kubectl.run(words, '', env);
      assert.deepEqual([code, stdout], [3, 'out\n']);
      assert.match(stderr, /^err\ncommand terminated with exit code 3/);
      const through = await kubectl.run('exec -i said -- cat', 'a\nb\n', env);
      assert.deepEqual([through.code, through.stdout], [0, 'a\nb\n']);
      const large = 'x'.repeat(300_000);
      const counted = await kubectl.run('exec -i said -- wc -c', large, env);
      assert.equal(counted.stdout.trim(), '300000');
      const none = await kubectl.run('exec said -- no-such-program', '', env);
      assert.notEqual(none.code, 0);
      assert.match(none.stderr, /"no-such-program": executable file not found in \$PATH/);
      assert.match(
        (await kubectl.run('exec said -c other -- true', '', env)).stderr,
        /container (?:other is not valid|not found)/,
      );
      assert.match(
        (await kubectl.run('exec nobody -- true', '', env)).stderr,
        /"nobody" not found/,
      );
    });

    it(`forwards ports of pods and of Services: ${protocol}`, async () => {
      for (const target of ['deployment/echo', 'service/echo']) {
        const port = target.startsWith('service') ? 80 : 3000;
        const forwarding = kubectl.follow(['port-forward', target, `:${port}`], env);
        try {
          await until(() => forwarding.lines().length > 0, `port-forward ${target}`);
          const local = /127\.0\.0\.1:(\d+) -> 3000/.exec(forwarding.lines()[0] ?? '')?.[1];
          const answers = await Promise.all(
            ['/a', '/b', '/c'].map(async (path) => {
              const answer = await fetch(`http://127.0.0.1:${local}${path}`);
              return ((await answer.json()) as { readonly path: string }).path;
            }),
          );
          assert.deepEqual(answers, ['/a', '/b', '/c'], target);
        } finally {
          await forwarding.stop();
        }
      }
    });

    it(`attaches to them until they end: ${protocol}`, async () => {
      const name = `ends-${protocol.toLowerCase()}`;
      await create(name, 'for i in 1 2 3 4 5 6; do echo tick $i; sleep 0.5; done; exit 0');
      const attached = kubectl.follow(`attach ${name}`, env);
      assert.equal(await attached.ended, 0);
      assert.equal(attached.lines().at(-1), 'tick 6');
    });

    it(`copies files into them and out of them: ${protocol}`, { skip: NO_TAR }, async () => {
      const files = folder({ 'in/a.txt': 'one', 'in/deep/b.txt': 'two' });
      try {
        const there = join(files.path, 'there');
        await kubectl.ok(['cp', join(files.path, 'in'), `said:${there}`], '', env);
        assert.equal(readFileSync(join(there, 'deep', 'b.txt'), 'utf8'), 'two');
        const back = join(files.path, 'back.txt');
        await kubectl.ok(['cp', `said:${join(there, 'a.txt')}`, back], '', env);
        assert.equal(readFileSync(back, 'utf8'), 'one');
      } finally {
        files.remove();
      }
    });
  }

  it('reads what they said', async () => {
    assert.equal(await kubectl.ok('logs said'), 'one\ntwo\nthree');
    assert.equal(await kubectl.ok('logs said --tail=2'), 'two\nthree');
    assert.equal(await kubectl.ok('logs said --limit-bytes=5'), 'one\nt');
    assert.match(await kubectl.ok('logs said --timestamps --tail=1'), /^20\d\d-\S+Z three$/);
    assert.match(await kubectl.ok('logs talks -c side'), /^from the side$/);
    const all = await kubectl.ok('logs -l app=talks --all-containers --prefix --tail=1');
    assert.match(all, /^\[pod\/talks\/main\] line \d+$/m);
    assert.match(all, /^\[pod\/talks\/side\] from the side$/m);
    const lately = (await kubectl.ok('logs talks -c main --since=1s')).split('\n');
    assert.ok(!lately.includes('line 1') && lately.length < 100, String(lately.length));
    assert.match(await kubectl.ok('logs deployment/echo'), /\S/);
    assert.match(
      await kubectl.fails('logs talks -c none'),
      /container none is not valid for pod talks/,
    );
    assert.match(await kubectl.fails('logs nobody'), /pods "nobody" not found/);
    assert.match(
      await kubectl.fails('logs said --previous'),
      /previous terminated container "main" in pod "said" not found/,
    );
    assert.match(
      await kubectl.fails([
        'get',
        '--raw',
        '/api/v1/namespaces/default/pods/said/log?tailLines=-1',
      ]),
      /tailLines/,
    );
  });

  it('follows what they say, until they end', async () => {
    const talking = kubectl.follow('logs -f talks -c main --tail=1');
    await until(() => talking.lines().length > 5, 'lines that come');
    await talking.stop();
    await create('brief', 'echo first; sleep 1; echo last');
    const brief = kubectl.follow('logs -f brief');
    assert.equal(await brief.ended, 0);
    assert.deepEqual(brief.lines(), ['first', 'last']);
    // It has ended by now: what it said is there, and nothing more is waited for.
    const again = kubectl.follow('logs -f brief');
    assert.equal(await again.ended, 0);
    assert.deepEqual(again.lines(), ['first', 'last']);
    assert.match(await kubectl.ok('get pod brief --no-headers'), /^brief +0\/1 +Completed +0 /);
  });

  it('reaches pods and Services through the API', async () => {
    const { items } = await kubectl.json('get pods -l app=echo');
    const { name } = items[0].metadata;
    const within = '/api/v1/namespaces/default';
    for (const path of [`pods/${name}:3000`, 'services/echo:80', 'services/http:echo:80']) {
      const answer = await kubectl.ok(['get', '--raw', `${within}/${path}/proxy/some/path?q=1`]);
      assert.equal(JSON.parse(answer).path, '/some/path?q=1', path);
    }
    const proxy = kubectl.follow('proxy --port=0');
    try {
      await until(() => proxy.lines().length > 0, 'the proxy');
      const [, address] = /on (\S+)/.exec(proxy.lines()[0] ?? '') ?? [];
      const through = await fetch(`http://${address}${within}/services/echo:80/proxy/x`);
      assert.equal(((await through.json()) as { readonly path: string }).path, '/x');
      const version = await fetch(`http://${address}/version`);
      assert.equal(version.status, 200);
    } finally {
      await proxy.stop();
    }
    assert.match(
      await kubectl.fails(['get', '--raw', `${within}/services/none:80/proxy/`]),
      /services "none" not found/,
    );
  });

  it('is told what happened to them, and why', async () => {
    const described = await kubectl.ok('describe pod said');
    assert.match(
      described,
      /^ +Normal +Scheduled .*Successfully assigned default\/said to fairway$/m,
    );
    assert.match(described, /^ +Normal +Started .*Started container main$/m);
    const made = 'events --for deployment/echo';
    assert.match(
      await kubectl.ok(made),
      /ScalingReplicaSet +Deployment\/echo +Scaled up replica set/,
    );
    await create('crashes', 'exit 1');
    const crashing = pod('loops', 'exit 1').replace(
      'restartPolicy: Never',
      'restartPolicy: Always',
    );
    await kubectl.ok('create -f -', crashing);
    const backsOff = async (): Promise<boolean> =>
      (await kubectl.ok('events --for pod/loops --types=Warning')).includes('BackOff');
    await until(backsOff, 'an Event of the back-off');
    await kubectl.ok('delete pod loops --now');
    const warnings = await kubectl.ok('get events --field-selector type=Warning -o wide');
    assert.match(warnings, /BackOff +pod\/loops +spec\.containers\{main\} +kubelet, fairway /);
  });
});
