// The options of lists and watches that speak of revisions, checked as kube-apiserver checks them
// (k8s.io/apimachinery/pkg/apis/meta/internalversion/validation). A list is always of now: that is never
// older than what a client asks for, unless it asks for what has not been yet.

import { fieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import { Failure, failure } from '../failure.ts';

const KIND = { group: 'meta.k8s.io', kind: 'ListOptions', plural: 'listoptions' };
const EXACT = 'Exact';
const NOT_OLDER = 'NotOlderThan';

/** Throws a Failure for options that contradict each other, or ask for another time than now. */
export function checkListOptions(query: URLSearchParams, revision: number): void {
  const version = query.get('resourceVersion') ?? '';
  const match = query.get('resourceVersionMatch') ?? '';
  const errors = listErrors(query, version, match);
  if (errors.length > 0) throw failure.invalid(KIND, '', errors);
  const asked = readRevision(version);
  if ((query.get('continue') ?? '') !== '') {
    if (asked > 0) {
      throw failure.badRequest('specifying resource version is not allowed when using continue');
    }
    return;
  }
  checkNotAhead(version, revision);
  if (match === EXACT && asked !== revision) {
    throw failure.expired('The resourceVersion for the provided list is too old.');
  }
}

/** The same for a watch. */
export function checkWatchOptions(query: URLSearchParams): void {
  const match = query.get('resourceVersionMatch') ?? '';
  const errors: FieldError[] = [];
  const forbid = (why: string): void => {
    errors.push(fieldError.forbidden('resourceVersionMatch', why));
  };
  const sends = query.has('sendInitialEvents');
  if (sends && match !== NOT_OLDER) {
    forbid(`sendInitialEvents requires setting resourceVersionMatch to ${NOT_OLDER}`);
  }
  if (match !== '') {
    if (!sends) {
      forbid('resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided');
    }
    if (match !== NOT_OLDER) {
      errors.push(fieldError.unsupported('resourceVersionMatch', match, [NOT_OLDER]));
    }
    if (query.has('continue'))
      forbid('resourceVersionMatch is forbidden when continue is provided');
  }
  if (errors.length > 0) throw failure.invalid(KIND, '', errors);
}

/** Throws a Failure when a client asks for a revision that has not been yet. */
export function checkNotAhead(version: string, revision: number): void {
  const asked = readRevision(version);
  if (asked <= revision) return;
  const message = `Timeout: Too large resource version: ${asked}, current: ${revision}`;
  throw new Failure(504, 'Timeout', message, {
    causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
    retryAfterSeconds: 1,
  });
}

/** 0 stands for `any`. Throws a Failure. */
export function readRevision(text: string): number {
  if (text === '') return 0;
  const revision = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(revision)) return revision;
  throw failure.badRequest(
    `resourceVersion: Invalid value: ${JSON.stringify(text)}: strconv.ParseUint: parsing ${JSON.stringify(text)}: invalid syntax`,
  );
}

function listErrors(query: URLSearchParams, version: string, match: string): readonly FieldError[] {
  const errors: FieldError[] = [];
  const forbid = (path: string, why: string): void => {
    errors.push(fieldError.forbidden(path, why));
  };
  if (match !== '') {
    const path = 'resourceVersionMatch';
    if (version === '') forbid(path, `${path} is forbidden unless resourceVersion is provided`);
    if ((query.get('continue') ?? '') !== '') {
      forbid(path, `${path} is forbidden when continue is provided`);
    }
    if (match !== EXACT && match !== NOT_OLDER) {
      errors.push(fieldError.unsupported(path, match, [EXACT, NOT_OLDER, '']));
    }
    if (match === EXACT && version === '0') {
      forbid(path, `${path} "exact" is forbidden for resourceVersion "0"`);
    }
  }
  if (query.has('sendInitialEvents')) {
    forbid('sendInitialEvents', 'sendInitialEvents is forbidden for list');
  }
  return errors;
}
