// What is wrong with the security settings of Pods and containers, in Kubernetes' words
// (k8s.io/kubernetes pkg/apis/core/validation).

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { inRange } from '../names.ts';
import type { PodSecurityContext, SecurityContext } from '../security.ts';
import { checkRelativePath } from './volume-path-check.ts';

const ID_MAX = 2 ** 31 - 1;

const SYSCTL_CHARS_MAX = 253;
const SYSCTL = String.raw`^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[\./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$`;
const sysctlName = new RegExp(SYSCTL);

export function checkPodSecurityContext(
  context: PodSecurityContext,
  path: string,
  errors: FieldError[],
): void {
  checkIds(context, ['fsGroup', 'runAsUser', 'runAsGroup'], path, errors);
  for (const [i, group] of (context.supplementalGroups ?? []).entries()) {
    checkId(group, `${path}.supplementalGroups[${i}]`, errors);
  }
  const seen = new Set<string>();
  for (const [i, { name }] of (context.sysctls ?? []).entries()) {
    const at = `${path}.sysctls[${i}].name`;
    if (name === '') errors.push(fieldError.required(at));
    else if (name.length > SYSCTL_CHARS_MAX || !sysctlName.test(name)) {
      const detail = `must have at most ${SYSCTL_CHARS_MAX} characters and match regex ${SYSCTL}`;
      errors.push(fieldError.invalid(at, name, detail));
    } else if (seen.has(name)) errors.push(fieldError.duplicate(at, name));
    seen.add(name);
  }
  checkProfiles(context, path, errors);
}

/** `hostUsers` is false when the Pod has user IDs of its own. */
export function checkSecurityContext(
  context: SecurityContext,
  hostUsers: boolean,
  path: string,
  errors: FieldError[],
): void {
  checkIds(context, ['runAsUser', 'runAsGroup'], path, errors);
  if (context.procMount === 'Unmasked' && hostUsers) {
    const detail = '`hostUsers` must be false to use `Unmasked`';
    errors.push(fieldError.invalid(`${path}.procMount`, context.procMount, detail));
  }
  checkProfiles(context, path, errors);
  if (context.allowPrivilegeEscalation === false && context.privileged === true) {
    const detail = 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true';
    errors.push(fieldError.invalid(path, context, detail));
  }
}

function checkIds<K extends string>(
  context: { readonly [Key in K]?: number },
  fields: readonly K[],
  path: string,
  errors: FieldError[],
): void {
  for (const field of fields) {
    const id = context[field];
    if (id !== undefined) checkId(id, `${path}.${field}`, errors);
  }
}

function checkId(id: number, path: string, errors: FieldError[]): void {
  for (const detail of inRange(id, 0, ID_MAX)) errors.push(fieldError.invalid(path, id, detail));
}

function checkProfiles(
  { seccompProfile, appArmorProfile }: Pick<SecurityContext, 'seccompProfile' | 'appArmorProfile'>,
  path: string,
  errors: FieldError[],
): void {
  if (seccompProfile !== undefined) {
    checkProfile(seccompProfile, 'seccomp', `${path}.seccompProfile`, errors);
    const file = seccompProfile.localhostProfile;
    if (seccompProfile.type === 'Localhost' && file !== undefined) {
      checkRelativePath(file, `${path}.seccompProfile.localhostProfile`, errors);
    }
  }
  if (appArmorProfile !== undefined) {
    checkProfile(appArmorProfile, 'AppArmor', `${path}.appArmorProfile`, errors);
  }
}

/** Only profiles of the node have a name. */
function checkProfile(
  profile: { readonly type: string; readonly localhostProfile?: string },
  what: string,
  path: string,
  errors: FieldError[],
): void {
  const { type, localhostProfile } = profile;
  const at = `${path}.localhostProfile`;
  if (type === 'Localhost') {
    if ((localhostProfile ?? '') !== '') return;
    errors.push(fieldError.required(at, `must be set when ${what} type is Localhost`));
  } else if (localhostProfile !== undefined) {
    const detail = `can only be set when ${what} type is Localhost`;
    errors.push(fieldError.invalid(at, localhostProfile, detail));
  }
}
