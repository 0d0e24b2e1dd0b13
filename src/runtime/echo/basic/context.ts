// Who answers: the four values every mode of echo-basic puts into its answers, from the pod's environment.

import type { EchoPod } from '../pod.ts';

/** In the order of the JSON answers. */
export interface PodContext {
  readonly namespace: string;
  readonly ingress: string;
  readonly service: string;
  readonly pod: string;
}

export function podContext(pod: EchoPod): PodContext {
  return {
    namespace: pod.env['NAMESPACE'] ?? '',
    ingress: pod.env['INGRESS_NAME'] ?? '',
    service: pod.env['SERVICE_NAME'] ?? '',
    pod: pod.env['POD_NAME'] ?? '',
  };
}
