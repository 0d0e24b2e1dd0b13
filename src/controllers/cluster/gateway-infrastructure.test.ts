import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit } from '../../api/admit.ts';
import { ServiceAccount } from '../../api/core/service-account.ts';
import { CONTROLLER_NAME } from '../../api/fairway.ts';
import { Gateway } from '../../api/gateway/gateway.ts';
import { GatewayClass } from '../../api/gateway/gatewayclass.ts';
import type { Kind } from '../../api/kind.ts';
import { Store } from '../../store/store.ts';
import { reconcileAll } from '../reconcile.ts';
import { createGatewayInfrastructureController } from './gateway-infrastructure.ts';

const NOW = new Date('2026-01-01T00:00:00Z');

function lab(controllerName: string) {
  const store = new Store({ now: () => NOW });
  const controllers = [createGatewayInfrastructureController()];
  const put = (kind: Kind, written: object): void => {
    const { object, errors } = admit(kind, written);
    assert.deepEqual(errors, []);
    store.write([{ op: 'put', kind, object }]);
    reconcileAll(controllers, store, NOW);
  };
  put(GatewayClass as Kind, {
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'GatewayClass',
    metadata: { name: 'c' },
    spec: { controllerName },
  });
  return {
    gateway: (infrastructure?: object): void =>
      put(Gateway as Kind, {
        apiVersion: 'gateway.networking.k8s.io/v1',
        kind: 'Gateway',
        metadata: { name: 'web', namespace: 'n' },
        spec: {
          gatewayClassName: 'c',
          listeners: [{ name: 'a', port: 80, protocol: 'HTTP' }],
          ...(infrastructure === undefined ? {} : { infrastructure }),
        },
      }),
    account: () => store.snapshot().get(ServiceAccount, 'n', 'web-c')?.metadata,
  };
}

describe('infrastructure of Gateways', () => {
  it('carries what the Gateway asks for, and follows it', () => {
    const { gateway, account } = lab(CONTROLLER_NAME);
    gateway({ labels: { team: 'a' }, annotations: { note: 'x' } });
    assert.deepEqual(account()?.labels, {
      team: 'a',
      'gateway.networking.k8s.io/gateway-name': 'web',
    });
    assert.deepEqual(account()?.annotations, { note: 'x' });
    gateway({ labels: { team: 'b' } });
    assert.equal(account()?.labels?.['team'], 'b');
    assert.equal(account()?.annotations, undefined);
    gateway();
    assert.equal(account(), undefined);
  });

  it('is not made for Gateways of others', () => {
    const { gateway, account } = lab('example.com/other');
    gateway({ labels: { team: 'a' } });
    assert.equal(account(), undefined);
  });
});
