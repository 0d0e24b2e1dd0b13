// echo-basic's UDP mode: each datagram is answered with one line of JSON that repeats it and names the pod.

import { marshal } from '../go-json.ts';
import type { Listeners } from '../listeners.ts';
import { portFromEnv, type EchoPod } from '../pod.ts';
import { podContext } from './context.ts';

const UDP_PORT = 8080;
/** The real server reads into a buffer of this size; the rest of a longer datagram is lost. */
const REQUEST_BYTES_MAX = 1024;

export async function startUdpMode(pod: EchoPod, listeners: Listeners): Promise<void> {
  const port = portFromEnv(pod, 'UDP_PORT', UDP_PORT);
  const context = podContext(pod);
  await listeners.openUdp(port, (message, from, socket) => {
    const request = message.subarray(0, REQUEST_BYTES_MAX).toString('utf8');
    pod.log(`Received UDP ${request} from ${from.address}:${from.port}`);
    socket.send(marshal({ request, ...context }), from.port, from.address, (error) => {
      if (error) pod.log(`Error writing UDP: ${error.message}`);
    });
  });
  const { namespace, ingress, service, pod: name } = context;
  pod.log(
    `UDP server listening on :${port} with context: ` +
      `{Namespace:${namespace} Ingress:${ingress} Service:${service} Pod:${name}}`,
  );
}
