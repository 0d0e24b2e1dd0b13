// fairway up as a user meets it: files that change, files that break, requests that must not notice.

import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { Agent, request } from 'node:http';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import { BIN, folder, get, ownEnvironment, startFairway, until } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { documents, echo, GATEWAY, route } from '../support/manifests.ts';

/** Runs a test with a Fairway over files, both gone afterwards. */
async function withFairway(
  files: Readonly<Record<string, string>>,
  run: (fairway: Fairway, files: ReturnType<typeof folder>) => Promise<void>,
  args: readonly string[] = [],
): Promise<void> {
  const home = folder({});
  const manifests = folder(files);
  const fairway = await startFairway([...args, manifests.path], { home: home.path });
  try {
    await run(fairway, manifests);
  } finally {
    await fairway.stop();
    home.remove();
    manifests.remove();
  }
}

async function servedBy(url: string): Promise<string> {
  const { status, body } = await get(url);
  return status === 200 ? (JSON.parse(body) as { service: string }).service : String(status);
}

/** Requests one after the other on kept connections until stopped; what went wrong. */
function load(url: string, connections = 8) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections });
  const failures: string[] = [];
  let count = 0;
  let running = true;
  let sockets = 0;
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const sent = request(url, { agent }, (response) => {
        if (response.statusCode !== 200) failures.push(`status ${response.statusCode}`);
        count++;
        response.resume();
        response.once('end', resolve);
        response.once('error', (error) => {
          failures.push(error.message);
          resolve();
        });
      });
      sent.once('socket', (socket) => {
        if (!(socket as { counted?: boolean }).counted) sockets++;
        (socket as { counted?: boolean }).counted = true;
      });
      sent.once('error', (error: NodeJS.ErrnoException) => {
        failures.push(error.code ?? error.message);
        resolve();
      });
      sent.end();
    });
  const loops = Array.from({ length: connections }, async () => {
    while (running) await one();
  });
  return {
    async stop(): Promise<{ count: number; failures: readonly string[]; sockets: number }> {
      running = false;
      await Promise.all(loops);
      agent.destroy();
      return { count, failures, sockets };
    },
  };
}

describe('a change of the files', () => {
  it('takes effect without a failed request or a dropped connection', () =>
    withFairway(
      {
        'gateway.yaml': GATEWAY,
        'echo.yaml': documents(echo('one'), echo('two')),
        'route.yaml': route('r', '/', 'one'),
      },
      async ({ url }, files) => {
        const running = load(url);
        for (let i = 0; i < 10; i++) {
          const service = i % 2 === 0 ? 'two' : 'one';
          files.write('route.yaml', route('r', '/', service));
          await until(async () => (await servedBy(url)) === service, `service ${service}`);
        }
        const { count, failures, sockets } = await running.stop();
        assert.ok(count > 100, `only ${count} requests`);
        assert.deepEqual(failures, []);
        assert.equal(sockets, 8, 'connections were replaced');
      },
    ));

  it('that breaks a file keeps what the file said before, and says where it is broken', () =>
    withFairway(
      { 'gateway.yaml': GATEWAY, 'app.yaml': documents(echo('one'), route('r', '/', 'one')) },
      async ({ url }, files) => {
        files.write('app.yaml', documents(echo('one'), 'a: [1, 2\n', route('r', '/', 'none')));
        await delay(300);
        assert.equal(await servedBy(url), 'one');
        files.write('app.yaml', documents(echo('one'), route('r', '/new', 'one')));
        await until(async () => (await servedBy(url)) === '404');
        assert.equal(await servedBy(`${url}/new`), 'one');
      },
    ));

  it('that removes a file removes its objects; a folder that vanishes takes nothing away', () =>
    withFairway(
      {
        'gateway.yaml': GATEWAY,
        'one.yaml': documents(echo('one'), route('r', '/', 'one')),
        'two.yaml': route('s', '/two', 'one'),
      },
      async ({ url }, files) => {
        rmSync(join(files.path, 'two.yaml'));
        await until(async () => (await get(`${url}/two`)).body.includes('"/two"'));
        rmSync(join(files.path, 'one.yaml'));
        await until(async () => (await servedBy(url)) === '404');
        files.write('one.yaml', documents(echo('one'), route('r', '/', 'one')));
        await until(async () => (await servedBy(url)) === 'one');
        renameSync(files.path, `${files.path}-away`);
        await delay(1500);
        assert.equal(await servedBy(url), 'one');
        renameSync(`${files.path}-away`, files.path);
      },
    ));

  it('of a template replaces pods one by one, with somebody always there', () =>
    withFairway(
      {
        'gateway.yaml': GATEWAY,
        'route.yaml': route('r', '/', 'one'),
        'echo.yaml': echo('one', 3),
      },
      async ({ url }, files) => {
        const pods = async (): Promise<string> => {
          const { pod } = JSON.parse((await get(url)).body) as { pod: string };
          return pod.split('-')[1] ?? '';
        };
        const before = await pods();
        const running = load(url, 4);
        files.write('echo.yaml', echo('one', 3).replace('value: one', 'value: other'));
        let stable = 0;
        await until(async () => {
          stable = (await pods()) === before ? 0 : stable + 1;
          return stable >= 12;
        }, 'new pods alone');
        const { failures } = await running.stop();
        assert.deepEqual(failures, []);
      },
    ));
});

