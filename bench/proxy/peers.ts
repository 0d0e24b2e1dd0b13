// The proxies that are compared and the backend behind them: each one process, with the same routes,
// keep-alive to the backend, and the same fields for it about who asked. None of them logs requests.

import { setTimeout as delay } from 'node:timers/promises';
import type { Context } from '../support/benchmark.ts';
import { ADDRESS, startFairway } from '../support/fairway.ts';
import { gateway, hostOf, route, secret, service, toFile } from '../support/manifests.ts';
import { freePort, isListening } from '../support/ports.ts';
import type { Running } from '../support/scratch.ts';
import type { Protocol } from './rows.ts';
import { FILES, HELLO } from './rows.ts';

export interface Peer {
  readonly name: string;
  readonly pid: number;
  /** Where each protocol is spoken, as `http://127.0.0.1:8080`. */
  readonly origins: Readonly<Record<Protocol, string>>;
}

export interface KeyPair {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface PeerOptions {
  readonly context: Context;
  /** The core the proxies run on, one after the other. */
  readonly core: string;
  /** `address:port` */
  readonly backend: string;
  readonly routes: number;
  readonly keys: KeyPair;
}

const START_MS_MAX = 10_000;
const LOOK_MS = 20;

/** Starts the backend; `place` is its `address:port`. */
export async function startBackend(
  context: Context,
  core: string,
): Promise<{ readonly place: string; readonly pid: number }> {
  const { scratch } = context;
  for (const [name, bytes] of FILES) {
    scratch.write(`backend/files/app/${name}`, Buffer.alloc(bytes, 'fairway.'));
  }
  const port = await freePort();
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
  }`;
  const { pid } = await startNginx(context, 'backend', { core, port, servers });
  return { place: `127.0.0.1:${port}`, pid };
}

export async function startFairwayPeer(options: PeerOptions): Promise<Peer> {
  const { context, core, backend, routes, keys } = options;
  const [httpPort, httpsPort] = [await freePort(), await freePort()];
  const { scratch } = context;
  scratch.write('fairway/gateway.yaml', gateway({ httpPort, httpsPort }));
  scratch.write('fairway/secret.yaml', secret(keys.certificate, keys.privateKey));
  scratch.write('fairway/service.yaml', service(backend));
  scratch.write('fairway/routes.yaml', toFile(Array.from({ length: routes }, (_, i) => route(i))));
  const { pid } = await startFairway(context, scratch.file('fairway'), {
    args: ['--workers', '1', '--no-watch'],
    cores: core,
  });
  const plain = `http://${ADDRESS}:${httpPort}`;
  return {
    name: 'fairway',
    pid,
    origins: { http: plain, h2c: plain, https: `https://${ADDRESS}:${httpsPort}` },
  };
}

/** A server block for each route; the defaults for buffers, but nothing is spilled to disk. */
export async function startNginxPeer(options: PeerOptions): Promise<Peer> {
  const { context, core, backend, routes, keys } = options;
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
    listen 127.0.0.1:${ports.https} ssl;
    server_name ${hostOf(i)};
    location /app { proxy_pass http://backend; }
  }`,
  );
  const servers = `
  server {
    listen 127.0.0.1:${ports.http} default_server backlog=4096;
    listen 127.0.0.1:${ports.h2c} http2 default_server backlog=4096;
    listen 127.0.0.1:${ports.https} ssl default_server backlog=4096;
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
    server ${backend};
    keepalive 512;
    keepalive_requests 100000000;
  }
${blocks.join('\n')}`;
  const running = await startNginx(context, 'nginx', { core, port: ports.http, servers });
  return { name: 'nginx', pid: running.pid, origins: originsOf(ports) };
}

/** One process, so that all it uses is found under one number. */
async function startNginx(
  { scratch }: Context,
  name: string,
  {
    core,
    port,
    servers,
  }: { readonly core: string; readonly port: number; readonly servers: string },
): Promise<Running> {
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map(
    (kind) => `${kind}_temp_path ${scratch.file(`${name}/${kind}`)};`,
  );
  const path = scratch.write(
    `${name}/nginx.conf`,
    `daemon off;
master_process off;
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
  bind 127.0.0.1:${ports.https} ssl crt ${pem} backlog 4096
  http-request set-header X-Forwarded-For %[src]
  http-request set-header X-Forwarded-Proto http unless { ssl_fc }
  http-request set-header X-Forwarded-Proto https if { ssl_fc }
  http-request set-header X-Forwarded-Host %[req.hdr(host)]
  use_backend %[base,map_beg(${map},none)]
backend backend
  server one ${backend} pool-max-conn 512
backend none
  http-request return status 404
`,
  );
  const running = scratch.start(['haproxy', '-db', '-f', path], { cores: core });
  await untilListening(running, ports.http);
  return { name: 'haproxy', pid: running.pid, origins: originsOf(ports) };
}

function originsOf(ports: Readonly<Record<Protocol, number>>): Peer['origins'] {
  return {
    http: `http://127.0.0.1:${ports.http}`,
    https: `https://127.0.0.1:${ports.https}`,
    h2c: `http://127.0.0.1:${ports.h2c}`,
  };
}

async function untilListening(running: Running, port: number): Promise<void> {
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
