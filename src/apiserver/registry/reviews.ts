// Questions clients ask about themselves and others: may I, who am I, whose token is this. Whoever was
// let in may do everything.

import { fieldError } from '../../api/schema/errors.ts';
import type { FieldError } from '../../api/schema/errors.ts';
import { failure } from '../failure.ts';
import type { ResourceRequest } from '../request.ts';

export interface User {
  readonly username: string;
  readonly groups: readonly string[];
}

export interface ReviewContext {
  /** Who asks. */
  readonly user: User;
  /** Whom a token lets in; undefined for none of ours. */
  readonly userFor: (token: string) => User | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/** Throws a Failure for a question that cannot be read. */
type Review = (body: unknown, context: ReviewContext) => object;

interface Question {
  readonly kind: string;
  readonly check: (spec: Fields) => readonly FieldError[];
  readonly answer: (spec: Fields, context: ReviewContext) => object;
}

const EVERYTHING = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };
const ALLOWED = { allowed: true, reason: 'whoever was let in may do everything' };

const AUTHORIZATION = 'authorization.k8s.io/v1';
const AUTHENTICATION = 'authentication.k8s.io/v1';

const REVIEWS: ReadonlyMap<string, Review> = new Map([
  review(AUTHORIZATION, {
    kind: 'SelfSubjectAccessReview',
    check: checkAttributes,
    answer: () => ALLOWED,
  }),
  review(AUTHORIZATION, {
    kind: 'SubjectAccessReview',
    check: (spec) => [...checkAttributes(spec), ...checkSubject(spec)],
    answer: () => ALLOWED,
  }),
  review(AUTHORIZATION, {
    kind: 'LocalSubjectAccessReview',
    check: (spec) => [...checkAttributes(spec), ...checkSubject(spec)],
    answer: () => ALLOWED,
  }),
  review(AUTHORIZATION, {
    kind: 'SelfSubjectRulesReview',
    check: ({ namespace }) => (isText(namespace) ? [] : [fieldError.required('spec.namespace')]),
    answer: () => ({
      incomplete: false,
      resourceRules: [EVERYTHING],
      nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
    }),
  }),
  review(AUTHENTICATION, {
    kind: 'SelfSubjectReview',
    check: () => [],
    answer: (_, { user }) => ({ userInfo: user }),
  }),
  review(AUTHENTICATION, {
    kind: 'TokenReview',
    check: ({ token }) => (isText(token) ? [] : [fieldError.required('spec.token')]),
    answer: ({ token }, { userFor }) => {
      const user = userFor(String(token));
      return user === undefined
        ? { user: {}, error: 'the token is not of this server' }
        : { authenticated: true, user };
    },
  }),
]);

/** The answer to a review; undefined when the resource is none. */
export function reviewOf({ group, version, plural }: ResourceRequest): Review | undefined {
  return REVIEWS.get(`${group}/${version}/${plural}`);
}

function review(apiVersion: string, { kind, check, answer }: Question): readonly [string, Review] {
  const plural = `${kind.toLowerCase()}s`;
  const group = apiVersion.split('/')[0] ?? '';
  return [
    `${apiVersion}/${plural}`,
    (body, context) => {
      const sent = readBody(body, kind, apiVersion);
      const spec = sent['spec'] ?? {};
      if (typeof spec !== 'object' || Array.isArray(spec)) {
        throw failure.invalid({ group, kind, plural }, '', [
          fieldError.type('spec', spec, 'object'),
        ]);
      }
      const errors = check(spec as Fields);
      if (errors.length > 0) throw failure.invalid({ group, kind, plural }, '', errors);
      const status = answer(spec as Fields, context);
      return { metadata: {}, ...sent, kind, apiVersion, status };
    },
  ];
}

function readBody(body: unknown, kind: string, apiVersion: string): Fields {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw failure.badRequest(`the body of the request is not a ${kind}`);
  }
  const sent = body as Fields;
  if (sent['kind'] !== undefined && sent['kind'] !== kind) {
    throw failure.badRequest(`the body of the request is not a ${kind}`);
  }
  if (sent['apiVersion'] !== undefined && sent['apiVersion'] !== apiVersion) {
    throw failure.badRequest(
      `the API version in the data (${JSON.stringify(sent['apiVersion'])}) does not match the expected API version (${apiVersion})`,
    );
  }
  return sent;
}

function checkAttributes({ resourceAttributes, nonResourceAttributes }: Fields): FieldError[] {
  const given = [resourceAttributes, nonResourceAttributes].filter(
    (each) => each !== undefined && each !== null,
  );
  if (given.length === 1) return [];
  const detail =
    given.length === 0
      ? 'exactly one of nonResourceAttributes or resourceAttributes must be specified'
      : 'cannot be specified in combination with resourceAttributes';
  const path = given.length === 0 ? 'spec.resourceAttributes' : 'spec.nonResourceAttributes';
  return [fieldError.invalid(path, given[1] ?? null, detail)];
}

function checkSubject({ user, groups }: Fields): FieldError[] {
  if (isText(user) || (Array.isArray(groups) && groups.length > 0)) return [];
  const detail = 'at least one of user or group must be specified';
  return [fieldError.invalid('spec.user', '', detail)];
}

function isText(value: unknown): boolean {
  return typeof value === 'string' && value !== '';
}
