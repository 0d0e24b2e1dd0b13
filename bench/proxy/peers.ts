// The proxies that are compared and the backend behind them: each one process, with the same routes,
// keep-alive to the backend, and the same fields for it about who asked. None of them logs requests.

import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../support/benchmark.ts';
import { addressOf, startFairway } from '../support/fairway.ts';
import { gateway, grpc, hostOf, route, secret, service, toFile } from '../support/manifests.ts';
import { freePort, isListening } from '../support/ports.ts';
import type { Running } from '../support/scratch.ts';
import type { Protocol } from './rows.ts';
import { FILES, GRPC_HOST, HELLO } from './rows.ts';

export interface Peer {
  readonly name: string;
  readonly pid: number;
  /** Where each protocol is spoken, as `http://127.0.0.1:8080`. */
  readonly origins: Readonly<Record<Protocol, string>>;
  stop(): Promise<void>;
}

export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface PeerOptions {
  readonly context: Context;
  /** The core the proxies run on, one after the other. */
  readonly core: string;
  readonly backend: BackendPlace;
  readonly routes: number;
  /** The number of the first of them; 0 when absent. */
  readonly firstRoute?: number;
  readonly keys: KeyPair;
  /** `fairway` when absent. */
  readonly name?: string;
  /** One when absent. */
  readonly workers?: number;
  /** Told apart from others of the same benchmark by it; from 1. */
  readonly number?: number;
}

/** Both as `address:port`. */
export interface BackendPlace {
  readonly http: string;
  /** Speaks HTTP/2 by prior knowledge. */
  readonly h2c: string;
}

const START_MS_MAX = 10_000;
const LOOK_MS = 20;

/** Starts the backend; `place` is its `address:port`. */
export async function startBackend(
  context: Context,
  core: string,
): Promise<{ readonly place: BackendPlace; readonly pid: number }> {
  const { scratch } = context;
  for (const [name, bytes] of FILES) {
    scratch.write(`backend/files/app/${name}`, Buffer.alloc(bytes, 'fairway.'));
  }
  const [port, h2cPort] = [await freePort(), await freePort()];
  const servers = `
  sendfile on;
  open_file_cache max=100;
  client_max_body_size 10m;
  client_body_buffer_size 128k;
  server {
    listen 127.0.0.1:${port} backlog=4096;
    location / { root ${scratch.file('backend/files')}; }
    location = /app/hello { return 200 "${HELLO.trim()}\\n"; }
    location = /app/seen {
      return 200 "$http_host|$http_x_forwarded_for|$http_x_forwarded_proto|$http_x_forwarded_host\\n";
    }
  }
  server {
    listen 127.0.0.1:${h2cPort} http2 backlog=4096;
    default_type application/grpc;
    http2_max_concurrent_streams 1024;
    location / { add_header grpc-status 0; return 200 "${'g'.repeat(64)}"; }
  }`;
  const { pid } = await startNginx(context, 'backend', { core, port, servers });
  return { place: { http: `127.0.0.1:${port}`, h2c: `127.0.0.1:${h2cPort}` }, pid };
}

export async function startFairwayPeer(options: PeerOptions): Promise<Peer> {
  const { context, core, backend, routes, keys, name = 'fairway', workers = 1 } = options;
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const { scratch } = context;
  const write = (file: string, text: string): string => scratch.write(`${name}/${file}`, text);
  write('gateway.yaml', gateway({ httpPort, httpsPort }));
  write('secret.yaml', secret(keys.certificate, keys.privateKey));
  write('service.yaml', service(backend.http));
  write('grpc.yaml', grpc(backend.h2c, GRPC_HOST));
  const first = options.firstRoute ?? 0;
  write('routes.yaml', toFile(Array.from({ length: routes }, (_, i) => route(first + i))));
  const running = await startFairway(context, scratch.file(name), {
    args: ['--workers', String(workers), '--no-watch', '--no-api'],
    cores: core,
    number: options.number ?? 1,
  });
  const address = addressOf(options.number ?? 1);
  const plain = `http://${address}:${httpPort}`;
  const secure = `https://${address}:${httpsPort}`;
  return {
    name,
    pid: running.pid,
    origins: { http: plain, h2c: plain, grpc: plain, https: secure, h2: secure },
    stop: running.stop,
  };
}