describe('Services', () => {
  it('are reached at their cluster address and node port, and refuse without endpoints', () =>
    withFairway(
      {
        'gateway.yaml': GATEWAY,
        'echo.yaml': documents(
          echo('one', 2),
          `
apiVersion: v1
kind: Service
metadata: { name: nodes }
spec:
  type: NodePort
  selector: { app: one }
  ports: [{ port: 8000, targetPort: 3000, nodePort: 31999 }]
`,
          `
apiVersion: v1
kind: Service
metadata: { name: nobody }
spec:
  clusterIP: 127.96.0.77
  selector: { app: nobody }
  ports: [{ port: 80 }]
`,
          `
apiVersion: v1
kind: Service
metadata: { name: sticky }
spec:
  clusterIP: 127.96.0.78
  selector: { app: one }
  sessionAffinity: ClientIP
  ports: [{ port: 80, targetPort: 3000 }]
`,
        ),
      },
      async ({ gateways }) => {
        const [first] = Object.values(gateways);
        // Another Fairway may have the first block of addresses: the second octet tells which we have.
        const block = Number(first?.address.split('.')[1]) - 80;
        const at = (address: string): string => address.replace('127.96.', `127.${96 + block}.`);
        const nodePort = await get(`http://127.0.0.${block + 1}:31999/x`);
        assert.match(nodePort.body, /"path": "\/x"/);
        if (block > 0) return;
        await assert.rejects(get(`http://${at('127.96.0.77')}/`), { code: 'ECONNREFUSED' });
        const pods = new Set<string>();
        for (let i = 0; i < 12; i++) {
          pods.add(
            (JSON.parse((await get(`http://${at('127.96.0.78')}/`)).body) as { pod: string }).pod,
          );
        }
        assert.equal(pods.size, 1);
      },
    ));
});

