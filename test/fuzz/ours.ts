// Our HTTP/1.1 connections without sockets: bytes → the messages they find in them, as the exchange
// would see them, and whether they found fault.

import { Clock } from '../../src/targets/proxy/datapath/clock.ts';
import { newCounters } from '../../src/targets/proxy/datapath/counters.ts';
import { H1ClientConnection } from '../../src/targets/proxy/datapath/h1/client.ts';
import { H1ServerConnection } from '../../src/targets/proxy/datapath/h1/server.ts';
import { DEFAULT_LIMITS } from '../../src/targets/proxy/datapath/limits.ts';
import type {
  RequestHead,
  ResponseHead,
  ResponseReceiver,
  Transport,
} from '../../src/targets/proxy/datapath/stream.ts';

export interface Found<H> {
  readonly head: H;
  body: string;
  complete: boolean;
}

export interface FoundAll<H> {
  readonly messages: readonly Found<H>[];
  /** The status bytes were refused with, or how a response was given up; '' for no fault. */
  readonly fault: string;
}

class Silent implements Transport {
  readonly bufferedBytes = 0;
  write(): boolean {
    return true;
  }
  pause(): void {}
  resume(): void {}
  end(): void {}
  destroy(): void {}
}

const clock = new Clock();
const counters = newCounters();

/** Requests; each is answered when it is complete. */
export function readRequests(pieces: readonly string[]): FoundAll<RequestHead> {
  const messages: Found<RequestHead>[] = [];
  let fault = '';
  const connection = new H1ServerConnection({
    transport: new Silent(),
    scheme: 'http',
    limits: DEFAULT_LIMITS,
    clock,
    counters,
    onRequest: (stream, head) => {
      const found: Found<RequestHead> = { head, body: '', complete: false };
      messages.push(found);
      return {
        onBody: (bytes) => (found.body += bytes.toString('latin1')),
        onEnd: () => {
          if (found.complete) return;
          found.complete = true;
          stream.sendHead({ status: 200, fields: [], contentLength: 0 }, true);
        },
        onReset: () => undefined,
        onDrain: () => undefined,
      };
    },
    onRefused: (status) => (fault = String(status)),
    onClosed: () => undefined,
  });
  for (const piece of pieces) connection.onTransportData(Buffer.from(piece, 'latin1'));
  connection.onTransportClose();
  return { messages, fault };
}

/** The first final response to one GET, as a backend's bytes give it, and what came before it. */
export function readResponse(pieces: readonly string[]): FoundAll<ResponseHead> & {
  readonly interim: readonly number[];
} {
  const messages: Found<ResponseHead>[] = [];
  const interim: number[] = [];
  let fault = '';
  const connection = new H1ClientConnection({
    transport: new Silent(),
    limits: DEFAULT_LIMITS,
    clock,
    onIdle: () => undefined,
    onClosed: () => undefined,
  });
  const receiver: ResponseReceiver = {
    onInterim: (status) => void interim.push(status),
    onHead: (head, end) => void messages.push({ head, body: '', complete: end }),
    onTunnel: () => undefined,
    onBody: (bytes) => {
      const last = messages.at(-1);
      if (last !== undefined) last.body += bytes.toString('latin1');
    },
    onEnd: () => {
      const last = messages.at(-1);
      if (last !== undefined) last.complete = true;
    },
    onReset: (reason) => (fault = reason),
    onDrain: () => undefined,
  };
  connection.request(GET, true, receiver);
  for (const piece of pieces) connection.onTransportData(Buffer.from(piece, 'latin1'));
  connection.onTransportEnd();
  return { messages, fault, interim };
}

const GET: RequestHead = {
  method: 'GET',
  target: '/',
  authority: 'a',
  scheme: 'http',
  fields: [],
  contentLength: 0,
  protocol: '',
  expectContinue: false,
};
