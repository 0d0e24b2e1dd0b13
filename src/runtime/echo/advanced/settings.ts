// The command line of echo-advanced (Istio's test app) as a list of ports to open.
//
//   --port=8080 --port=8443 --tls=8443 --crt=/cert.crt --key=/cert.key --grpc=7070 --tcp=9090

import type { SecureVersion } from 'node:tls';
import { EchoStartError } from '../errors.ts';
import { parseFlags, type Flags } from '../flags.ts';
import { hostname, parsePort, type EchoPod } from '../pod.ts';

export interface AdvancedPort {
  readonly protocol: 'http' | 'grpc' | 'tcp' | 'udp';
  readonly port: number;
  readonly isTls: boolean;
  /** Demands a client certificate signed by --ca. */
  readonly isMutualTls: boolean;
  /** Sends a line before the client does (TCP only). */
  readonly isServerFirst: boolean;
}

export interface AdvancedSettings {
  readonly ports: readonly AdvancedPort[];
  /** What every answer says about the server. */
  readonly identity: Identity;
  readonly tls: {
    readonly certPath: string;
    readonly keyPath: string;
    readonly caPath: string;
    readonly minVersion: SecureVersion;
    /** OpenSSL's list, or undefined for its own choice. */
    readonly curves: string | undefined;
    readonly hasAlpn: boolean;
  };
  /** Things asked for that are left out, one sentence each, for the log. */
  readonly notices: readonly string[];
}

export interface Identity {
  readonly version: string;
  readonly cluster: string;
  readonly istioVersion: string;
  readonly hostname: string;
}

const FLAGS = {
  flags: {
    port: 'value',
    grpc: 'value',
    tcp: 'value',
    udp: 'value',
    tls: 'value',
    mtls: 'value',
    'server-first': 'value',
    'bind-ip': 'value',
    'bind-localhost': 'value',
    metrics: 'value',
    version: 'value',
    cluster: 'value',
    'istio-version': 'value',
    crt: 'value',
    key: 'value',
    ca: 'value',
    'disable-alpn': 'switch',
    'tls-min-version': 'value',
    'tls-curve-preferences': 'value',
    hbone: 'value',
    'double-hbone': 'value',
    'proxy-protocol': 'value',
    'xds-grpc-server': 'value',
    'endpoint-picker': 'value',
    uds: 'value',
  },
} as const;

/** Parts of Istio's own tests; a backend that silently ignored them would make those tests lie. */
const REFUSED = [
  'hbone',
  'double-hbone',
  'proxy-protocol',
  'xds-grpc-server',
  'endpoint-picker',
  'uds',
];

export function readSettings(pod: EchoPod): AdvancedSettings {
  const flags = parseFlags(pod.args, FLAGS);
  const refused = REFUSED.find((name) => flags.all(name).length > 0);
  if (refused !== undefined) {
    throw new EchoStartError(
      'FW_ECHO_CONFIG',
      `--${refused} is not supported by the built-in echo-advanced`,
    );
  }
  const localOnly = new Set(flags.list('bind-localhost'));
  return {
    ports: readPorts(flags).filter(({ port }) => !localOnly.has(String(port))),
    identity: {
      version: flags.last('version') ?? '',
      cluster: flags.last('cluster') ?? '',
      istioVersion: flags.last('istio-version') ?? '',
      hostname: hostname(pod),
    },
    tls: {
      certPath: flags.last('crt') ?? '',
      keyPath: flags.last('key') ?? '',
      caPath: flags.last('ca') ?? '',
      minVersion: minVersion(flags.last('tls-min-version') ?? ''),
      curves: flags.list('tls-curve-preferences').join(':') || undefined,
      hasAlpn: !flags.isOn('disable-alpn'),
    },
    notices: [
      ...[...localOnly].map(
        (port) =>
          `port ${port} is not opened: --bind-localhost is out of reach from outside the pod`,
      ),
      ...(Number(flags.last('metrics') ?? 0) > 0 ? ['--metrics: metrics are not served'] : []),
    ],
  };
}

function readPorts(flags: Flags): AdvancedPort[] {
  const mutual = new Set(flags.list('mtls'));
  const tls = new Set([...flags.list('tls'), ...mutual]);
  const serverFirst = new Set(flags.list('server-first'));
  const of = (
    protocol: AdvancedPort['protocol'],
    flag: string,
    fallback: readonly string[],
  ): AdvancedPort[] =>
    flags.list(flag, fallback).map((port) => ({
      protocol,
      port: parsePort(port, `--${flag}`),
      isTls: tls.has(port),
      isMutualTls: mutual.has(port),
      isServerFirst: serverFirst.has(port),
    }));
  return [
    ...of('http', 'port', ['8080']),
    ...of('grpc', 'grpc', ['7070']),
    ...of('tcp', 'tcp', ['9090']),
    ...of('udp', 'udp', []),
  ];
}

function minVersion(text: string): SecureVersion {
  switch (text) {
    case '':
    case '1.2':
      return 'TLSv1.2';
    case '1.0':
      return 'TLSv1';
    case '1.1':
      return 'TLSv1.1';
    case '1.3':
      return 'TLSv1.3';
    default:
      throw new EchoStartError('FW_ECHO_CONFIG', `unsupported TLS version: ${text}`);
  }
}
