// The echo client over TCP and UDP: sends one line and prints what comes back until the line itself does.

import dgram from 'node:dgram';
import net from 'node:net';
import tlsModule from 'node:tls';
import { resolveHost } from '../resolve-host.ts';
import { bodyLines, line, type Sender, type SenderContext } from './sender.ts';

const SERVER_FIRST_LINE = 'server-first-protocol\n';
/** Answers are the server's own few lines and our message. */
const ANSWER_BYTES_MAX = 1024 * 1024;

export function tcpSender(context: SenderContext): Sender {
  const { request } = context;
  return {
    close: () => {},
    async send(index) {
      const answer = await talk(context);
      const block =
        line(index, 'SourceIP', answer.localAddress) +
        line(index, 'Url', request.url) +
        line(index, 'Echo', request.message) +
        bodyLines(index, answer.text);
      return checked(block, request.expected);
    },
  };
}

export function udpSender(context: SenderContext): Sender {
  const { request } = context;
  return {
    close: () => {},
    async send(index) {
      const block =
        line(index, 'Url', request.url) +
        line(index, 'Echo', request.message) +
        bodyLines(index, await askByDatagram(context));
      return checked(block, request.expected);
    },
  };
}

function checked(block: string, expected: string): string {
  if (!block.includes(expected))
    throw new Error(`expect to recv message with ${expected}, got ${block}. Return EOF`);
  return block;
}

interface Talk {
  readonly text: string;
  readonly localAddress: string;
}

function talk({ request, options, tls, signal }: SenderContext): Promise<Talk> {
  const target = {
    host: request.host,
    port: request.port,
    family: request.family,
    ...(options.localAddress !== undefined && { localAddress: options.localAddress }),
    ...(options.lookup && { lookup: options.lookup }),
  };
  return new Promise((resolve, reject) => {
    const socket =
      tls === undefined
        ? net.connect({ ...target, signal })
        : tlsModule.connect({ ...target, ...tls });
    let text = '';
    let hasGreeting = !request.isServerFirst;
    const finish = (): void => {
      const { localAddress = '' } = socket;
      resolve({ text, localAddress });
      socket.destroy();
    };
    const say = (): void => void socket.write(`${request.message}\n`);
    signal.addEventListener('abort', () => socket.destroy(new Error('timed out')), { once: true });
    socket.once(tls === undefined ? 'connect' : 'secureConnect', () => {
      if (hasGreeting) say();
    });
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      if (!hasGreeting && text.startsWith(SERVER_FIRST_LINE)) {
        hasGreeting = true;
        text = text.slice(SERVER_FIRST_LINE.length);
        say();
      }
      if ((hasGreeting && text.includes(request.message)) || text.length > ANSWER_BYTES_MAX)
        finish();
    });
    socket.on('error', reject).on('end', finish);
  });
}

async function askByDatagram({ request, options, signal }: SenderContext): Promise<string> {
  const address = await resolveHost(request.host, options.lookup);
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket({ type: net.isIPv6(address) ? 'udp6' : 'udp4', signal });
    signal.addEventListener('abort', () => reject(new Error('timed out')), { once: true });
    socket.on('error', (error) => {
      socket.close();
      reject(error);
    });
    socket.on('message', (message) => {
      socket.close();
      resolve(message.toString('utf8'));
    });
    socket.bind(
      { port: 0, ...(options.localAddress !== undefined && { address: options.localAddress }) },
      () => {
        socket.connect(request.port, address, () => socket.send(`${request.message}\n`));
      },
    );
  });
}
