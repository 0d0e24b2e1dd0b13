// echo-basic, the backend of the Gateway API conformance suite: chooses the mode by environment, the first set one of
// GRPC_ECHO_SERVER, TCP_ECHO_SERVER, UDP_ECHO_SERVER, else HTTP.

import type { Listeners } from '../listeners.ts';
import type { EchoPod } from '../pod.ts';
import { startGrpcMode } from './grpc.ts';
import { startHttpMode } from './http.ts';
import { startTcpMode } from './tcp.ts';
import { startUdpMode } from './udp.ts';

export async function startEchoBasic(pod: EchoPod, listeners: Listeners): Promise<void> {
  if (pod.env['GRPC_ECHO_SERVER']) await startGrpcMode(pod, listeners);
  else if (pod.env['TCP_ECHO_SERVER']) await startTcpMode(pod, listeners);
  else if (pod.env['UDP_ECHO_SERVER']) await startUdpMode(pod, listeners);
  else await startHttpMode(pod, listeners);
}
