// How a container is asked whether it is well, and what it runs when it starts and stops.

import { def, described, intOrString, object, oneOf, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { atomicList, int32, int64, requiredText, text, texts } from './fields.ts';

const ExecAction = object({
  command: opt(texts('Program and arguments, run without a shell; exit code 0 is success.')),
});

const HTTPHeader = object({
  name: requiredText('Name of the header.'),
  value: requiredDef(text('Value of the header.'), ''),
});

const HTTPGetAction = object({
  path: def(text('Path of the request.'), '/'),
  port: requiredDef(intOrString({ doc: 'Number or name of the container port.' }), 0),
  host: opt(text('Host to connect to; the address of the pod when absent.')),
  scheme: def(oneOf(['HTTP', 'HTTPS'], { doc: 'Certificates are not verified.' }), 'HTTP'),
  httpHeaders: opt(atomicList(HTTPHeader, 'Headers of the request; a name may come twice.')),
  protocol: opt(oneOf(['HTTP1', 'HTTP2'], { doc: 'Version of HTTP; HTTP2 is without TLS (h2c).' })),
});

const TCPSocketAction = object({
  port: requiredDef(intOrString({ doc: 'Number or name of the container port.' }), 0),
  host: opt(text('Host to connect to; the address of the pod when absent.')),
});

const GRPCAction = object({
  port: requiredDef(int32('Number of the container port.'), 0),
  service: def(text('Service name in the request of the gRPC health protocol.'), ''),
  mode: opt(oneOf(['Plaintext', 'TLS'], { doc: 'Whether the connection uses TLS.' })),
});

const SleepAction = object({ seconds: requiredDef(int64('How long to wait.'), 0) });

const exec = opt(described(ExecAction, 'Runs a command in the container.'));
const httpGet = opt(described(HTTPGetAction, 'Asks by HTTP; 200 to 399 is success.'));
const tcpSocket = opt(described(TCPSocketAction, 'Opens a TCP connection.'));

export const Probe = object({
  exec,
  httpGet,
  tcpSocket,
  grpc: opt(described(GRPCAction, 'Asks by the gRPC health protocol.')),
  initialDelaySeconds: opt(int32('Seconds from the start of the container to the first probe.')),
  timeoutSeconds: def(int32('Seconds after which no answer is a failure.'), 1),
  periodSeconds: def(int32('Seconds between two probes.'), 10),
  successThreshold: def(int32('Successes in a row after which a failed probe is good again.'), 1),
  failureThreshold: def(int32('Failures in a row after which the probe has failed.'), 3),
  terminationGracePeriodSeconds: opt(
    int64('Seconds the container has to end when this probe fails; those of the pod when absent.'),
  ),
});
export type Probe = Infer<typeof Probe>;

const LifecycleHandler = object({
  exec,
  httpGet,
  tcpSocket: opt(described(TCPSocketAction, 'Not supported; kept for old manifests.')),
  sleep: opt(described(SleepAction, 'Waits.')),
});
export type LifecycleHandler = Infer<typeof LifecycleHandler>;

export const Lifecycle = object({
  postStart: opt(described(LifecycleHandler, 'Runs when the container was created.')),
  preStop: opt(described(LifecycleHandler, 'Runs before the container is told to stop.')),
  stopSignal: opt(text('Signal that stops the container, as SIGTERM; needs spec.os.')),
});
export type Lifecycle = Infer<typeof Lifecycle>;
