// What a target could not do, taken into the statuses: a port that somebody else holds makes its
// listeners unprogrammed, and the Gateway too when none is left. Ports that work are not touched.

import type { Finding } from '../../api/finding.ts';
import type { EntryPoint, Model } from '../../model/model.ts';
import type { StatusWish, WishedListenerStatus, WishedStatus } from '../resolution.ts';
import { verdict } from './conditions.ts';
import type { Verdict } from './conditions.ts';

/** A part of the model that is not in force. */
export interface Unserved {
  /** Id of the entry point or service port. */
  readonly id: string;
  readonly reason: string;
  readonly message: string;
  readonly hint?: string;
}

/** The statuses as they are once it is known which entry points could not be opened. */
export function withUnserved(
  statuses: readonly StatusWish[],
  entryPoints: readonly EntryPoint[],
  unserved: readonly Unserved[],
): readonly StatusWish[] {
  if (unserved.length === 0) return statuses;
  // There may be thousands of both.
  const byId = new Map(entryPoints.map((e) => [e.id, e]));
  const byListener = new Map<string, Unserved>();
  for (const trouble of unserved) {
    for (const { id } of byId.get(trouble.id)?.listeners ?? []) byListener.set(id, trouble);
  }
  if (byListener.size === 0) return statuses;
  return statuses.map((wish) => {
    const key = `${wish.namespace}/${wish.name}`;
    switch (wish.status.kind) {
      case 'gateway':
        return { ...wish, status: markListeners(wish.status, key, byListener) };
      case 'listenerSet':
        return { ...wish, status: markListeners(wish.status, `ListenerSet ${key}`, byListener) };
      default:
        return wish;
    }
  });
}

type ListenersStatus = Extract<WishedStatus, { kind: 'gateway' | 'listenerSet' }>;

/** `owner` is what the ids of its listeners begin with. */
function markListeners<S extends ListenersStatus>(
  status: S,
  owner: string,
  byListener: ReadonlyMap<string, Unserved>,
): S {
  const listeners = status.listeners.map((listener) => {
    const trouble = byListener.get(`${owner}/${listener.name}`);
    return trouble === undefined ? listener : markListener(listener, trouble);
  });
  const programmed = listeners.some((l) => isTrue(l.conditions, 'Programmed'));
  if (programmed) return { ...status, listeners };
  const message = status.listeners
    .flatMap(({ name }) => byListener.get(`${owner}/${name}`)?.message ?? [])
    .join('; ');
  if (message === '') return { ...status, listeners };
  const conditions = replaceVerdict(
    status.conditions,
    verdict('Programmed', 'False', 'Invalid', message),
  );
  return { ...status, listeners, conditions };
}

function markListener(listener: WishedListenerStatus, trouble: Unserved): WishedListenerStatus {
  const programmed = verdict('Programmed', 'False', 'Invalid', trouble.message);
  const accepted = verdict('Accepted', 'False', trouble.reason, trouble.message);
  const conditions = replaceVerdict(replaceVerdict(listener.conditions, programmed), accepted);
  return { ...listener, conditions };
}

function isTrue(conditions: readonly Verdict[], type: string): boolean {
  return conditions.some((c) => c.type === type && c.status === 'True');
}

function replaceVerdict(conditions: readonly Verdict[], by: Verdict): readonly Verdict[] {
  return conditions.map((c) => (c.type === by.type ? by : c));
}

/** What people are told of it. */
export function unservedFindings(
  { entryPoints, services }: Pick<Model, 'entryPoints' | 'services'>,
  unserved: readonly Unserved[],
): readonly Finding[] {
  if (unserved.length === 0) return [];
  const byId = new Map(entryPoints.map((e) => [e.id, e]));
  const ports = new Map(services.map((s) => [s.id, s]));
  return unserved.map(({ id, reason, message, hint }) => {
    const entryPoint = byId.get(id)?.listeners[0]?.origin;
    // A relay is named after its service port: `shop/cart:80/TCP|clusterIP|127.96.0.1:80`.
    const [service = '', kind = ''] = id.split('|');
    const port = ports.get(service)?.origin;
    const origin = entryPoint ?? port;
    const suffix = kind === 'nodePort' ? 'nodePort' : 'port';
    return {
      severity: 'error',
      reason,
      message,
      ...(hint === undefined ? {} : { hint }),
      origin:
        origin === undefined
          ? { field: '' }
          : {
              object: { kind: origin.kind, namespace: origin.namespace, name: origin.name },
              field: `${origin.field}.${suffix}`,
            },
    };
  });
}
