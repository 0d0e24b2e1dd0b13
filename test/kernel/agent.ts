// Runs in a network namespace and does what it is told, one line of JSON at a time: listens and answers
// with a name and with the address it sees, or dials and says what came of it.

import { createSocket } from 'node:dgram';
import { connect, createServer } from 'node:net';
import { createInterface } from 'node:readline';

interface Listen {
  readonly do: 'listen';
  readonly transport: 'tcp' | 'udp';
  readonly port: number;
  readonly name: string;
}

interface Dial {
  readonly do: 'dial';
  readonly transport: 'tcp' | 'udp';
  readonly address: string;
  readonly port: number;
  /** The address to dial from. */
  readonly source: string;
  readonly times: number;
  readonly timeoutMs: number;
}

/** `name address` of who answered, or `refused`, `timeout`, or the code of another error. */
type Outcome = string;

const plain = (address = ''): string => address.replace('::ffff:', '');

function listen({ transport, port, name }: Listen): Promise<void> {
  return new Promise((resolve) => {
    if (transport === 'tcp') {
      createServer((socket) => {
        socket.on('error', () => socket.destroy());
        socket.end(`${name} ${plain(socket.remoteAddress)}`);
      }).listen(port, '::', () => resolve());
      return;
    }
    const socket = createSocket({ type: 'udp6' });
    socket.on('message', (_message, from) =>
      socket.send(`${name} ${plain(from.address)}`, from.port, from.address),
    );
    socket.bind(port, '::', () => resolve());
  });
}

function outcomeOf(error: NodeJS.ErrnoException): Outcome {
  return error.code === 'ECONNREFUSED' ? 'refused' : (error.code ?? error.message);
}

function dialTcp({ address, port, source, timeoutMs }: Dial): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port, localAddress: source });
    let text = '';
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.destroy();
      resolve(outcome);
    };
    socket.on('data', (part) => (text += part.toString()));
    socket.once('end', () => end(text));
    socket.once('error', (error) => end(outcomeOf(error)));
  });
}

function dialUdp({ address, port, source, timeoutMs }: Dial): Promise<Outcome> {
  return new Promise((resolve) => {
    const socket = createSocket(address.includes(':') ? 'udp6' : 'udp4');
    const timer = setTimeout(() => end('timeout'), timeoutMs);
    const end = (outcome: Outcome): void => {
      clearTimeout(timer);
      socket.close();
      resolve(outcome);
    };
    socket.once('message', (message) => end(message.toString()));
    socket.once('error', (error) => end(outcomeOf(error)));
    // Connected, so that a refusal is told.
    socket.bind(0, source, () => socket.connect(port, address, () => socket.send('?')));
  });
}

async function dial(task: Dial): Promise<readonly Outcome[]> {
  const one = task.transport === 'tcp' ? dialTcp : dialUdp;
  return Promise.all(Array.from({ length: task.times }, () => one(task)));
}

const lines = createInterface({ input: process.stdin });
for await (const line of lines) {
  const task = JSON.parse(line) as Listen | Dial;
  const result = task.do === 'listen' ? await listen(task) : await dial(task);
  process.stdout.write(`${JSON.stringify(result ?? null)}\n`);
}
process.exit(0);
