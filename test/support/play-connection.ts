// Plays a probe of a connection against real sockets: dials, lets the echo say who it is, and compares.

import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { ConnectionProbe } from '../../src/model/answer.ts';
import type { Report } from '../../src/pipeline/pipeline.ts';
import { toConnectionProbe } from './cases.ts';
import type { WrittenProbe } from './cases.ts';

/** Connections made to see every backend of a split, as likely as never to fail. */
const SPLIT_CONNECTIONS = 200;
/** A datagram without an answer in this time was dropped. */
const DROPPED_MS = 1000;

/** Means nothing to the echo, and to a port for TLS that this is none. */
const EMPTY_LINE = '\n';

interface Place {
  readonly address: string;
  readonly port: number;
}

/** Who answered: `namespace/service`, and whether it was spoken to in TLS. */
interface Answer {
  readonly who: string;
  readonly tls?: boolean;
}

export async function playConnection(probe: WrittenProbe, report: Report): Promise<void> {
  const connection = toConnectionProbe(probe);
  const place = findPlace(connection, report);
  const ask = async (): Promise<Answer> =>
    place === undefined ? { who: 'refused' } : await dial(connection, place);
  if (probe.fate === 'http') {
    // What is read from it is asked with requests; here it is enough that somebody reads.
    assert.ok(place, 'nothing listens');
    return;
  }
  if (typeof probe.fate === 'string') {
    const answer = await ask();
    assert.equal(answer.who, withoutPort(probe.fate));
    if (probe.sees?.tls !== undefined)
      assert.equal(answer.tls, probe.sees.tls, 'TLS at the backend');
    return;
  }
  await playSplit(probe.fate, ask);
}

async function playSplit(
  written: Readonly<Record<string, number>>,
  ask: () => Promise<Answer>,
): Promise<void> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < SPLIT_CONNECTIONS; i++) {
    const { who } = await ask();
    counts[who] = (counts[who] ?? 0) + 1;
  }
  const total = Object.values(written).reduce((a, b) => a + b, 0);
  for (const [name, weight] of Object.entries(written)) {
    const share = (counts[withoutPort(name)] ?? 0) / SPLIT_CONNECTIONS;
    assert.ok(Math.abs(share - weight / total) < 0.1, `${name} got ${share} of the connections`);
  }
  const known = new Set(Object.keys(written).map(withoutPort));
  assert.deepEqual(
    Object.keys(counts).filter((who) => !known.has(who)),
    [],
  );
}

/** What an echo can tell: its Service, but not the port it was reached by. */
function withoutPort(fate: string): string {
  return fate.replace(/:\d+(?:\/\w+)?$/, '');
}

function findPlace(probe: ConnectionProbe, { model, bindings }: Report): Place | undefined {
  const isUdp = probe.transport === 'udp';
  for (const { id, addresses, port, protocol } of model.entryPoints) {
    const isMeant =
      port === probe.port &&
      (protocol === 'udp') === isUdp &&
      (probe.address === undefined || addresses.includes(probe.address));
    const binding = bindings.find((b) => b.socket === id && addresses.includes(b.address));
    if (isMeant && binding !== undefined) return binding;
  }
  return undefined;
}

function dial(probe: ConnectionProbe, place: Place): Promise<Answer> {
  switch (probe.transport) {
    case 'udp':
      return askUdp(place);
    case 'tcp':
      return askStream(connect({ host: place.address, port: place.port }), EMPTY_LINE);
    case 'tls':
      return askStream(
        connectTls({
          host: place.address,
          port: place.port,
          rejectUnauthorized: false,
          ...(probe.serverName === '' ? {} : { servername: probe.serverName }),
        }),
      );
  }
}

/** Asks the echo's TCP mode, which greets first, who it is. */
function askStream(socket: Socket, first = ''): Promise<Answer> {
  return new Promise((resolve) => {
    if (first !== '') socket.write(first);
    let text = '';
    socket.on('data', (bytes: Buffer) => {
      if (text === '') socket.write('TEST\n');
      text += bytes.toString();
      const [, line, rest] = text.split('\n');
      if (line === undefined || rest === undefined) return;
      const { namespace, service, isTLS } = JSON.parse(line) as Record<string, unknown>;
      socket.destroy();
      resolve({ who: `${String(namespace)}/${String(service)}`, tls: isTLS === true });
    });
    socket.on('error', (error: NodeJS.ErrnoException) =>
      resolve({ who: error.code === 'ECONNREFUSED' ? 'refused' : 'reset' }),
    );
    socket.on('close', () => resolve({ who: 'reset' }));
  });
}

async function askUdp({ address, port }: Place): Promise<Answer> {
  const socket = createSocket('udp4');
  socket.send('hello', port, address);
  try {
    const [bytes] = (await once(socket, 'message', {
      signal: AbortSignal.timeout(DROPPED_MS),
    })) as [Buffer];
    const { namespace, service } = JSON.parse(bytes.toString()) as Record<string, unknown>;
    return { who: `${String(namespace)}/${String(service)}` };
  } catch {
    return { who: 'reset' };
  } finally {
    socket.close();
  }
}
