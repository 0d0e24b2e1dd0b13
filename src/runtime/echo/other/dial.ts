// One request of agnhost's /dial, sent from the pod's own address over HTTP or UDP.

import dgram from 'node:dgram';
import http from 'node:http';
import { errorText } from '../errors.ts';
import { resolveHost } from '../resolve-host.ts';
import type { EchoPod } from '../pod.ts';

export interface DialRequest {
  readonly protocol: 'http' | 'udp';
  readonly host: string;
  readonly port: number;
  /** Path without leading slash for HTTP, the datagram for UDP. */
  readonly request: string;
  readonly pod: EchoPod;
}

export type DialResult =
  | { readonly ok: true; readonly response: string }
  | { readonly ok: false; readonly error: string };

const TIMEOUT_MS = 5_000;
const RESPONSE_BYTES_MAX = 1024 * 1024;

export async function dial(request: DialRequest): Promise<DialResult> {
  try {
    const response = request.protocol === 'http' ? await dialHttp(request) : await dialUdp(request);
    return { ok: true, response };
  } catch (error) {
    return { ok: false, error: errorText(error) };
  }
}

function dialHttp({ host, port, request, pod }: DialRequest): Promise<string> {
  return new Promise((resolve, reject) => {
    const outgoing = http.get({
      host,
      port,
      path: `/${request}`,
      agent: false,
      localAddress: pod.address,
      signal: AbortSignal.timeout(TIMEOUT_MS),
      ...(pod.lookup && { lookup: pod.lookup }),
    });
    outgoing.on('error', reject);
    outgoing.on('response', (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
        if (body.length > RESPONSE_BYTES_MAX) response.destroy(new Error('response too large'));
      });
      response.on('error', reject).on('end', () => resolve(body));
    });
  });
}

async function dialUdp({ host, port, request, pod }: DialRequest): Promise<string> {
  const address = await resolveHost(host, pod.lookup);
  return new Promise((resolve, reject) => {
    const socket = dgram.createSocket('udp4');
    const timer = setTimeout(
      () => finish(() => reject(new Error('reading from udp connection failed: timeout'))),
      TIMEOUT_MS,
    );
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      socket.close();
      settle();
    };
    socket.on('error', (error) => finish(() => reject(error)));
    socket.on('message', (message) => finish(() => resolve(message.toString('utf8'))));
    socket.bind(0, pod.address, () => {
      // Connected, so that a closed port comes back as an error and a stranger's datagram does not count.
      socket.connect(port, address, () => socket.send(request));
    });
  });
}
