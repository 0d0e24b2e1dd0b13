// echo-advanced, the backend of the Gateway API mesh tests (Istio's test app): opens the ports of its command line.

import type { TlsOptions } from 'node:tls';
import { grpcStreams } from '../grpc/server.ts';
import { healthService } from '../grpc/health.ts';
import { openHttpPort, openStreamPort } from '../http-port.ts';
import type { Listeners } from '../listeners.ts';
import type { EchoPod } from '../pod.ts';
import { readKeyPairOfImage } from '../self-signed.ts';
import { readPem, serverOptions } from '../tls.ts';
import { echoTestService } from './grpc.ts';
import { advancedHttp } from './http.ts';
import { readSettings, type AdvancedPort, type AdvancedSettings } from './settings.ts';
import { answerUdp, serveTcp } from './tcp.ts';

const IMAGE_KEY_PAIR = { certPath: '/cert.crt', keyPath: '/cert.key', name: 'echo' };

export async function startEchoAdvanced(pod: EchoPod, listeners: Listeners): Promise<void> {
  const settings = readSettings(pod);
  const log = (line: string): void =>
    pod.log(`${new Date().toISOString()}\tinfo\tendpoint\t${line}`);
  for (const notice of settings.notices) log(notice);
  const tls = settings.ports.some((port) => port.isTls)
    ? await tlsOptions(pod, settings)
    : undefined;
  for (const port of settings.ports) {
    const portTls =
      port.isTls && tls !== undefined ? await portTlsOptions(pod, settings, port, tls) : undefined;
    await openPort({ port, tls: portTls, settings, listeners, log });
    log(
      `Listening ${port.protocol.toUpperCase()}${port.isTls ? ' (over TLS)' : ''} on ${port.port}`,
    );
  }
}

async function tlsOptions(pod: EchoPod, { tls }: AdvancedSettings): Promise<TlsOptions> {
  const pair = await readKeyPairOfImage(pod, tls.certPath, tls.keyPath, IMAGE_KEY_PAIR);
  const curves = tls.curves === undefined ? {} : { ecdhCurve: tls.curves };
  return { ...serverOptions(pair), minVersion: tls.minVersion, ...curves };
}

async function portTlsOptions(
  pod: EchoPod,
  settings: AdvancedSettings,
  port: AdvancedPort,
  tls: TlsOptions,
): Promise<TlsOptions> {
  const options = { ...tls, ...(port.protocol === 'http' ? alpnOptions(settings) : {}) };
  if (!port.isMutualTls) return options;
  const ca = await readPem(pod, settings.tls.caPath, 'CA certificate');
  return { ...options, ca, requestCert: true, rejectUnauthorized: true };
}

function alpnOptions({ tls }: AdvancedSettings): TlsOptions {
  return tls.hasAlpn ? { ALPNProtocols: ['h2', 'http/1.1', 'http/1.0'] } : { ALPNProtocols: [] };
}

interface PortToOpen {
  readonly port: AdvancedPort;
  readonly tls: TlsOptions | undefined;
  readonly settings: AdvancedSettings;
  readonly listeners: Listeners;
  readonly log: (line: string) => void;
}

function openPort({ port, tls, settings, listeners, log }: PortToOpen): Promise<void> {
  const { identity } = settings;
  const shared = { port: port.port, log, ...(tls && { tls }) };
  switch (port.protocol) {
    case 'http': {
      const handler = advancedHttp({ identity, port: port.port, listeners, log });
      return openHttpPort(listeners, { ...shared, versions: 'both', handler });
    }
    case 'grpc': {
      const onStream = grpcStreams([
        echoTestService({ identity, port: port.port, log }),
        healthService(),
      ]);
      return openStreamPort(listeners, { ...shared, onStream });
    }
    case 'tcp':
      return tls === undefined
        ? listeners.openTcp(port.port, (socket) => serveTcp(socket, port, identity))
        : listeners.openTls(port.port, tls, (socket) => serveTcp(socket, port, identity));
    case 'udp':
      return listeners.openUdp(port.port, answerUdp(port.port, identity));
  }
}
