// The objects that stand for what serves a Gateway, with the labels and annotations its infrastructure
// asks for (GEP-1762, GEP-1867). Fairway serves all Gateways in one process, so there is one object a
// Gateway: the account it would run as, by which tools find what belongs to it.

import { ServiceAccount } from '../../api/core/service-account.ts';
import { isOurController } from '../../api/fairway.ts';
import { Gateway } from '../../api/gateway/gateway.ts';
import { GatewayClass } from '../../api/gateway/gatewayclass.ts';
import { apiVersionOf } from '../../api/kind.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import type { Table } from '../../store/table.ts';
import type { ObjectWrite } from '../../store/write.ts';
import type { Controller } from '../controller.ts';
import { isTerminating, uidOf } from '../shared/metadata.ts';
import { putWrite, removeWrites } from '../shared/writes.ts';

const GATEWAY_LABEL = 'gateway.networking.k8s.io/gateway-name';
/** Names of accounts may be this long. */
const NAME_CHARS_MAX = 253;

export function createGatewayInfrastructureController(): Controller {
  let seen: readonly Table[] = [];
  let wrote = false;
  return {
    name: 'gateway-infrastructure',
    reconcile(snapshot: Snapshot): readonly ObjectWrite[] {
      const now = [Gateway, GatewayClass, ServiceAccount].map((kind) =>
        snapshot.table(kind as never),
      );
      if (!wrote && now.every((table, i) => table === seen[i])) return [];
      seen = now;
      const wanted = snapshot
        .list(Gateway)
        .filter((gateway) => isOurs(snapshot, gateway) && asksForIt(gateway))
        .map(accountOf);
      const writes = [
        ...wanted.flatMap((account) => settle(snapshot, account)),
        ...leftovers(snapshot, wanted),
      ];
      wrote = writes.length > 0;
      return writes;
    },
  };
}

function isOurs(snapshot: Snapshot, gateway: Gateway): boolean {
  const gatewayClass = snapshot.get(GatewayClass, '', gateway.spec.gatewayClassName);
  return isOurController(gatewayClass?.spec.controllerName ?? '') && !isTerminating(gateway);
}

function asksForIt({ spec }: Gateway): boolean {
  return (
    spec.infrastructure?.labels !== undefined || spec.infrastructure?.annotations !== undefined
  );
}

function accountOf(gateway: Gateway): ServiceAccount {
  const { name = '', namespace = '' } = gateway.metadata;
  const { gatewayClassName, infrastructure } = gateway.spec;
  return {
    apiVersion: 'v1',
    kind: ServiceAccount.kind,
    metadata: {
      name: `${name}-${gatewayClassName}`.slice(0, NAME_CHARS_MAX),
      namespace,
      // A label of the user's must not take the Gateway's name away.
      labels: { ...infrastructure?.labels, [GATEWAY_LABEL]: name },
      ...(infrastructure?.annotations === undefined
        ? {}
        : { annotations: infrastructure.annotations }),
      ownerReferences: [
        {
          apiVersion: apiVersionOf(Gateway),
          kind: Gateway.kind,
          name,
          uid: uidOf(gateway),
          controller: true,
        },
      ],
    },
  };
}

/** Creates the account or brings it up to date. One that somebody else has written is theirs. */
function settle(snapshot: Snapshot, account: ServiceAccount): readonly ObjectWrite[] {
  const { namespace = '', name = '', labels, annotations, ownerReferences } = account.metadata;
  const current = snapshot.get(ServiceAccount, namespace, name);
  if (current === undefined) return [putWrite(snapshot, ServiceAccount, account)];
  const { metadata } = current;
  if (!isOwned(current)) return [];
  const isSame =
    deepEqual(metadata.labels, labels) &&
    deepEqual(metadata.annotations, annotations) &&
    deepEqual(metadata.ownerReferences, ownerReferences);
  if (isSame) return [];
  const { annotations: _old, ...rest } = metadata;
  const next = { ...current, metadata: { ...rest, ...account.metadata } };
  return [putWrite(snapshot, ServiceAccount, next)];
}

/** Accounts of Gateways that ask for none any more; the rest goes with its Gateway. */
function leftovers(snapshot: Snapshot, wanted: readonly ServiceAccount[]): readonly ObjectWrite[] {
  const keys = new Set(wanted.map(keyOf));
  return snapshot
    .list(ServiceAccount)
    .filter((account) => isOwned(account) && !keys.has(keyOf(account)))
    .flatMap((account) => removeWrites(ServiceAccount, account));
}

function isOwned({ metadata }: ServiceAccount): boolean {
  return (metadata.ownerReferences ?? []).some(
    ({ kind, controller }) => kind === Gateway.kind && controller === true,
  );
}

function keyOf({ metadata }: ServiceAccount): string {
  return `${metadata.namespace}/${metadata.name}`;
}
