// What a rule says about times, retries and sessions → the same in numbers.

import { durationMs } from '../../api/gateway/durations.ts';
import type { HTTPRoute } from '../../api/gateway/httproute.ts';
import type { Match } from '../../model/match.ts';
import type { Action } from '../../model/model.ts';
import type { Session } from '../../model/policy.ts';
import { FRAMING } from '../filters/filters.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

type WrittenRule = HTTPRoute['spec']['rules'][number];

/** Retries when a rule does not say how many. */
const ATTEMPTS = 1;
/** The wait before a retry when a rule does not say how long: enough for a pod to come back. */
const BACKOFF_MS = 25;

/** `id` names the rule: sessions without a name are called after it. */
export function resolvePolicy(
  { timeouts, retry, sessionPersistence }: WrittenRule,
  id: string,
  matches: readonly Match[],
): Pick<Action, 'timeouts' | 'retry' | 'session'> {
  return {
    ...(timeouts === undefined
      ? {}
      : {
          timeouts: {
            requestMs: milliseconds(timeouts.request),
            backendRequestMs: milliseconds(timeouts.backendRequest),
          },
        }),
    ...(retry === undefined
      ? {}
      : {
          retry: {
            codes: (retry.codes ?? []).toSorted((a, b) => a - b),
            attempts: retry.attempts ?? ATTEMPTS,
            backoffMs: retry.backoff === undefined ? BACKOFF_MS : milliseconds(retry.backoff),
          },
        }),
    ...(sessionPersistence === undefined
      ? {}
      : { session: resolveSession(sessionPersistence, id, matches) }),
  };
}

/** A token (RFC 9110 5.6.2): anything else would end the field it stands in. */
const TOKEN = /^[-!#$%&'*+.^_`|~0-9A-Za-z]+$/;
/** Headers that mean something else. */
const TAKEN: ReadonlySet<string> = new Set(['cookie', 'set-cookie', 'authorization']);

/** What is wrong with the name of a session. */
export function sessionProblem(
  { sessionPersistence }: Pick<WrittenRule, 'sessionPersistence'>,
  field: string,
): Problem | undefined {
  const { type, sessionName } = sessionPersistence ?? {};
  if (sessionName === undefined) return undefined;
  const lower = sessionName.toLowerCase();
  const isTaken = type === 'Header' && (TAKEN.has(lower) || FRAMING.has(lower));
  if (TOKEN.test(sessionName) && !isTaken) return undefined;
  const what = type === 'Header' ? 'header' : 'cookie';
  return problem(
    'UnsupportedValue',
    `${field}.sessionPersistence.sessionName`,
    `${JSON.stringify(sessionName)} cannot be the name of a ${what} for sessions`,
    'use letters, digits and dashes, or leave it out',
  );
}

function milliseconds(duration: string | undefined): number {
  return duration === undefined ? 0 : durationMs(duration);
}

/** `id` names whose session it is: one without a name is called after it. */
export function resolveSession(
  written: NonNullable<WrittenRule['sessionPersistence']>,
  id: string,
  matches: readonly Match[],
): Session {
  const { type, sessionName, absoluteTimeout, cookieConfig } = written;
  const name = sessionName ?? `fairway-session-${shortHash(id)}`;
  const [only, ...others] = matches;
  // Two rules on one host may use one name for different sessions; the path keeps them apart.
  const isPlain = only !== undefined && others.length === 0 && only.path.kind !== 'regex';
  const path = isPlain && !only.path.value.includes(';') ? only.path.value : '/';
  return {
    carrier: type === 'Header' ? 'header' : 'cookie',
    name: type === 'Header' ? name.toLowerCase() : name,
    absoluteMs: milliseconds(absoluteTimeout),
    permanent: cookieConfig?.lifetimeType === 'Permanent',
    path,
  };
}

/** Eight hex digits (FNV-1a): names need to differ, not to be secret. */
function shortHash(text: string): string {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193) >>> 0;
  }
  return hash.toString(16).padStart(8, '0');
}
