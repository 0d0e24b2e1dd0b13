// GatewayClasses: which Gateways are ours to serve.

import { CONTROLLER_NAME, DEFAULT_GATEWAY_CLASS } from '../../api/fairway.ts';
import { GatewayClass } from '../../api/gateway/gatewayclass.ts';
import type { Gateway } from '../../api/gateway/gateway.ts';
import type { Finding } from '../../api/finding.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { StatusWish } from '../resolution.ts';
import { SUPPORTED_FEATURES } from './features.ts';
import { verdict } from '../status/conditions.ts';

export interface ClassRules {
  /** Classes served whatever their controller is, even if they do not exist; `*` for all. */
  readonly adopted: readonly string[];
}

/** Whether Fairway serves a Gateway; a finding when it does not. */
export function serves(
  gateway: Gateway,
  snapshot: Snapshot,
  rules: ClassRules,
): { readonly ours: true } | { readonly ours: false; readonly finding: Finding } {
  const className = gateway.spec.gatewayClassName;
  if (rules.adopted.includes(className) || rules.adopted.includes('*')) return { ours: true };
  const gatewayClass = snapshot.get(GatewayClass, '', className);
  if (gatewayClass?.spec.controllerName === CONTROLLER_NAME) return { ours: true };
  const why =
    gatewayClass === undefined
      ? `GatewayClass "${className}" does not exist`
      : `GatewayClass "${className}" belongs to ${gatewayClass.spec.controllerName}`;
  return {
    ours: false,
    finding: {
      severity: gatewayClass === undefined ? 'error' : 'warning',
      reason: gatewayClass === undefined ? 'GatewayClassNotFound' : 'GatewayClassNotOurs',
      message: `${why}, so Fairway does not serve this Gateway`,
      hint: `use gatewayClassName: ${DEFAULT_GATEWAY_CLASS}, or serve the class here with --gateway-class ${className}`,
      origin: {
        object: {
          kind: 'Gateway',
          namespace: gateway.metadata.namespace ?? '',
          name: gateway.metadata.name ?? '',
        },
        field: 'spec.gatewayClassName',
      },
    },
  };
}

/** The statuses of our classes. */
export function classStatuses(snapshot: Snapshot): readonly StatusWish[] {
  return snapshot
    .list(GatewayClass)
    .filter((gatewayClass) => gatewayClass.spec.controllerName === CONTROLLER_NAME)
    .map((gatewayClass) => ({
      kind: GatewayClass,
      namespace: '',
      name: gatewayClass.metadata.name ?? '',
      generation: gatewayClass.metadata.generation ?? 0,
      status: {
        kind: 'class',
        features: SUPPORTED_FEATURES,
        conditions: [
          verdict('Accepted', 'True', 'Accepted', 'Fairway serves the Gateways of this class'),
        ],
      },
    }));
}