/** A server block for each route; the defaults for buffers, but nothing is spilled to disk. */
export async function startNginxPeer(options: PeerOptions): Promise<Peer> {
  const { context, core, backend, routes, keys, workers = 1 } = options;
  const { scratch } = context;
  const ports = { http: await freePort(), https: await freePort(), h2c: await freePort() };
  const certificate = scratch.write('nginx/tls.crt', keys.certificate);
  const privateKey = scratch.write('nginx/tls.key', keys.privateKey);
  const blocks = Array.from(
    { length: routes },
    (_, i) => `
  server {
    listen 127.0.0.1:${ports.http};
    listen 127.0.0.1:${ports.h2c} http2;
    listen 127.0.0.1:${ports.https} ssl http2;
    server_name ${hostOf(i)};
    location /app { proxy_pass http://backend; }
  }`,
  );
  const servers = `
  server {
    listen 127.0.0.1:${ports.http} default_server backlog=4096;
    listen 127.0.0.1:${ports.h2c} http2 default_server backlog=4096;
    listen 127.0.0.1:${ports.https} ssl http2 default_server backlog=4096;
    return 404;
  }
  server_names_hash_max_size ${routes * 4};
  server_names_hash_bucket_size 128;
  ssl_certificate ${certificate};
  ssl_certificate_key ${privateKey};
  ssl_protocols TLSv1.3;
  client_max_body_size 10m;
  client_body_buffer_size 128k;
  proxy_max_temp_file_size 0;
  proxy_http_version 1.1;
  proxy_set_header Connection "";
  proxy_set_header Host $http_host;
  proxy_set_header X-Forwarded-For $remote_addr;
  proxy_set_header X-Forwarded-Proto $scheme;
  proxy_set_header X-Forwarded-Host $http_host;
  upstream backend {
    server ${backend.http};
    keepalive 512;
    keepalive_requests 100000000;
  }
  upstream backend_h2c {
    server ${backend.h2c};
    keepalive 512;
    keepalive_requests 100000000;
  }
  server {
    listen 127.0.0.1:${ports.h2c} http2;
    server_name ${GRPC_HOST};
    location / {
      grpc_set_header X-Forwarded-For $remote_addr;
      grpc_set_header X-Forwarded-Proto $scheme;
      grpc_set_header X-Forwarded-Host $http_host;
      grpc_pass grpc://backend_h2c;
    }
  }
${blocks.join('\n')}`;
  const running = await startNginx(context, 'nginx', { core, port: ports.http, servers, workers });
  return { name: 'nginx', pid: running.pid, origins: originsOf(ports), stop: running.stop };
}

/** Without a master where there is one worker, as nobody is to be replaced. */
async function startNginx(
  { scratch }: Context,
  name: string,
  {
    core,
    port,
    servers,
    workers = 1,
  }: {
    readonly core: string;
    readonly port: number;
    readonly servers: string;
    readonly workers?: number;
  },
): Promise<Running> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${scratch.file(`${name}/${kind}`)};`,
  );
  const path = scratch.write(
    `${name}/nginx.conf`,
    `daemon off;
master_process ${workers === 1 ? 'off' : 'on'};
worker_processes ${workers};
pid ${scratch.file(`${name}/pid`)};
worker_rlimit_nofile 16384;
events { worker_connections 8192; }
http {
  access_log off;
  keepalive_timeout 600s;
  keepalive_requests 100000000;
  ${temporary.join('\n  ')}
${servers}
}
`,
  );
  const running = scratch.start(['nginx', '-e', 'stderr', '-c', path], { cores: core });
  await untilListening(running, port);
  return running;
}

/** A map of host and path to backend, which HAProxy keeps as a tree of prefixes. */
export async function startHaproxyPeer(options: PeerOptions): Promise<Peer> {
  const { context, core, backend, routes, keys } = options;
  const { scratch } = context;
  const ports = { http: await freePort(), https: await freePort(), h2c: await freePort() };
  const pem = scratch.write('haproxy/tls.pem', keys.certificate + keys.privateKey);
  const map = scratch.write(
    'haproxy/routes.map',
    Array.from({ length: routes }, (_, i) => `${hostOf(i)}/app backend\n`).join(''),
  );
  const path = scratch.write(
    'haproxy/haproxy.cfg',
    `global
  nbthread 1
  maxconn 8192
  ssl-default-bind-options ssl-min-ver TLSv1.3
defaults
  mode http
  option http-keep-alive
  http-reuse always
  timeout connect 5s
  timeout client 600s
  timeout server 600s
frontend web
  bind 127.0.0.1:${ports.http} backlog 4096
  bind 127.0.0.1:${ports.h2c} proto h2 backlog 4096
  bind 127.0.0.1:${ports.https} ssl crt ${pem} alpn h2,http/1.1 backlog 4096
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  use_backend grpc if { req.hdr(host) ${GRPC_HOST} }
  use_backend %[base,map_beg(${map},none)]
backend backend
  server one ${backend.http} pool-max-conn 512
backend grpc
  server one ${backend.h2c} proto h2 pool-max-conn 512
backend none
  http-request return status 404
`,
  );
  const running = scratch.start(['haproxy', '-db', '-f', path], { cores: core });
  await untilListening(running, ports.http);
  return { name: 'haproxy', pid: running.pid, origins: originsOf(ports), stop: running.stop };
}

/** TLS and plain HTTP/2 each have a port of their own. */
export function originsOf(ports: {
  readonly http: number;
  readonly https: number;
  readonly h2c: number;
}): Peer['origins'] {
  const secure = `https://127.0.0.1:${ports.https}`;
  const h2c = `http://127.0.0.1:${ports.h2c}`;
  return { http: `http://127.0.0.1:${ports.http}`, https: secure, h2: secure, h2c, grpc: h2c };
}

export async function untilListening(running: Running, port: number): Promise<void> {
  const deadline = performance.now() + START_MS_MAX;
  let ended = false;
  void running.exited.then(() => (ended = true));
  while (!(await isListening('127.0.0.1', port))) {
    if (ended || performance.now() > deadline) {
      throw new Error(`nothing listens on port ${port}: ${running.stderr()}`);
    }
    await delay(LOOK_MS);
  }
}
