// One watch: what there is first, if asked for, then every change, one line of JSON each, until the
// client goes, its time is up, or it cannot keep up (k8s.io/apiserver/pkg/endpoints/handlers/watch.go).

import { randomInt } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { failure } from '../failure.ts';
import { kindKey } from '../../store/snapshot.ts';
import type { Store } from '../../store/store.ts';
import { forgetText } from '../object-text.ts';
import { eventFor } from '../watch/hub.ts';
import type { EventType, Watch, WatchHub, WatchScope } from '../watch/hub.ts';
import type { KubeObject } from '../../api/kind.ts';
import { API_LIMITS } from './limits.ts';
import { readRevision } from './list-options.ts';
import type { Presenter } from './present.ts';

export interface WatchOptions {
  /** Empty for none. */
  readonly resourceVersion: string;
  readonly timeoutSeconds: number | undefined;
  readonly allowsBookmarks: boolean;
  /** Begins with everything there is, and a bookmark that says so (WatchList). */
  readonly sendsInitialEvents: boolean;
}

export interface WatchServices {
  readonly store: Store;
  readonly hub: WatchHub;
}

const BOOKMARK_MS = 60_000;
/** Watches without a timeout end after this long, and up to twice that, so that not all come back at once. */
const TIMEOUT_S_MIN = 1800;
const INITIAL_EVENTS_END = 'k8s.io/initial-events-end';

/** Serves a watch until it ends. Throws a Failure before anything is sent. */
export function serveWatch(
  request: IncomingMessage,
  response: ServerResponse,
  scope: WatchScope,
  presenter: Presenter,
  options: WatchOptions,
  { store, hub }: WatchServices,
): void {
  if (hub.count >= API_LIMITS.watchesMax) {
    throw failure.tooMany(`there are ${API_LIMITS.watchesMax} watches already`);
  }
  const since = readRevision(options.resourceVersion);
  const asksForAll = options.sendsInitialEvents || since === 0;
  const missed = asksForAll ? [] : hub.log.since(since);
  response.writeHead(200, {
    'content-type': 'application/json',
    'cache-control': 'no-cache, private',
    'transfer-encoding': 'chunked',
  });
  response.flushHeaders();
  if (missed === undefined) {
    const { status } = failure.expired(`too old resource version: ${since} (${hub.log.oldest})`);
    response.end(`${JSON.stringify({ type: 'ERROR', object: status })}\n`);
    return;
  }
  let isFirst = presenter.saysMoreAtFirst;
  const lineOf = (type: EventType, object: KubeObject): string =>
    eventLine(type, presenter.event(object, isFirst));
  const sendOne = (type: EventType, object: KubeObject): void => {
    const line = lineOf(type, object);
    isFirst = false;
    response.write(line);
  };
  if (asksForAll) {
    const table = store.snapshot().table(scope.kind);
    const objects = scope.namespace === '' ? table.objects : table.inNamespace(scope.namespace);
    for (const object of objects) {
      if (scope.selects === undefined || scope.selects(object)) sendOne('ADDED', object);
    }
    if (options.sendsInitialEvents) {
      response.write(bookmark(presenter, scope, store.revision, { [INITIAL_EVENTS_END]: 'true' }));
    }
  }
  const key = kindKey(scope.kind);
  for (const change of missed) {
    // The log is of all kinds.
    const event = kindKey(change.kind) === key ? eventFor(change, scope) : undefined;
    if (event === undefined) continue;
    sendOne(event.type, event.object);
    // Most of what the log holds is of the past by now.
    forgetText(event.object);
  }
  const watch: Watch = {
    scope,
    form: presenter.form,
    line: (type, object) => eventLine(type, presenter.event(object, false)),
    send: (line) => {
      if (response.writableLength > API_LIMITS.watchBehindBytesMax) response.destroy();
      else response.write(line);
    },
    isFirst: () => isFirst,
    sendFirst: sendOne,
  };
  const remove = hub.add(watch);
  const timeoutS = options.timeoutSeconds ?? TIMEOUT_S_MIN + randomInt(TIMEOUT_S_MIN);
  const timeout = setTimeout(() => end(), timeoutS * 1000);
  const beat = options.allowsBookmarks
    ? setInterval(() => response.write(bookmark(presenter, scope, store.revision)), BOOKMARK_MS)
    : undefined;
  const end = (): void => {
    remove();
    clearTimeout(timeout);
    clearInterval(beat);
    response.end();
  };
  response.once('close', end);
  request.socket.setKeepAlive(true, 30_000);
}

/** `object` is JSON. */
function eventLine(type: EventType, object: string): string {
  return `{"type":"${type}","object":${object}}\n`;
}

function bookmark(
  presenter: Presenter,
  { kind }: WatchScope,
  revision: number,
  annotations?: Readonly<Record<string, string>>,
): string {
  const metadata = {
    resourceVersion: String(revision),
    ...(annotations === undefined ? {} : { annotations }),
  };
  const object = presenter.bookmark(kind, metadata);
  return `${JSON.stringify({ type: 'BOOKMARK', object })}\n`;
}
