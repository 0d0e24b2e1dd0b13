// Requests to an API server: an object or a list as JSON, or a watch as a stream of events. Everything
// has an end: headers, bodies and lines of watches are bounded in time or in size.

import { request as requestHttp } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { request as requestHttps } from 'node:https';
import type { AccessProvider } from './access.ts';
import { KUBE_LIMITS } from './limits.ts';
import { KubeStatusError } from './problem.ts';

export interface WatchEvent {
  readonly type: 'ADDED' | 'MODIFIED' | 'DELETED' | 'BOOKMARK' | 'ERROR';
  readonly object: KubeJson;
}

/** An object as it comes: nothing is known of it yet. */
export interface KubeJson {
  readonly kind?: string;
  readonly metadata?: {
    readonly name?: string;
    readonly namespace?: string;
    readonly uid?: string;
    readonly resourceVersion?: string;
    readonly continue?: string;
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly items?: readonly KubeJson[];
  readonly [field: string]: unknown;
}

export class KubeClient {
  readonly #access: AccessProvider;

  constructor(access: AccessProvider) {
    this.#access = access;
  }

  /** What it talks to, for people. */
  get about(): string {
    return this.#access.about;
  }

  /** GET, or POST with a body. Rejects with a KubeStatusError for an answer that is none. */
  async ask(path: string, signal: AbortSignal, body?: unknown): Promise<KubeJson> {
    const response = await this.#send(path, signal, body);
    const deadline = AbortSignal.timeout(KUBE_LIMITS.bodyMs);
    const cut = (): void => void response.destroy(new Error('its answer takes too long'));
    deadline.addEventListener('abort', cut, { once: true });
    try {
      return JSON.parse(await readAll(response)) as KubeJson;
    } finally {
      deadline.removeEventListener('abort', cut);
    }
  }

  /** The events of a watch, until the server ends it. Throws when it breaks or outlives `timeoutMs`. */
  async *watch(
    path: string,
    { timeoutMs, onOpen }: { readonly timeoutMs: number; readonly onOpen: () => void },
    signal: AbortSignal,
  ): AsyncGenerator<WatchEvent> {
    const response = await this.#send(path, signal);
    onOpen();
    const timer = setTimeout(
      () => response.destroy(new Error('the watch does not end')),
      timeoutMs,
    );
    try {
      let rest = '';
      response.setEncoding('utf8');
      for await (const chunk of response as AsyncIterable<string>) {
        const lines = (rest + chunk).split('\n');
        rest = lines.pop() ?? '';
        if (rest.length > KUBE_LIMITS.lineCharsMax) throw new Error('an event is too large');
        for (const line of lines) if (line !== '') yield JSON.parse(line) as WatchEvent;
      }
    } finally {
      clearTimeout(timer);
      response.destroy();
    }
  }

  async #send(path: string, signal: AbortSignal, body?: unknown): Promise<IncomingMessage> {
    const { server, headers, agent } = await this.#access.get();
    const base = server.pathname.replace(/\/$/, '');
    const request = server.protocol === 'http:' ? requestHttp : requestHttps;
    const bytes = body === undefined ? undefined : JSON.stringify(body);
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent = request(
        new URL(base + path, server),
        {
          method: bytes === undefined ? 'GET' : 'POST',
          agent,
          signal,
          headers: {
            Accept: 'application/json',
            ...(bytes === undefined ? {} : { 'Content-Type': 'application/json' }),
            ...headers,
          },
        },
        (answer) => {
          clearTimeout(timer);
          resolve(answer);
        },
      );
      const timer = setTimeout(
        () => sent.destroy(new Error('it does not answer')),
        KUBE_LIMITS.headMs,
      );
      sent.once('error', (error) => {
        clearTimeout(timer);
        reject(error);
      });
      sent.end(bytes);
    });
    const code = response.statusCode ?? 0;
    if (code >= 200 && code < 300) return response;
    throw refusal(code, response, await readAll(response).catch(() => ''));
  }
}

function refusal(code: number, response: IncomingMessage, text: string): KubeStatusError {
  const seconds = Number(response.headers['retry-after'] ?? 0);
  const retryAfterMs = Number.isFinite(seconds) ? seconds * 1000 : 0;
  try {
    const { reason, message } = JSON.parse(text) as { reason?: string; message?: string };
    return new KubeStatusError(code, reason ?? '', message ?? text, retryAfterMs);
  } catch {
    const said = text.trim().slice(0, KUBE_LIMITS.messageCharsMax);
    return new KubeStatusError(code, '', said || (response.statusMessage ?? ''), retryAfterMs);
  }
}

async function readAll(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of response as AsyncIterable<Buffer>) {
    size += chunk.length;
    if (size > KUBE_LIMITS.bodyBytesMax) throw new Error('its answer is too large');
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}
