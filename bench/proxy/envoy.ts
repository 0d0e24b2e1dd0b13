// Envoy for the comparison: one worker, the same routes, nothing logged, no request ids.

import { freePort } from '../support/ports.ts';
import { hostOf } from '../support/manifests.ts';
import { originsOf, untilListening } from './peers.ts';
import type { Peer, PeerOptions } from './peers.ts';
import { GRPC_HOST } from './rows.ts';

const MANAGER =
  'type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager';
const ROUTER = 'type.googleapis.com/envoy.extensions.filters.http.router.v3.Router';
const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext';
const PROTOCOL = 'envoy.extensions.upstreams.http.v3.HttpProtocolOptions';

/** `program` is the path of Envoy. */
export async function startEnvoyPeer(options: PeerOptions, program: string): Promise<Peer> {
  const { context, core } = options;
  const { scratch } = context;
  const ports = { http: await freePort(), https: await freePort() };
  const path = scratch.write('envoy/envoy.json', JSON.stringify(configOf(options, ports)));
  const running = scratch.start(
    [program, '-c', path, '--concurrency', '1', '--disable-hot-restart', '-l', 'error'],
    { cores: core },
  );
  await untilListening(running, ports.http);
  const origins = originsOf({ ...ports, h2c: ports.http });
  return { name: 'envoy', pid: running.pid, origins, stop: running.stop };
}

function configOf(
  options: PeerOptions,
  ports: { readonly http: number; readonly https: number },
): object {
  const { backend, keys } = options;
  const secure = {
    name: 'tls',
    typed_config: {
      '@type': TLS,
      common_tls_context: {
        alpn_protocols: ['h2', 'http/1.1'],
        tls_params: { tls_minimum_protocol_version: 'TLSv1_3' },
        tls_certificates: [
          {
            certificate_chain: { inline_string: keys.certificate },
            private_key: { inline_string: keys.privateKey },
          },
        ],
      },
    },
  };
  return {
    static_resources: {
      listeners: [listener(options, ports.http), listener(options, ports.https, secure)],
      clusters: [cluster('backend', backend.http, false), cluster('grpc', backend.h2c, true)],
    },
  };
}

function listener({ routes }: PeerOptions, port: number, secure?: object): object {
  const to = (name: string, path: string): object => ({
    match: { prefix: path },
    route: { cluster: name, timeout: '0s' },
  });
  const host = (domain: string, name: string, path: string): object => ({
    name: domain,
    domains: [domain],
    routes: [to(name, path)],
  });
  const manager = {
    '@type': MANAGER,
    stat_prefix: 'web',
    codec_type: 'AUTO',
    use_remote_address: true,
    generate_request_id: false,
    http_filters: [{ name: 'router', typed_config: { '@type': ROUTER } }],
    route_config: {
      request_headers_to_add: [{ header: { key: 'x-forwarded-host', value: '%REQ(:authority)%' } }],
      virtual_hosts: [
        ...Array.from({ length: routes }, (_, i) => host(hostOf(i), 'backend', '/app')),
        host(GRPC_HOST, 'grpc', '/'),
      ],
    },
  };
  return {
    name: `port-${port}`,
    address: { socket_address: { address: '127.0.0.1', port_value: port } },
    filter_chains: [
      {
        filters: [{ name: 'http', typed_config: manager }],
        ...(secure === undefined ? {} : { transport_socket: secure }),
      },
    ],
  };
}

function cluster(name: string, place: string, isH2: boolean): object {
  const [address = '', port = ''] = place.split(':');
  const many = 1_000_000;
  return {
    name,
    type: 'STATIC',
    connect_timeout: '5s',
    circuit_breakers: {
      thresholds: [{ max_connections: many, max_pending_requests: many, max_requests: many }],
    },
    ...(isH2
      ? {
          typed_extension_protocol_options: {
            [PROTOCOL]: {
              '@type': `type.googleapis.com/${PROTOCOL}`,
              explicit_http_config: { http2_protocol_options: {} },
            },
          },
        }
      : {}),
    load_assignment: {
      cluster_name: name,
      endpoints: [
        {
          lb_endpoints: [
            {
              endpoint: {
                address: { socket_address: { address, port_value: Number(port) } },
              },
            },
          ],
        },
      ],
    },
  };
}
