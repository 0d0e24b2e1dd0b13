// A SPDY/3.1 client for tests. Its headers are compressed and read by Node's zlib, not by our code.

import { once } from 'node:events';
import { request } from 'node:http';
import type { Duplex } from 'node:stream';
import { constants, createDeflate, createInflate } from 'node:zlib';
import { HEADER_DICTIONARY } from '../spdy/dictionary.ts';
import { controlFrame, dataFrame, FLAG_FIN, FRAME, FrameParser } from '../spdy/frames.ts';

export interface ClientStream {
  readonly id: number;
  /** Everything received on it so far. */
  data: Buffer;
  replied: boolean;
  ended: boolean;
  reset: number | undefined;
}

export class SpdyClient {
  readonly transport: Duplex;
  readonly streams = new Map<number, ClientStream>();
  readonly pings: number[] = [];
  goAway: number | undefined;
  closed = false;
  readonly #deflate = createDeflate({
    dictionary: HEADER_DICTIONARY,
    flush: constants.Z_SYNC_FLUSH,
  });
  readonly #inflate = createInflate({ dictionary: HEADER_DICTIONARY });
  #nextId = 1;

  constructor(transport: Duplex, head: Buffer = Buffer.alloc(0)) {
    this.transport = transport;
    const parser = new FrameParser(
      {
        onControl: (type, flags, payload) => this.#control(type, flags, payload),
        onData: (id, part, fin) => {
          const stream = this.streams.get(id);
          if (stream === undefined) return;
          stream.data = Buffer.concat([stream.data, part]);
          stream.ended ||= fin;
        },
      },
      1 << 20,
    );
    transport.on('data', (chunk: Buffer) => parser.push(chunk));
    transport.on('error', () => {});
    transport.on('close', () => (this.closed = true));
    transport.on('end', () => (this.closed = true));
    if (head.length > 0) parser.push(head);
  }

  async open(headers: Readonly<Record<string, string>>, flags = 0): Promise<ClientStream> {
    const id = this.#nextId;
    this.#nextId += 2;
    const stream = { id, data: Buffer.alloc(0), replied: false, ended: false, reset: undefined };
    this.streams.set(id, stream);
    const head = Buffer.alloc(10);
    head.writeUInt32BE(id);
    const block = await this.compress(headers);
    this.transport.write(controlFrame(FRAME.synStream, flags, Buffer.concat([head, block])));
    return stream;
  }

  async compress(headers: Readonly<Record<string, string>>): Promise<Buffer> {
    const parts = [Object.entries(headers).length, ...Object.entries(headers).flat()].map(
      (part) => {
        const bytes = Buffer.from(typeof part === 'number' ? '' : part);
        const length = Buffer.alloc(4);
        length.writeUInt32BE(typeof part === 'number' ? part : bytes.length);
        return Buffer.concat([length, bytes]);
      },
    );
    const block = new Promise<Buffer>((resolve) => {
      const out: Buffer[] = [];
      const collect = (chunk: Buffer): void => {
        out.push(chunk);
        // Z_SYNC_FLUSH ends with the empty stored block.
        if (chunk.subarray(-4).toString('hex') === '0000ffff') {
          this.#deflate.off('data', collect);
          resolve(Buffer.concat(out));
        }
      };
      this.#deflate.on('data', collect);
    });
    this.#deflate.write(Buffer.concat(parts));
    return block;
  }

  send(stream: ClientStream, data: Buffer | string, fin = false): boolean {
    return this.transport.write(dataFrame(stream.id, Buffer.from(data), fin));
  }

  #control(type: number, flags: number, payload: Buffer): void {
    const stream = this.streams.get(payload.readUInt32BE(0));
    if (type === FRAME.goAway) this.goAway = payload.readUInt32BE(4);
    if (type === FRAME.ping) this.pings.push(payload.readUInt32BE(0));
    if (type === FRAME.rstStream && stream !== undefined) stream.reset = payload.readUInt32BE(4);
    if (type === FRAME.synReply && stream !== undefined) {
      this.#inflate.write(payload.subarray(4));
      this.#inflate.once('data', (block: Buffer) => {
        stream.replied = block.readUInt32BE(0) === 0;
        stream.ended ||= (flags & FLAG_FIN) !== 0;
      });
    }
  }
}

/** Upgrades a connection to SPDY/3.1. Rejects with what the server said when it would not. */
export async function connectSpdy(
  port: number,
  path: string,
  protocols: readonly string[],
): Promise<{ readonly client: SpdyClient; readonly protocol: string | undefined }> {
  const asked = request({
    host: '127.0.0.1',
    port,
    path,
    method: 'POST',
    headers: {
      connection: 'Upgrade',
      upgrade: 'SPDY/3.1',
      'x-stream-protocol-version': [...protocols],
    },
  });
  asked.end();
  const refused = once(asked, 'response').then(async ([response]) => {
    let text = '';
    for await (const chunk of response) text += chunk;
    throw new Error(`${response.statusCode} ${text}`);
  });
  refused.catch(() => {});
  const [response, socket, head] = await Promise.race([
    once(asked, 'upgrade'),
    refused as Promise<never>,
  ]);
  return {
    client: new SpdyClient(socket, head),
    protocol: response.headers['x-stream-protocol-version'],
  };
}
