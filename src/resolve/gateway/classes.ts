// GatewayClasses: which Gateways are ours to serve.

import { isOurController, DEFAULT_GATEWAY_CLASS } from '../../api/fairway.ts';
import { GatewayClass } from '../../api/gateway/gatewayclass.ts';
import type { Gateway } from '../../api/gateway/gateway.ts';
import type { Finding } from '../../api/finding.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { StatusWish } from '../resolution.ts';
import { Reader } from '../reader.ts';
import { verdictOf } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { SUPPORTED_FEATURES } from './features.ts';
import { classParameters } from './parameters.ts';

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
  if (isOurController(gatewayClass?.spec.controllerName ?? '')) return { ours: true };
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

/** A class of ours, and what is wrong with its parameters. */
export interface ResolvedClass {
  readonly name: string;
  readonly generation: number;
  readonly problems: readonly Problem[];
}

export function resolveClasses(snapshot: Snapshot): readonly ResolvedClass[] {
  const reader = new Reader(snapshot);
  return snapshot
    .list(GatewayClass)
    .filter(({ spec }) => isOurController(spec.controllerName))
    .map((gatewayClass) => {
      const { name = '', generation = 0 } = gatewayClass.metadata;
      const parameters = classParameters(gatewayClass, reader);
      return { name, generation, problems: 'trouble' in parameters ? [parameters.trouble] : [] };
    });
}

/** What a class of ours is told. */
export function classStatus({ name, generation, problems }: ResolvedClass): StatusWish {
  const accepted = verdictOf('Accepted', problems, {
    reason: 'Accepted',
    message: 'Fairway serves the Gateways of this class',
  });
  return {
    kind: GatewayClass,
    namespace: '',
    name,
    generation,
    status: { kind: 'class', features: SUPPORTED_FEATURES, conditions: [accepted] },
  };
}
