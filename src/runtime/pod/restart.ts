// Whether a container that has ended is started again. Pure.

import type { Container } from '../../api/core/containers.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { ContainerRole } from '../plan/plan.ts';

type RestartPolicy = 'Always' | 'OnFailure' | 'Never';

/** True when a container that ended with this exit code is to be started again. */
export function restarts(
  pod: Pod,
  container: Container,
  role: ContainerRole,
  exitCode: number,
): boolean {
  if (role === 'sidecar') return true;
  if (ruleSaysRestart(container, exitCode)) return true;
  const policy = policyOf(pod, container);
  // An init container that has succeeded has done its work, whatever the policy.
  if (role === 'init') return exitCode !== 0 && policy !== 'Never';
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0);
}

function policyOf(pod: Pod, container: Container): RestartPolicy {
  return container.restartPolicy ?? pod.spec.restartPolicy ?? 'Always';
}

function ruleSaysRestart(container: Container, exitCode: number): boolean {
  const rule = container.restartPolicyRules?.find(({ exitCodes }) => {
    if (exitCodes === undefined) return false;
    const listed = exitCodes.values?.includes(exitCode) === true;
    return exitCodes.operator === 'In' ? listed : !listed;
  });
  return rule?.action === 'Restart';
}
