import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer, connect } from 'node:net';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { temporaryFolder } from '../testing.ts';

const PRELOAD = join(import.meta.dirname, 'preload.cjs');

/** Every run has an address of its own, so that no two of them meet. */
let address = 0;
const nextIp = (): string => `127.199.${process.pid % 250}.${++address}`;

interface Run {
  readonly ip: string;
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
}

/** Runs a script in a Node.js with the preload file and returns what it printed, as JSON. */
async function run(script: string, { ip, args = [], env = {} }: Run): Promise<unknown> {
  const child = spawn(process.execPath, [...args, '-e', script], {
    env: {
      PATH: process.env['PATH'],
      NODE_OPTIONS: `--require ${JSON.stringify(PRELOAD)}`,
      FAIRWAY_POD_IP: ip,
      HOSTNAME: 'web-0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const chunks: Buffer[] = [];
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
  const [code] = (await once(child, 'close')) as [number];
  assert.equal(code, 0);
  return JSON.parse(Buffer.concat(chunks).toString('utf8'));
}

/** The ways to listen, and whether the server is then at the pod's address. */
const LISTENS: readonly (readonly [name: string, args: string, host: string])[] = [
  ['a port', '0', 'pod'],
  ['a port as text', "'0'", 'pod'],
  ['nothing', '', 'pod'],
  ['undefined', 'undefined', 'pod'],
  ['all IPv4 addresses', "0, '0.0.0.0'", 'pod'],
  ['all IPv6 addresses', "0, '::'", 'pod'],
  ['a port and a backlog', '0, 128', 'pod'],
  ['options without a host', '{ port: 0 }', 'pod'],
  ['options with all addresses', "{ port: 0, host: '::' }", 'pod'],
  ['options with an empty host', "{ port: 0, host: '' }", 'pod'],
  ['the loopback address', "0, '127.0.0.1'", '127.0.0.1'],
  ['an address of its own', "{ port: 0, host: '127.0.0.9' }", '127.0.0.9'],
];

for (const [name, args, host] of LISTENS) {
  test(`a server that listens on ${name} is at ${host === 'pod' ? "the pod's address" : host}`, async () => {
    const ip = nextIp();
    const comma = args === '' ? '' : ', ';
    const script = `
      const server = require('http').createServer();
      server.listen(${args}${comma}() => {
        console.log(JSON.stringify(server.address().address));
        server.close();
      });`;
    assert.equal(await run(script, { ip }), host === 'pod' ? ip : host);
  });
}

test('a server on a path stays there', async () => {
  const script = `
    const path = require('path').join(require('os').tmpdir(), 'fw-' + process.pid + '.sock');
    const server = require('net').createServer().listen(path, () => {
      console.log(JSON.stringify(server.address() === path));
      server.close();
    });`;
  assert.equal(await run(script, { ip: nextIp() }), true);
});

test('two replicas listen on the same port, each worker of a cluster included', async (t) => {
  const script = `
    const cluster = require('cluster');
    if (cluster.isMaster) {
      cluster.fork().on('message', (message) => { console.log(JSON.stringify(message)); process.exit(0); });
    } else {
      require('http').createServer().listen(18080, function () { process.send(this.address().address); });
    }`;
  // A cluster forks the file it was started with, so there has to be one.
  const file = join(temporaryFolder(t), 'cluster.cjs');
  writeFileSync(file, script);
  const start = `require(process.argv[1] = ${JSON.stringify(file)})`;
  const ips = [nextIp(), nextIp()];
  assert.deepEqual(await Promise.all(ips.map((ip) => run(start, { ip }))), ips);
});

test('a single imported name of an ES module is the changed one', async () => {
  const script = `
    import { hostname } from 'node:os';
    import { createServer } from 'node:net';
    const server = createServer().listen(0, () => {
      console.log(JSON.stringify([hostname(), server.address().address]));
      server.close();
    });`;
  const ip = nextIp();
  assert.deepEqual(await run(script, { ip, args: ['--input-type=module'] }), ['web-0', ip]);
});

/** A server that answers each connection with the address it came from. */
async function mirror(t: { after(fn: () => void): void }, host: string): Promise<number> {
  const server = createServer((socket) => socket.end(JSON.stringify(socket.remoteAddress)));
  server.listen(0, host);
  await once(server, 'listening');
  t.after(() => server.close());
  return (server.address() as AddressInfo).port;
}

const CONNECT = (target: string): string =>
  `require('net').connect(${target}).on('data', (data) => console.log(data.toString()));`;

test("a connection to another loopback address comes from the pod's address", async (t) => {
  const ip = nextIp();
  const host = nextIp();
  const port = await mirror(t, host);
  assert.equal(await run(CONNECT(`${port}, '${host}'`), { ip }), ip);
  assert.equal(await run(CONNECT(`{ port: ${port}, host: '${host}' }`), { ip }), ip);
});

test('a connection to 127.0.0.1 comes from there, as databases of the user expect', async (t) => {
  const port = await mirror(t, '127.0.0.1');
  assert.equal(await run(CONNECT(`${port}, '127.0.0.1'`), { ip: nextIp() }), '127.0.0.1');
});

test('an address the program binds itself is kept', async (t) => {
  const [host, own] = [nextIp(), nextIp()];
  const port = await mirror(t, host);
  const target = `{ port: ${port}, host: '${host}', localAddress: '${own}' }`;
  assert.equal(await run(CONNECT(target), { ip: nextIp() }), own);
});

test('a request of fetch to another pod comes from the address of this one', async (t) => {
  const [ip, host] = [nextIp(), nextIp()];
  const port = await mirror(t, host);
  // The answer is no HTTP; its bytes are in the error.
  const script = `
    fetch('http://${host}:${port}/').catch((error) => console.log(error.cause.data));`;
  assert.equal(await run(script, { ip }), ip);
});

test("localhost with a port of the pod is the pod, with another port it is the user's machine", async (t) => {
  const ip = nextIp();
  const port = await mirror(t, ip);
  for (const host of ['localhost', '127.0.0.1', '::1']) {
    const own = CONNECT(`{ port: ${port}, host: '${host}' }`);
    assert.equal(await run(own, { ip, env: { FAIRWAY_POD_PORTS: `9,${port}` } }), ip);
  }
  const other = await mirror(t, '127.0.0.1');
  const script = CONNECT(`{ port: ${other}, host: 'localhost' }`);
  assert.equal(await run(script, { ip, env: { FAIRWAY_POD_PORTS: '9' } }), '127.0.0.1');
});

test('a program reaches the server it has itself at localhost', async () => {
  const ip = nextIp();
  const script = `
    const server = require('net').createServer((socket) => socket.end('"own"'));
    server.listen(0, () => require('net').connect(server.address().port)
      .on('data', (data) => { console.log(data.toString()); server.close(); }));`;
  assert.equal(await run(script, { ip }), 'own');
});

test("a datagram socket on a port is at the pod's address, one that only sends is not", async () => {
  const ip = nextIp();
  const script = `
    const dgram = require('dgram');
    const bind = (type, ...args) => new Promise((resolve) => {
      const socket = dgram.createSocket(type);
      socket.bind(...args, () => { resolve(socket.address().address); socket.close(); });
    });
    Promise.all([
      bind('udp4', 18053), bind('udp4', { port: 18054 }), bind('udp4', 18055, '0.0.0.0'),
      bind('udp4', 18056, '127.0.0.1'), bind('udp4', 0),
    ]).then((all) => console.log(JSON.stringify(all)));`;
  assert.deepEqual(await run(script, { ip }), [ip, ip, ip, '127.0.0.1', '0.0.0.0']);
});

test('without a pod address nothing is changed', async () => {
  const script = `console.log(JSON.stringify(require('os').hostname() === 'web-0'))`;
  assert.equal(await run(script, { ip: '' }), false);
});

/** A DNS server that knows one name, and answers NXDOMAIN to all others. */
async function nameServer(
  t: { after(fn: () => void): void },
  name: string,
  ip: string,
): Promise<{ readonly server: string; readonly asked: string[] }> {
  const socket = createSocket('udp4');
  const asked: string[] = [];
  socket.on('message', (query, from) => {
    const labels: string[] = [];
    let at = 12;
    for (let length = query[at] ?? 0; length > 0; length = query[at] ?? 0) {
      labels.push(query.toString('latin1', at + 1, at + 1 + length));
      at += 1 + length;
    }
    const question = query.subarray(12, at + 5);
    const found = labels.join('.') === name;
    asked.push(labels.join('.'));
    const head = Buffer.from([
      query[0] ?? 0,
      query[1] ?? 0,
      0x81,
      found ? 0x80 : 0x83,
      0,
      1,
      0,
      found ? 1 : 0,
      0,
      0,
      0,
      0,
    ]);
    const answer = Buffer.from([
      0xc0,
      12,
      0,
      1,
      0,
      1,
      0,
      0,
      0,
      5,
      0,
      4,
      ...ip.split('.').map(Number),
    ]);
    socket.send(
      Buffer.concat([head, question, ...(found ? [answer] : [])]),
      from.port,
      from.address,
    );
  });
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  t.after(() => socket.close());
  return { server: `127.0.0.1:${socket.address().port}`, asked };
}

const SEARCH = 'shop.svc.cluster.local,svc.cluster.local,cluster.local';

test('names of Services are asked of the cluster DNS with the search domains of the pod', async (t) => {
  const { server } = await nameServer(t, 'api.shop.svc.cluster.local', '127.96.0.7');
  const script = `
    const dns = require('dns');
    const one = (name, options) => new Promise((resolve) =>
      dns.lookup(name, options, (error, address) => resolve(error ? error.code : address)));
    Promise.all([
      one('api', {}), one('api.shop', { family: 4 }), one('api.shop.svc', { all: true }),
      one('api.shop.svc.cluster.local', {}), one('api.shop.svc.cluster.local.', {}),
      dns.promises.lookup('api'), require('util').promisify(dns.lookup)('api'),
      one('localhost', { family: 4 }), one('127.0.0.3', {}),
    ]).then((all) => console.log(JSON.stringify(all)));`;
  const env = { FAIRWAY_DNS: server, FAIRWAY_DNS_SEARCH: SEARCH };
  const ip = '127.96.0.7';
  const found = { address: ip, family: 4 };
  assert.deepEqual(await run(script, { ip: nextIp(), env }), [
    ip,
    ip,
    [found],
    ip,
    ip,
    found,
    found,
    '127.0.0.1',
    '127.0.0.3',
  ]);
});

test("a connection to a Service's name comes from the pod's address", async (t) => {
  const [ip, host] = [nextIp(), nextIp()];
  const port = await mirror(t, host);
  const { server } = await nameServer(t, 'api.shop.svc.cluster.local', host);
  const env = { FAIRWAY_DNS: server, FAIRWAY_DNS_SEARCH: SEARCH };
  assert.equal(await run(CONNECT(`{ port: ${port}, host: 'api.shop' }`), { ip, env }), ip);
});

test('a cluster DNS that does not answer only costs a moment: the system is asked', async () => {
  // Nothing listens there.
  const probe = connect({ port: 1, host: '127.0.0.1' });
  await once(probe, 'error');
  const script = `
    require('dns').lookup('localhost.localdomain.invalid', (error) => console.log(JSON.stringify(error.code)));`;
  const env = { FAIRWAY_DNS: '127.0.0.1:1', FAIRWAY_DNS_SEARCH: SEARCH };
  const code = await run(script, { ip: nextIp(), env });
  assert.ok(code === 'ENOTFOUND' || code === 'EAI_AGAIN');
});
