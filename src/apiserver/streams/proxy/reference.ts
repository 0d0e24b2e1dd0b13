// `[scheme:]name[:port]`, as the path of `services/…/proxy` and `pods/…/proxy` names what to ask, and the
// address that means. Pure: the caller brings the objects.

import type { Pod } from '../../../api/core/pod.ts';
import type { Service } from '../../../api/core/service.ts';
import type { EndpointSlice } from '../../../api/discovery/endpoint-slice.ts';
import { badRequest, failure } from '../status.ts';
import type { Status } from '../status.ts';

export interface ProxyReference {
  readonly scheme: 'http' | 'https';
  readonly name: string;
  /** A number or a name; empty when none is named. */
  readonly port: string;
}

export interface ProxyAddress {
  readonly scheme: 'http' | 'https';
  readonly host: string;
  readonly port: number;
}

export type Resolved =
  | { readonly ok: true; readonly addresses: readonly ProxyAddress[] }
  | { readonly ok: false; readonly status: Status };

/** Reads a reference; undefined for what is none. */
export function parseReference(text: string): ProxyReference | undefined {
  const parts = text.split(':');
  const [first = '', second = '', third = ''] = parts;
  if (parts.length === 1 && first !== '') return { scheme: 'http', name: first, port: '' };
  if (parts.length === 2 && first !== '') return { scheme: 'http', name: first, port: second };
  const scheme = first === '' ? 'http' : first;
  if (parts.length !== 3 || second === '' || (scheme !== 'http' && scheme !== 'https')) {
    return undefined;
  }
  return { scheme, name: second, port: third };
}

/** The addresses of a Service's ready endpoints behind the port. Which to take is the caller's choice. */
export function serviceAddresses(
  reference: ProxyReference,
  service: Service,
  slices: readonly EndpointSlice[],
): Resolved {
  const { ports = [], type, externalName } = service.spec;
  const quoted = JSON.stringify(reference.name);
  const wanted =
    reference.port === '' && ports.length === 1
      ? ports[0]
      : ports.find(({ name, port }) => name === reference.port || String(port) === reference.port);
  if (type === 'ExternalName') {
    return refused(
      badRequest(
        `service ${quoted} is of type ExternalName (${externalName}): nothing here proxies to it`,
      ),
    );
  }
  if (wanted === undefined) {
    const known = ports.map(({ name, port }) => name ?? String(port)).join(', ');
    const message = `no service port ${JSON.stringify(reference.port)} found for service ${quoted}; it has ${known || 'none'}`;
    return refused(failure(503, 'ServiceUnavailable', message));
  }
  const addresses = slices.flatMap((slice) => {
    const port = (slice.ports ?? []).find(({ name }) => name === (wanted.name ?? ''));
    if (port?.port === undefined || slice.addressType === 'FQDN') return [];
    const { port: number } = port;
    return slice.endpoints
      .filter(({ conditions }) => conditions?.ready !== false)
      .flatMap(({ addresses: [host] }) =>
        host === undefined ? [] : [{ scheme: reference.scheme, host, port: number }],
      );
  });
  if (addresses.length === 0) {
    const message = `no endpoints available for service ${quoted}`;
    return refused(failure(503, 'ServiceUnavailable', message));
  }
  return { ok: true, addresses };
}

/** The address of a pod; without a port its first declared one, or that of the scheme. */
export function podAddress(reference: ProxyReference, pod: Pod): Resolved {
  const host = pod.status.podIP ?? '';
  if (host === '') return refused(badRequest('address not allowed: the pod has none yet'));
  const declared = pod.spec.containers.flatMap((container) => container.ports ?? []);
  const { scheme, port: text } = reference;
  const port =
    text === ''
      ? (declared[0]?.containerPort ?? (scheme === 'https' ? 443 : 80))
      : (declared.find(({ name }) => name === text)?.containerPort ?? Number(text));
  if (!Number.isInteger(port) || port < 1 || port > 0xffff) {
    return refused(
      badRequest(`pod ${JSON.stringify(reference.name)} has no port ${JSON.stringify(text)}`),
    );
  }
  return { ok: true, addresses: [{ scheme, host, port }] };
}

function refused(status: Status): Resolved {
  return { ok: false, status };
}