describe('ending', () => {
  it('lets requests under way finish', () =>
    withFairway(
      {
        'gateway.yaml': GATEWAY,
        'app.yaml': documents(echo('one'), route('r', '/', 'one')),
      },
      async (fairway) => {
        const slow = get(`${fairway.url}/?delay=1500ms`);
        await delay(300);
        const stopped = fairway.stop();
        assert.equal((await slow).status, 200);
        assert.equal(await stopped, 0);
      },
    ));

  it('lets what Services relay finish, and does not wait for idle connections to them', () =>
    withFairway(
      {
        'gateway.yaml': GATEWAY,
        'app.yaml': `${echo('one')}
---
apiVersion: v1
kind: Service
metadata: { name: two }
spec:
  type: NodePort
  selector: { app: one }
  ports: [{ port: 8000, targetPort: 3000, nodePort: 31998 }]
`,
      },
      async (fairway) => {
        const [first] = Object.values(fairway.gateways);
        const block = Number(first?.address.split('.')[1]) - 80;
        const url = `http://127.0.0.${block + 1}:31998`;
        const agent = new Agent({ keepAlive: true });
        await new Promise((resolve) =>
          request(url, { agent }, (response) => response.resume().once('end', resolve)).end(),
        );
        const slow = get(`${url}/?delay=1500ms`);
        await delay(300);
        const stopped = fairway.stop();
        assert.equal((await slow).status, 200);
        const late = delay(7000, 'late' as const, { ref: false });
        assert.equal(await Promise.race([stopped, late]), 0);
        agent.destroy();
        await stopped;
      },
    ));

  it('by SIGKILL leaves no process behind, and the next start works', async () => {
    const home = folder({});
    const marker = `fairway-e2e-${process.pid}-${Date.now()}`;
    const manifests = folder({
      'pod.yaml': `
apiVersion: v1
kind: Pod
metadata: { name: stubborn }
spec:
  containers:
    - name: main
      image: none
      command: [sh, -c, "trap '' TERM; (sleep 600; echo ${marker}) & while :; do sleep 600; done"]
`,
    });
    const running = (): boolean => processes().some((line) => line.includes(marker));
    try {
      const first = await startFairway([manifests.path], { home: home.path });
      await until(running, 'the pod');
      await first.stop('SIGKILL');
      await until(() => !running(), 'the pod to be gone');
      const second = await startFairway([manifests.path], { home: home.path });
      await until(running, 'the pod again');
      await second.stop();
      assert.equal(running(), false);
    } finally {
      home.remove();
      manifests.remove();
    }
  });

  it('of npm start, by its process id, ends Fairway with it', async () => {
    const home = folder({});
    const npm = spawn('npm', ['start', '--silent'], {
      env: ownEnvironment(home.path),
      cwd: join(import.meta.dirname, '..', '..'),
    });
    let output = '';
    npm.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      await until(() => output.includes('Press Ctrl-C'), 'npm start');
      const started = descendants(npm.pid ?? 0);
      assert.ok(started.length > 0);
      npm.kill('SIGTERM');
      await new Promise((resolve) => npm.once('exit', resolve));
      await until(() => !started.some((pid) => existsSync(`/proc/${pid}`)), 'all of it to end');
    } finally {
      npm.kill('SIGKILL');
      home.remove();
    }
  });
});

/** Processes that come from another, at any depth. */
function descendants(pid: number): readonly number[] {
  const file = `/proc/${pid}/task/${pid}/children`;
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  const children = text === '' ? [] : text.split(' ').map(Number);
  return [...children, ...children.flatMap(descendants)];
}

/** Command lines of all processes. */
function processes(): readonly string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((pid) => {
      const file = `/proc/${pid}/cmdline`;
      try {
        return existsSync(file) ? readFileSync(file, 'utf8').replaceAll('\0', ' ') : '';
      } catch {
        return '';
      }
    });
}

describe('fairway up PATH -- COMMAND', () => {
  const files = { 'app.yaml': documents(GATEWAY, echo('one'), route('r', '/', 'one')) };

  function run(command: readonly string[], manifests: string, home: string) {
    return spawnSync(BIN, ['up', manifests, '--', ...command], {
      env: ownEnvironment(home),
      encoding: 'utf8',
      timeout: 60_000,
    });
  }

  it('tells the command where things are, and ends with its status', () => {
    const home = folder({});
    const manifests = folder(files);
    const script =
      'curl -s -o /dev/null -w "%{http_code}" "$FAIRWAY_URL"; echo " $FAIRWAY_GATEWAYS"; exit 7';
    const { status, stdout } = run(['sh', '-c', script], manifests.path, home.path);
    home.remove();
    manifests.remove();
    assert.equal(status, 7);
    const [code = '', json = ''] = stdout.split(' ');
    assert.equal(code, '200');
    const { address, listeners } =
      (
        JSON.parse(json) as Record<
          string,
          { address: string; listeners: Record<string, { url: string }> }
        >
      )['default/web'] ?? {};
    assert.match(address ?? '', /^127\.\d+\.0\.1$/);
    assert.match(listeners?.['http']?.url ?? '', /^http:\/\/127\.\d+\.0\.1:(80|8080)$/);
  });

  it('is not run when none of the files can be used', () => {
    const home = folder({});
    const manifests = folder({ 'notes.yaml': 'just: [some\n', 'app.yaml': '- text\n' });
    const { status, stderr } = run(['echo', 'ran'], manifests.path, home.path);
    const checked = spawnSync(BIN, ['check', manifests.path], { env: ownEnvironment(home.path) });
    home.remove();
    manifests.remove();
    assert.equal(status, 2, stderr);
    assert.equal(checked.status, 2);
  });

  for (const flags of [[], ['--no-pods']]) {
    it(`does not outlive a Fairway that is killed ${flags.join('')}`, async () => {
      const home = folder({});
      const manifests = folder(files);
      const marker = `fairway-command-${process.pid}-${Date.now()}`;
      const args = ['up', ...flags, manifests.path, '--', 'sh', '-c', `sleep 600; echo ${marker}`];
      const child = spawn(BIN, args, { env: ownEnvironment(home.path), stdio: 'ignore' });
      // Fairway has it in its own command line.
      const running = (): number => processes().filter((line) => line.includes(marker)).length;
      await until(() => running() === 2, 'the command');
      child.kill('SIGKILL');
      await until(() => running() === 0, 'the command to end');
      home.remove();
      manifests.remove();
    });
  }

  it('says so when there is no such command, and when things do not get ready', () => {
    const home = folder({});
    const manifests = folder(files);
    const missing = run(['no-such-command-here'], manifests.path, home.path);
    assert.equal(missing.status, 127);
    assert.match(missing.stderr, /cannot run no-such-command-here: no such command/);
    manifests.write(
      'bad.yaml',
      echo('two').replace('registry.k8s.io/gateway-api/echo-basic:v1.5.1', 'acme/app:1'),
    );
    const { status, stderr } = spawnSync(
      BIN,
      ['up', '--ready-timeout', '2', manifests.path, '--', 'true'],
      { env: ownEnvironment(home.path), encoding: 'utf8', timeout: 60_000 },
    );
    home.remove();
    manifests.remove();
    assert.equal(status, 3);
    assert.match(stderr, /not ready: Deployment default\/two: 0 of 1 pods ready/);
    assert.match(stderr, /fairway\.dev\/command/);
  });
});

