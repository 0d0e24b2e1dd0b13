// Questions a client asks by creating an object: the answer is the object with a status, and nothing is
// stored. They have no schema here, and no columns; only their names.

/** A resource that can be created and nothing else. */
export interface Review {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

export const REVIEWS: readonly Review[] = [
  authentication('SelfSubjectReview'),
  authentication('TokenReview'),
  authorization('LocalSubjectAccessReview', true),
  authorization('SelfSubjectAccessReview'),
  authorization('SelfSubjectRulesReview'),
  authorization('SubjectAccessReview'),
];

function authentication(kind: string): Review {
  return review('authentication.k8s.io', kind, false);
}

function authorization(kind: string, namespaced = false): Review {
  return review('authorization.k8s.io', kind, namespaced);
}

function review(group: string, kind: string, namespaced: boolean): Review {
  return { group, version: 'v1', kind, plural: `${kind.toLowerCase()}s`, namespaced };
}
