import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import fc from 'fast-check';
import { harness, isReady, pod, shell, until } from '../../../runtime/testing.ts';
import type { StreamLimits } from '../limits.ts';
import { startApiServer } from '../testing/api-server.ts';
import { ChannelClient } from '../testing/channel-client.ts';
import { connectSpdy } from '../testing/spdy-client.ts';
import { readSizes } from './resize.ts';
import type { TerminalSize } from './resize.ts';
import { parseCommandOptions } from './streams.ts';

async function start(t: TestContext, limits: Partial<StreamLimits> = {}): Promise<number> {
  const h = harness(t);
  const { port } = await startApiServer(t, h, { limits });
  h.put(pod({ container: shell('while :; do sleep 1; done') }));
  await h.when('ready', isReady);
  return port;
}

function exec(script: string, ...flags: readonly string[]): string {
  const query = new URLSearchParams([
    ['command', '/bin/sh'],
    ['command', '-c'],
    ['command', script],
  ]);
  for (const flag of flags) query.set(flag, 'true');
  return `/api/v1/namespaces/default/pods/web/exec?${query.toString()}`;
}

const FAILED = {
  metadata: {},
  status: 'Failure',
  message: 'command terminated with non-zero exit code: exit status 7',
  reason: 'NonZeroExitCode',
  details: { causes: [{ reason: 'ExitCode', message: '7' }] },
};

test('exec over every version of the channels over WebSockets', async (t) => {
  const port = await start(t);
  const path = exec(
    'read line; echo "out $line"; echo err >&2; exit 7',
    'stdin',
    'stdout',
    'stderr',
  );
  for (const protocol of [
    'v5.channel.k8s.io',
    'v4.channel.k8s.io',
    'v4.base64.channel.k8s.io',
    'channel.k8s.io',
    'base64.channel.k8s.io',
    '',
  ]) {
    const client = await ChannelClient.connect(port, path, protocol);
    assert.equal(client.socket.protocol, protocol);
    client.send(0, 'line\n');
    await until(`${protocol} closes`, () => client.closed !== undefined);
    assert.equal(client.closed, 1000);
    assert.equal(client.text(1), 'out line\n');
    assert.equal(client.text(2), 'err\n');
    if (protocol.startsWith('v')) assert.deepEqual(JSON.parse(client.text(3)), FAILED);
    else assert.equal(client.text(3), FAILED.message);
  }
});

test('v5 can end the input; binary data is not changed', async (t) => {
  const port = await start(t);
  const client = await ChannelClient.connect(
    port,
    exec('cat', 'stdin', 'stdout'),
    'v5.channel.k8s.io',
  );
  const bytes = Buffer.from(Array.from({ length: 200_000 }, (_, i) => (i * 31) & 0xff));
  for (let at = 0; at < bytes.length; at += 30_000) client.send(0, bytes.subarray(at, at + 30_000));
  client.send(255, Buffer.from([0]));
  await until('closed', () => client.closed !== undefined);
  assert.ok(client.received(1).equals(bytes));
  assert.deepEqual(JSON.parse(client.text(3)), { metadata: {}, status: 'Success' });
});

test('exec over every version over SPDY', async (t) => {
  const port = await start(t);
  const path = exec('cat; echo err >&2; exit 7', 'stdin', 'stdout', 'stderr');
  for (const version of [
    'v4.channel.k8s.io',
    'v3.channel.k8s.io',
    'v2.channel.k8s.io',
    'channel.k8s.io',
  ]) {
    const { client, protocol } = await connectSpdy(port, path, ['v9.channel.k8s.io', version]);
    assert.equal(protocol, version);
    const error = await client.open({ streamtype: 'error' });
    const stdin = await client.open({ streamtype: 'stdin' });
    const stdout = await client.open({ streamtype: 'stdout' });
    const stderr = await client.open({ streamtype: 'stderr' });
    await until('all are accepted', () => [error, stdin, stdout, stderr].every((s) => s.replied));
    client.send(stdin, 'in', true);
    await until('closed', () => client.closed);
    assert.deepEqual([stdout.data.toString(), stderr.data.toString()], ['in', 'err\n']);
    assert.ok(stdout.ended && stderr.ended && error.ended);
    const told = error.data.toString();
    if (version.startsWith('v4')) assert.deepEqual(JSON.parse(told), FAILED);
    else assert.equal(told, FAILED.message);
  }
});

test('a client that opens too few streams is let go, and one that opens others is told', async (t) => {
  const port = await start(t, { streamCreationMs: 300 });
  const { client } = await connectSpdy(port, exec('true', 'stdout'), ['v4.channel.k8s.io']);
  await client.open({ streamtype: 'error' });
  const wrong = await client.open({ streamtype: 'stdin' });
  await until('refused', () => wrong.reset === 1);
  await until('closed', () => client.closed);
});

