// The parts of pods and Services that are no objects: which request asks for which of them, and of
// which pod.

import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Duplex } from 'node:stream';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import { EndpointSlice } from '../../api/discovery/endpoint-slice.ts';
import type { Kind } from '../../api/kind.ts';
import type { Store } from '../../store/store.ts';
import { Failure, failure } from '../failure.ts';
import type { Streams } from '../http/handle.ts';
import type { ResourceRequest } from '../request.ts';
import { acceptCommand } from './command/accept.ts';
import { serveAttach } from './command/attach.ts';
import { serveExec } from './command/exec.ts';
import type { CommandSession } from './command/exec.ts';
import { parseCommandOptions } from './command/streams.ts';
import { containerToEnter, containerToRead } from './container.ts';
import type { ChosenContainer } from './container.ts';
import { untilEnd } from './container-end.ts';
import { parsePorts } from './forward/ports.ts';
import { servePortForward } from './forward/port-forward.ts';
import { STREAM_LIMITS } from './limits.ts';
import { parseLogOptions, writeLog } from './log.ts';
import type { LogOptions } from './log.ts';
import { serveProxy, serveProxyUpgrade } from './proxy/proxy.ts';
import type { ProxyRoute } from './proxy/proxy.ts';
import { parseReference, podAddress, serviceAddresses } from './proxy/reference.ts';
import type { Status } from './status.ts';
import type { Upgrade } from './upgrade.ts';

/** A container of a pod that runs here. */
export interface ContainerName {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** What runs pods. */
export interface Pods {
  /** Rejects with an error whose message is for the user. */
  exec(
    container: ContainerName,
    command: {
      readonly command: readonly string[];
      readonly stdin: boolean;
      readonly tty: boolean;
    },
  ): Promise<CommandSession>;
  /** Lines without their breaks. */
  log(
    container: ContainerName,
    options: Partial<Omit<LogOptions, 'container' | 'limitBytes'>>,
    signal: AbortSignal,
  ): AsyncIterable<string>;
}

export interface SubresourcesOptions {
  readonly store: Store;
  readonly pods: Pods;
}

export function createSubresources({ store, pods }: SubresourcesOptions): Streams {
  const podOf = (asked: ResourceRequest): Pod => {
    const entry = store.get(Pod, asked.namespace, asked.name);
    if (entry === undefined) throw failure.notFound(Pod as Kind, asked.name);
    return entry.object as Pod;
  };

  const routeOf = (asked: ResourceRequest, url: string): ProxyRoute => {
    const reference = parseReference(asked.name);
    if (reference === undefined) {
      throw failure.badRequest(`invalid ${asked.plural} request ${JSON.stringify(asked.name)}`);
    }
    const resolved =
      asked.plural === 'pods'
        ? podAddress(reference, podOf({ ...asked, name: reference.name }))
        : serviceAddresses(
            reference,
            serviceOf(store, asked.namespace, reference.name),
            slicesOf(store, asked.namespace, reference.name),
          );
    if (!resolved.ok) throw failureOf(resolved.status);
    const { addresses } = resolved;
    const address = addresses[Math.floor(Math.random() * addresses.length)];
    if (address === undefined) throw failure.unavailable('there is no address to proxy to');
    const end = url.indexOf('/proxy') + '/proxy'.length;
    return { address, prefix: url.slice(0, end), rest: url.slice(end), limits: STREAM_LIMITS };
  };

  const sendLog = async (
    response: ServerResponse,
    asked: ResourceRequest,
    query: URLSearchParams,
  ): Promise<void> => {
    const pod = podOf(asked);
    const parsed = parseLogOptions(query, asked.name);
    if (!parsed.ok) throw failureOf(parsed.status);
    const { container: named, limitBytes, ...options } = parsed.options;
    const container = chosen(containerToRead(pod, named, options.previous));
    const gone = new AbortController();
    response.once('close', () => gone.abort());
    response.writeHead(200, { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' });
    response.flushHeaders();
    const name = { namespace: asked.namespace, pod: asked.name, container };
    const end = options.follow ? untilEnd(store, name, gone.signal) : gone.signal;
    await writeLog(pods.log(name, options, end), response, gone.signal, limitBytes);
    response.end();
  };

  const runCommand = async (
    upgrade: Upgrade,
    asked: ResourceRequest,
    query: URLSearchParams,
  ): Promise<void> => {
    const parsed = parseCommandOptions(query);
    if (!parsed.ok) throw failure.badRequest(parsed.message);
    const pod = podOf(asked);
    const container = chosen(containerToEnter(pod, parsed.options.container));
    const streams = await acceptCommand(upgrade, parsed.options, STREAM_LIMITS);
    if (streams === undefined) return;
    const name = { namespace: asked.namespace, pod: asked.name, container };
    if (asked.subresource === 'attach') {
      await serveAttach(streams, parsed.options, (stream, signal) =>
        pods.log(name, { stream, tailLines: 0, follow: true }, untilEnd(store, name, signal)),
      );
    } else await serveExec(streams, parsed.options, (command) => pods.exec(name, command));
  };

  return {
    async serve(request, response, asked, query) {
      if (!isPart(asked)) return false;
      if (asked.subresource === 'proxy') {
        await serveProxy(request, response, routeOf(asked, request.url ?? ''));
      } else if (asked.subresource === 'log') {
        if (request.method !== 'GET') throw failure.methodNotAllowed();
        await sendLog(response, asked, query);
      } else throw failure.badRequest('Upgrade request required');
      return true;
    },
    async upgrade(request: IncomingMessage, socket: Duplex, head, asked, query) {
      if (!isPart(asked) || asked.subresource === 'log') return false;
      const upgrade = { request, socket, head };
      switch (asked.subresource) {
        case 'proxy':
          await serveProxyUpgrade(upgrade, routeOf(asked, request.url ?? ''));
          return true;
        case 'portforward': {
          const ports = parsePorts(query);
          if (!ports.ok) throw failure.badRequest(ports.message);
          const address = podOf(asked).status.podIP ?? '';
          const target = { address, name: `${asked.namespace}/${asked.name}` };
          await servePortForward(upgrade, target, ports.ports, STREAM_LIMITS);
          return true;
        }
        default:
          await runCommand(upgrade, asked, query);
          return true;
      }
    },
  };
}

const PARTS: ReadonlyMap<string, ReadonlySet<string>> = new Map([
  ['pods', new Set(['log', 'exec', 'attach', 'portforward', 'proxy'])],
  ['services', new Set(['proxy'])],
]);

function isPart({ group, version, plural, subresource }: ResourceRequest): boolean {
  return group === '' && version === 'v1' && PARTS.get(plural)?.has(subresource) === true;
}

function chosen(choice: ChosenContainer): string {
  if (!choice.ok) throw failureOf(choice.status);
  return choice.container;
}

function failureOf({ code = 500, reason = 'InternalError', message = '' }: Status): Failure {
  return new Failure(code, reason, message);
}

function serviceOf(store: Store, namespace: string, name: string): Service {
  const entry = store.get(Service, namespace, name);
  if (entry === undefined) throw failure.notFound(Service as Kind, name);
  return entry.object as Service;
}

function slicesOf(store: Store, namespace: string, name: string): readonly EndpointSlice[] {
  return store
    .snapshot()
    .table(EndpointSlice)
    .inNamespace(namespace)
    .filter(({ metadata }) => metadata.labels?.['kubernetes.io/service-name'] === name);
}
