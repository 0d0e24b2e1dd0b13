// The GatewayClass that is there without being written down, so that a first Gateway needs no second
// object. A class of that name in the user's files takes its place, and when it goes, this one is back.

import { admit } from '../../api/admit.ts';
import { CONTROLLER_NAME, DEFAULT_GATEWAY_CLASS } from '../../api/fairway.ts';
import { GatewayClass } from '../../api/gateway/gatewayclass.ts';
import { apiVersionOf } from '../../api/kind.ts';
import type { Controller } from '../controller.ts';

export function createGatewayClassController(): Controller {
  const { object } = admit(GatewayClass, {
    apiVersion: apiVersionOf(GatewayClass),
    kind: GatewayClass.kind,
    metadata: { name: DEFAULT_GATEWAY_CLASS },
    spec: { controllerName: CONTROLLER_NAME, description: 'Served by this Fairway' },
  });
  return {
    name: 'gatewayclass',
    reconcile: (snapshot) =>
      snapshot.get(GatewayClass, '', DEFAULT_GATEWAY_CLASS) === undefined
        ? [{ op: 'put', kind: GatewayClass, object }]
        : [],
  };
}