describe('a program that listens on every address', () => {
  it('is told of with file and line, also when it begins to after it counted as ready', async () => {
    const home = folder({});
    const listen = "setTimeout(() => require('net').createServer().listen(0, '0.0.0.0'), 1000)";
    const manifests = folder({
      'pod.yaml': `
apiVersion: v1
kind: Pod
metadata: { name: wide }
spec:
  containers:
    - name: main
      image: none
      command: [env, -u, NODE_OPTIONS, ${process.execPath}, -e, "${listen}"]
`,
    });
    const child = spawn(BIN, ['up', manifests.path], { env: ownEnvironment(home.path) });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      await until(() => output.includes('listens on 0.0.0.0'), 'the finding');
      assert.match(output, /pod\.yaml:\d+:\d+: warning: Pod default\/wide: container main listens/);
    } finally {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      home.remove();
      manifests.remove();
    }
  });
});

describe('a port that somebody else has', () => {
  it('is named with its owner, served once it is free, and everything else at once', async () => {
    const home = folder({});
    const manifests = folder({
      'app.yaml': documents(
        GATEWAY.replace(
          'listeners: [',
          'listeners: [{ name: other, port: 18765, protocol: HTTP }, ',
        ),
        echo('one'),
        route('r', '/', 'one'),
      ),
    });
    // Every address of the machine at that port, so whichever block Fairway takes.
    const taken = createServer();
    await new Promise<void>((resolve) => taken.listen(18765, '0.0.0.0', resolve));
    const child = spawn(BIN, ['up', manifests.path], { env: ownEnvironment(home.path) });
    let output = '';
    child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
    try {
      await until(() => /Ready|Serving what is ready/.test(output), 'the tables');
      assert.match(output, /port 127\.\d+\.0\.1:18765 is already taken by .*node.* \(pid \d+\)/);
      assert.match(output, /web\s+http\s+http:\/\/\S+\s+1\s+True/);
      assert.match(output, /web\s+other\s+<none>\s+1\s+False/);
      assert.match(output, /waiting for Gateway default\/web: listener other: port .* taken/);
      const { status, stderr } = spawnSync(
        BIN,
        ['up', '--ready-timeout', '1', manifests.path, '--', 'true'],
        { env: ownEnvironment(home.path), encoding: 'utf8', timeout: 60_000 },
      );
      assert.equal(status, 3, 'the command ran without its listener');
      assert.match(stderr, /not ready: Gateway default\/web: listener other: port .* taken/);
      const address = /port (127\.\d+\.0\.1):18765/.exec(output)?.[1] ?? '';
      taken.close();
      await until(() => output.includes('settled'), 'the port to be taken over');
      assert.equal(await servedBy(`http://${address}:18765/`), 'one');
    } finally {
      child.kill('SIGTERM');
      await new Promise((resolve) => child.once('exit', resolve));
      taken.close();
      home.remove();
      manifests.remove();
    }
  });
});
