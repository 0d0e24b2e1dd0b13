// What probes cannot ask: calls that stream both ways at once, connections that outlive changes, and
// halves of connections that end one after the other.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect as connectH2, createServer as createH2Server } from 'node:http2';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { SERVED_KINDS } from '../../src/api/kinds.ts';
import { startInstance } from '../../src/cli/instance.ts';
import type { Instance } from '../../src/cli/instance.ts';
import { defaultConfiguration } from '../../src/config/config.ts';
import { createFilesSource } from '../../src/sources/files/files.ts';
import { folder, until } from '../support/fairway.ts';

const home = folder({});
process.env['FAIRWAY_HOME'] = home.path;

/** Answers every chunk with itself, and ends with trailers once the client has ended. */
const calls = createH2Server();
calls.on('stream', (stream) => {
  stream.respond({ 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0', 'x-end': 'here' }));
  stream.pipe(stream);
});

/** Greets, repeats what it hears, and says goodbye after the client has ended. */
const greeter = createServer({ allowHalfOpen: true }, (socket) => {
  socket.write('hello;');
  socket.on('data', (bytes) => socket.write(bytes));
  socket.on('end', () => socket.end('goodbye'));
  socket.on('error', () => undefined);
});

const manifests = (callsPort: number, greeterPort: number): string => `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: fairway
  listeners:
    - { name: web, port: 8080, protocol: HTTP }
    - { name: tcp, port: 9000, protocol: TCP }
---
apiVersion: gateway.networking.k8s.io/v1
kind: GRPCRoute
metadata: { name: calls }
spec:
  parentRefs: [{ name: edge }]
  rules: [{ backendRefs: [{ name: calls, port: 80 }] }]
---
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: { name: greeter }
spec:
  parentRefs: [{ name: edge }]
  rules: [{ backendRefs: [{ name: greeter, port: 80 }] }]
---
apiVersion: v1
kind: Service
metadata: { name: calls, annotations: { fairway.dev/address: '127.0.0.1:${callsPort}' } }
spec: { ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: greeter, annotations: { fairway.dev/address: '127.0.0.1:${greeterPort}' } }
spec: { ports: [{ port: 80 }] }
`;

async function listen(server: { listen(port: number, host: string): unknown; address(): unknown }) {
  server.listen(0, '127.0.0.1');
  await once(server as never, 'listening');
  return (server.address() as AddressInfo).port;
}

describe('streams', () => {
  let instance: Instance;
  let address = '';
  const files = folder({});
  before(async () => {
    files.write('all.yaml', manifests(await listen(calls), await listen(greeter)));
    instance = await startInstance({
      configuration: defaultConfiguration(),
      sources: [
        createFilesSource({
          paths: [files.path],
          kinds: SERVED_KINDS,
          stdin: (async function* () {})(),
          watch: true,
        }),
      ],
      workers: 1,
      pods: false,
      paths: [],
      api: null,
      onError: (error) => {
        throw error;
      },
    });
    address = instance.pipeline.report?.model.entryPoints[0]?.addresses[0] ?? '';
  });
  after(async () => {
    await instance.stop();
    calls.close();
    greeter.close();
    files.remove();
    home.remove();
  });

  it('of a call go both ways at once, and end with trailers', async () => {
    const session = connectH2(`http://${address}:8080`);
    const call = session.request({
      ':method': 'POST',
      ':path': '/chat.Chat/Talk',
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    let heard = '';
    let trailers: Record<string, unknown> = {};
    call.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    call.on('trailers', (received) => (trailers = received));
    for (const word of ['one', 'two', 'three']) {
      const before_ = heard.length;
      call.write(word);
      // Each answer comes before the next word is said.
      await until(() => heard.length === before_ + word.length, `the answer to ${word}`);
    }
    call.end();
    await once(call, 'close');
    session.close();
    assert.equal(heard, 'onetwothree');
    assert.equal(trailers['grpc-status'], '0');
    assert.equal(trailers['x-end'], 'here');
  });

  async function greeted(): Promise<{ socket: Socket; heard: () => string }> {
    const socket = connect({ host: address, port: 9000, allowHalfOpen: true });
    let heard = '';
    socket.on('data', (bytes: Buffer) => (heard += bytes.toString()));
    await until(() => heard === 'hello;', 'the greeting');
    return { socket, heard: () => heard };
  }

  it('of a connection end one after the other', async () => {
    const { socket, heard } = await greeted();
    socket.end('bye;');
    await once(socket, 'end');
    assert.equal(heard(), 'hello;bye;goodbye');
  });

  it('of a connection outlive the route they were made by', async () => {
    const { socket, heard } = await greeted();
    const rounds = instance.pipeline.report?.revision;
    files.write(
      'more.yaml',
      `
apiVersion: gateway.networking.k8s.io/v1
kind: TCPRoute
metadata: { name: a-greeter }
spec:
  parentRefs: [{ name: edge }]
  rules: [{ backendRefs: [{ name: nowhere, port: 80 }] }]
`,
    );
    await until(() => instance.pipeline.report?.revision !== rounds, 'the change to be served');
    socket.write('still here;');
    await until(() => heard() === 'hello;still here;', 'the answer on the old connection');
    socket.destroy();
  });
});
