// Groups and versions: which groups Kubernetes itself has, and in what order clients are told of groups
// and versions. The order decides which kind `kubectl get ev` means when several answer to the name.

/**
 * The groups a Kubernetes API server has without CustomResourceDefinitions, first the one that is
 * preferred. Their kinds are merged strategically; all others by JSON merge.
 */
const BUILT_IN_GROUPS = [
  '',
  'apiregistration.k8s.io',
  'apps',
  'events.k8s.io',
  'authentication.k8s.io',
  'authorization.k8s.io',
  'autoscaling',
  'batch',
  'certificates.k8s.io',
  'networking.k8s.io',
  'policy',
  'rbac.authorization.k8s.io',
  'storage.k8s.io',
  'admissionregistration.k8s.io',
  'apiextensions.k8s.io',
  'scheduling.k8s.io',
  'coordination.k8s.io',
  'node.k8s.io',
  'discovery.k8s.io',
  'resource.k8s.io',
  'flowcontrol.apiserver.k8s.io',
];

/** True for groups of Kubernetes itself: strategic merge patches work for their kinds. */
export function isBuiltInGroup(group: string): boolean {
  return BUILT_IN_GROUPS.includes(group);
}

/** Built-in groups in their order, then all others by name. */
export function compareGroups(a: string, b: string): number {
  const rank = (group: string): number => {
    const at = BUILT_IN_GROUPS.indexOf(group);
    return at === -1 ? BUILT_IN_GROUPS.length : at;
  };
  return rank(a) - rank(b) || compareText(a, b);
}

const VERSION = /^v([1-9][0-9]{0,8})(?:(alpha|beta)([1-9][0-9]{0,8}))?$/;

/**
 * The version clients should prefer first: v2, v1, v1beta2, v1beta1, v1alpha1, then whatever else, by
 * name (https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definition-versioning/#version-priority).
 */
export function compareVersions(a: string, b: string): number {
  const [x, y] = [VERSION.exec(a), VERSION.exec(b)];
  if (x === null || y === null) return Number(x === null) - Number(y === null) || compareText(a, b);
  const stage = ([, , name]: RegExpExecArray): number =>
    name === undefined ? 0 : name === 'beta' ? 1 : 2;
  return (
    stage(x) - stage(y) || Number(y[1]) - Number(x[1]) || Number(y[3] ?? 0) - Number(x[3] ?? 0)
  );
}

export function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
