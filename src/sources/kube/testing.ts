// An API server of a few lines for tests: objects with versions, lists by pages, and watches that a test
// can cut, refuse or let run out. It keeps what it was asked.

import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

interface Stored {
  readonly metadata: { readonly name: string; readonly resourceVersion: string };
  readonly [field: string]: unknown;
}

export class FakeApi {
  readonly asked: URL[] = [];
  readonly tokens: (string | undefined)[] = [];
  /** Answers in place of the server's own, for the next requests that it takes. */
  refuse: (url: URL) => { readonly code: number; readonly reason: string } | undefined = () =>
    undefined;
  streamsLists = true;
  readonly #objects = new Map<string, Stored>();
  readonly #watches = new Set<ServerResponse>();
  #version = 10;
  #server: Server | undefined;
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get watchCount(): number {
    return this.#watches.size;
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => this.#handle(request, response));
    await new Promise<void>((resolve) => {
      this.#server!.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => this.#server!.close(resolve));
    this.#server!.closeAllConnections();
    await closed;
    this.#watches.clear();
  }

  put(name: string, fields: object): void {
    const type = this.#objects.has(name) ? 'MODIFIED' : 'ADDED';
    this.#version++;
    const { metadata, ...rest } = fields as { metadata?: object };
    const stored: Stored = {
      ...rest,
      metadata: {
        ...metadata,
        name,
        namespace: 'default',
        uid: `uid-${name}`,
        resourceVersion: String(this.#version),
      } as Stored['metadata'],
    };
    this.#objects.set(name, stored);
    this.#send(type, stored);
  }

  delete(name: string): void {
    const stored = this.#objects.get(name)!;
    this.#objects.delete(name);
    this.#version++;
    const metadata = { ...stored.metadata, resourceVersion: String(this.#version) };
    this.#send('DELETED', { ...stored, metadata });
  }

  /** Changes that no watch is told of. */
  unseen(change: () => void): void {
    const watches = [...this.#watches];
    this.#watches.clear();
    change();
    for (const watch of watches) this.#watches.add(watch);
  }

  bookmark(): void {
    this.#send('BOOKMARK', { metadata: { resourceVersion: String(this.#version) } });
  }

  expire(): void {
    const object = { kind: 'Status', code: 410, reason: 'Expired', message: 'too old' };
    this.#send('ERROR', object);
    this.cut();
  }

  /** Ends all watches, as a server does when their time is up. */
  cut(): void {
    for (const watch of this.#watches) watch.end();
    this.#watches.clear();
  }

  /** Loses everything, and counts from the beginning. */
  reset(): void {
    this.#objects.clear();
    this.#version = 1;
  }

  #send(type: string, object: object): void {
    for (const watch of this.#watches) watch.write(`${JSON.stringify({ type, object })}\n`);
  }

  #handle(request: IncomingMessage, response: ServerResponse): void {
    const url = new URL(request.url ?? '/', 'http://api');
    this.asked.push(url);
    this.tokens.push(request.headers.authorization);
    const refusal = this.refuse(url) ?? this.#refusal(url);
    if (refusal !== undefined) {
      const { code, reason } = refusal;
      response.writeHead(code, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ kind: 'Status', code, reason, message: `no: ${reason}` }));
      return;
    }
    if (url.searchParams.get('watch') === 'true') this.#watch(url, response);
    else this.#list(url, response);
  }

  #refusal({ searchParams }: URL): { readonly code: number; readonly reason: string } | undefined {
    const isStreamed = searchParams.get('sendInitialEvents') === 'true';
    return isStreamed && !this.streamsLists ? { code: 422, reason: 'Invalid' } : undefined;
  }

  #watch({ searchParams }: URL, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'application/json' });
    response.flushHeaders();
    const line = (type: string, object: object): boolean =>
      response.write(`${JSON.stringify({ type, object })}\n`);
    if (searchParams.get('sendInitialEvents') === 'true') {
      for (const object of this.#objects.values()) line('ADDED', object);
      const annotations = { 'k8s.io/initial-events-end': 'true' };
      line('BOOKMARK', { metadata: { resourceVersion: String(this.#version), annotations } });
    } else {
      const since = Number(searchParams.get('resourceVersion'));
      for (const object of this.#objects.values()) {
        if (Number(object.metadata.resourceVersion) > since) line('MODIFIED', object);
      }
    }
    this.#watches.add(response);
    response.once('close', () => this.#watches.delete(response));
  }

  #list({ searchParams }: URL, response: ServerResponse): void {
    const all = [...this.#objects.values()];
    const limit = Number(searchParams.get('limit') ?? all.length);
    const from = Number(searchParams.get('continue') ?? 0);
    const next = from + limit < all.length ? String(from + limit) : '';
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({
        metadata: { resourceVersion: String(this.#version), continue: next },
        items: all.slice(from, from + limit),
      }),
    );
  }
}
