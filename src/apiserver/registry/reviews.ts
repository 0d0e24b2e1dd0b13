// Questions clients ask about themselves: may I, and who am I. Whoever was let in may do everything.

import type { ResourceRequest } from '../request.ts';

type Review = (body: unknown) => object;

const EVERYTHING = { verbs: ['*'], apiGroups: ['*'], resources: ['*'] };

const ALLOWED = { allowed: true, reason: 'whoever has the token may do everything' };

const REVIEWS: ReadonlyMap<string, Review> = new Map<string, Review>([
  [
    'authorization.k8s.io/v1/selfsubjectaccessreviews',
    (body) => ({
      ...asObject(body, 'SelfSubjectAccessReview', 'authorization.k8s.io/v1'),
      status: ALLOWED,
    }),
  ],
  [
    'authorization.k8s.io/v1/subjectaccessreviews',
    (body) => ({
      ...asObject(body, 'SubjectAccessReview', 'authorization.k8s.io/v1'),
      status: ALLOWED,
    }),
  ],
  [
    'authorization.k8s.io/v1/localsubjectaccessreviews',
    (body) => ({
      ...asObject(body, 'LocalSubjectAccessReview', 'authorization.k8s.io/v1'),
      status: ALLOWED,
    }),
  ],
  [
    'authorization.k8s.io/v1/selfsubjectrulesreviews',
    (body) => ({
      ...asObject(body, 'SelfSubjectRulesReview', 'authorization.k8s.io/v1'),
      status: {
        incomplete: false,
        resourceRules: [EVERYTHING],
        nonResourceRules: [{ verbs: ['*'], nonResourceURLs: ['*'] }],
      },
    }),
  ],
  [
    'authentication.k8s.io/v1/selfsubjectreviews',
    (body) => ({
      ...asObject(body, 'SelfSubjectReview', 'authentication.k8s.io/v1'),
      status: {
        userInfo: { username: 'fairway', groups: ['system:masters', 'system:authenticated'] },
      },
    }),
  ],
]);

/** The answer to a review; undefined when the resource is none. */
export function reviewOf({ group, version, plural }: ResourceRequest): Review | undefined {
  return REVIEWS.get(`${group}/${version}/${plural}`);
}

function asObject(body: unknown, kind: string, apiVersion: string): object {
  const sent = typeof body === 'object' && body !== null && !Array.isArray(body) ? body : {};
  return { metadata: {}, ...sent, kind, apiVersion };
}
