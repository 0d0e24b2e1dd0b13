// The URLs a listener is reached by, the one to open first in front.

import type { Gateway } from '../api/gateway/gateway.ts';
import type { Model } from '../model/model.ts';
import type { Binding } from '../targets/proxy/messages.ts';

export interface ListenerPlace {
  /** `namespace/name` */
  readonly gateway: string;
  readonly listener: Gateway['spec']['listeners'][number];
  /** Of the listener in the model. */
  readonly id: string;
  readonly address: string;
  readonly model: Model;
  readonly bindings: readonly Binding[];
}

/**
 * URLs of a listener. A hostname that every machine resolves to itself (`shop.localhost`) is used as it
 * is, with the port localhost is served on; any other host needs a Host header or a hosts file, so the
 * address is shown.
 */
export function listenerUrls(place: ListenerPlace): readonly string[] {
  const { gateway, listener, address, model, bindings } = place;
  const scheme = schemeOf(listener.protocol);
  const socket = `${gateway}:${placeOf(listener)}`;
  const own = bindings.find((b) => b.socket === socket && b.address === address);
  const local = bindings.find((b) => b.socket === socket && b.address === '127.0.0.1');
  const urls: string[] = [];
  if (local !== undefined) {
    const host = localHost(place, model);
    if (host !== undefined) urls.push(urlOf(scheme, host, local.port));
  }
  if (own !== undefined) urls.push(urlOf(scheme, address, own.port));
  return urls;
}

/** Of protocols without URLs, what people write where a URL is wanted. */
function schemeOf(protocol: string): string {
  return ['HTTPS', 'TLS', 'TCP', 'UDP'].includes(protocol) ? protocol.toLowerCase() : 'http';
}

/** The last part of the id of the entry point. */
function placeOf({ port, protocol }: { readonly port: number; readonly protocol: string }): string {
  return protocol === 'UDP' ? `${port}/udp` : String(port);
}

/** A host of the listener that is this machine wherever it is looked up. */
function localHost({ id, listener }: ListenerPlace, model: Model): string | undefined {
  const resolved = model.entryPoints.flatMap((e) => e.listeners).find((l) => l.id === id);
  const hosts = [listener.hostname ?? '', ...(resolved?.hosts ?? []).map((h) => h.hostname)];
  const named = hosts.find(
    (h) => h === 'localhost' || (h.endsWith('.localhost') && !h.startsWith('*')),
  );
  if (named !== undefined) return named;
  return hosts.includes('') && listener.hostname === undefined ? 'localhost' : undefined;
}

function urlOf(scheme: string, host: string, port: number): string {
  const standard = { http: 80, https: 443 }[scheme];
  return `${scheme}://${host}${port === standard ? '' : `:${port}`}`;
}

/** How Gateways are reached, for programs: FAIRWAY_GATEWAYS and `fairway up -o json`. */
export function gatewaysJson(
  gateways: readonly Gateway[],
  bindings: readonly Binding[],
): Record<string, unknown> {
  return Object.fromEntries(
    gateways.flatMap((gateway) => {
      const { namespace = '', name = '' } = gateway.metadata;
      const key = `${namespace}/${name}`;
      const address = gateway.status.addresses?.[0]?.value;
      if (address === undefined) return [];
      const listeners = gateway.spec.listeners.flatMap(({ name: listener, port, protocol }) => {
        const binding = bindings.find(
          (b) => b.socket === `${key}:${placeOf({ port, protocol })}` && b.address === address,
        );
        if (binding === undefined) return [];
        const scheme = schemeOf(protocol);
        return [[listener, { url: `${scheme}://${address}:${binding.port}` }]];
      });
      return [[key, { address, listeners: Object.fromEntries(listeners) }]];
    }),
  );
}