test('the command ends when the client goes, over each protocol, in a terminal too', async (t) => {
  const port = await start(t);
  const gone = (pid: number): Promise<boolean> =>
    until('the command has ended', () => {
      try {
        return !process.kill(pid, 0);
      } catch {
        return true;
      }
    });
  // SIGHUP alone must not be what ends it.
  const script = `trap '' HUP TERM; echo $$; while :; do sleep 1; done`;
  const terminals = existsSync('/usr/bin/script') ? [[], ['tty', 'stdin']] : [[]];
  for (const more of terminals) {
    const client = await ChannelClient.connect(
      port,
      exec(script, 'stdout', ...more),
      'v5.channel.k8s.io',
    );
    await until('it runs', () => /\d+\r?\n/.test(client.text(1)));
    client.socket.terminate();
    await gone(Number.parseInt(client.text(1), 10));
  }
  const { client } = await connectSpdy(port, exec(script, 'stdout'), ['v4.channel.k8s.io']);
  await client.open({ streamtype: 'error' });
  const stdout = await client.open({ streamtype: 'stdout' });
  await until('it runs', () => stdout.data.includes('\n'));
  client.transport.destroy();
  await gone(Number.parseInt(stdout.data.toString(), 10));
});

test('a slow client gets all of the output, and the command waits for it', async (t) => {
  const port = await start(t);
  const client = await ChannelClient.connect(
    port,
    exec('head -c 30000000 /dev/zero; echo end >&2', 'stdout', 'stderr'),
    'v5.channel.k8s.io',
  );
  client.socket.pause();
  // Long enough for the end of the command, if nothing held it up.
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal(client.text(2), '');
  client.socket.resume();
  await until('closed', () => client.closed !== undefined);
  assert.equal(client.received(1).length, 30_000_000);
  assert.equal(client.text(2), 'end\n');
});

test('no sequence of hostile messages does more than end its connection', async (t) => {
  const port = await start(t, { messageBytesMax: 10_000, lingerMs: 50 });
  const path = exec('cat', 'stdin', 'stdout');
  const message = fc.oneof(
    fc.uint8Array({ maxLength: 50 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ maxLength: 50 }),
    fc.constant(Buffer.alloc(20_000)),
    fc.constant(Buffer.from([255, 0])),
    fc.constant(Buffer.from([4, ...Buffer.from('{"Width":1e9,"Height":-1}')])),
  );
  const protocols = fc.constantFrom('v5.channel.k8s.io', 'v4.base64.channel.k8s.io', '');
  await fc.assert(
    fc.asyncProperty(
      protocols,
      fc.array(message, { maxLength: 8 }),
      fc.uint8Array({ maxLength: 20 }),
      async (protocol, messages, raw) => {
        const client = await ChannelClient.connect(port, path, protocol);
        for (const each of messages) client.socket.send(each);
        // Past the library: bytes that are no frames.
        (client.socket as unknown as { _socket: { write(bytes: Uint8Array): void } })._socket.write(
          raw,
        );
        client.socket.close();
        setTimeout(() => client.socket.terminate(), 200);
        await until('closed', () => client.closed !== undefined);
      },
    ),
    { numRuns: 25 },
  );
  const client = await ChannelClient.connect(port, path, 'v5.channel.k8s.io');
  client.send(0, 'still here');
  await until('the server serves on', () => client.text(1) === 'still here');
  client.socket.terminate();
});

test('requests that are no upgrade, and protocols nobody speaks, are refused in words', async (t) => {
  const port = await start(t);
  const path = exec('true', 'stdout');
  await assert.rejects(ChannelClient.connect(port, path, 'v9.channel.k8s.io'), /400/);
  await assert.rejects(connectSpdy(port, path, ['v9']), /403 .*unable to negotiate protocol/);
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method: 'POST' });
  assert.equal(response.status, 400);
  assert.match(await response.text(), /Upgrade request required/);
  await assert.rejects(
    connectSpdy(port, exec('true'), ['v4.channel.k8s.io']),
    /at least 1 of stdin/,
  );
});

test('queries are read as Kubernetes reads them', () => {
  const parse = (query: string): unknown => parseCommandOptions(new URLSearchParams(query));
  assert.deepEqual(
    parse('command=a&command=b%20c&stdin=1&stdout&stderr=true&tty=false&container=x'),
    {
      ok: true,
      options: {
        command: ['a', 'b c'],
        container: 'x',
        stdin: true,
        stdout: true,
        stderr: true,
        tty: false,
      },
    },
  );
  const { options } = parse('stdout=true&stderr=true&tty=true') as { options: { stderr: boolean } };
  assert.equal(options.stderr, false, 'a terminal has one output');
  assert.deepEqual(parse('stdout=maybe'), {
    ok: false,
    message: 'stdout: maybe is not true or false',
  });
});

test('sizes of terminals are read however they are cut, and nothing else is', async () => {
  const sizes: TerminalSize[] = [];
  const text =
    '{"Width":80,"Height":24}\n{"Width":1e9,"Height":1}{"Width":132,"Height":43}}{nonsense}';
  const source = Readable.from(
    [...text.split(/(?<=[\d,])/), 'x'.repeat(5000), '{"Width":1,"Height":2}'].map((c) =>
      Buffer.from(c),
    ),
  );
  readSizes(source, (size) => sizes.push(size));
  await until('read', () => source.readableEnded);
  assert.deepEqual(sizes.slice(0, 2), [
    { columns: 80, rows: 24 },
    { columns: 132, rows: 43 },
  ]);
});
