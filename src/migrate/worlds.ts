// The two configurations that are compared, as snapshots: the objects as they are, and the same with the
// generated objects in place of the Ingresses. Services and Secrets that the files do not have get
// stand-ins on both sides, so that what is compared is where requests go and not that nothing is there.

import { admit } from '../api/admit.ts';
import { Secret } from '../api/core/secret.ts';
import { Service } from '../api/core/service.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import { SERVED_KINDS } from '../api/kinds.ts';
import { GatewayClass } from '../api/gateway/gatewayclass.ts';
import { CONTROLLER_NAME } from '../api/fairway.ts';
import { Ingress } from '../api/networking/ingress.ts';
import type { IngressBackend } from '../api/networking/ingress.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { kindKey } from '../store/snapshot.ts';
import { Store } from '../store/store.ts';
import type { ObjectWrite } from '../store/write.ts';
import { plainObject } from './render.ts';
import { textOf } from './text.ts';
import type { GeneratedObject } from './types.ts';

export interface MissingObjects {
  readonly services: readonly Service[];
  readonly secrets: readonly MissingSecret[];
  /** Ports that are known by their name only, and the number that stands for them. */
  readonly guesses: readonly string[];
}

export interface MissingSecret {
  readonly namespace: string;
  readonly name: string;
  readonly hosts: readonly string[];
}

/** The first number that stands for a port known by its name only. */
const NAMED_PORT = 10_001;

/** What Ingresses name and the snapshot does not have. */
export function findMissing(snapshot: Snapshot): MissingObjects {
  const services = new Map<
    string,
    { namespace: string; name: string; numbers: Set<number>; names: Set<string> }
  >();
  const secrets = new Map<string, MissingSecret>();
  for (const { metadata, spec } of snapshot.list(Ingress)) {
    const namespace = metadata.namespace ?? '';
    const look = (backend: IngressBackend | undefined): void => {
      const { name, port } = backend?.service ?? {};
      if (name === undefined || snapshot.get(Service, namespace, name) !== undefined) return;
      const key = `${namespace}/${name}`;
      const known = services.get(key) ?? { namespace, name, numbers: new Set(), names: new Set() };
      services.set(key, known);
      if (port?.name !== undefined && port.name !== '') known.names.add(port.name);
      else if (port?.number !== undefined) known.numbers.add(port.number);
    };
    look(spec.defaultBackend);
    for (const { http } of spec.rules ?? [])
      for (const { backend } of http?.paths ?? []) look(backend);
    for (const { secretName = '', hosts = [] } of spec.tls ?? []) {
      if (secretName === '' || snapshot.get(Secret, namespace, secretName) !== undefined) continue;
      const key = `${namespace}/${secretName}`;
      secrets.set(key, {
        namespace,
        name: secretName,
        hosts: [...(secrets.get(key)?.hosts ?? []), ...hosts],
      });
    }
  }
  const guesses: string[] = [];
  return {
    guesses,
    services: [...services.values()].map(({ namespace, name, numbers, names }) => {
      const free = (i: number): number =>
        numbers.has(NAMED_PORT + i) ? free(i + 1000) : NAMED_PORT + i;
      return admit(Service, {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { namespace, name },
        spec: {
          clusterIP: '10.255.255.254',
          ports: [
            ...[...numbers].map((port) => ({ name: `p${port}`, port, protocol: 'TCP' })),
            ...[...names].map((portName, i) => {
              const port = free(i);
              guesses.push(
                `${port} stands for port "${portName}" of Service ${namespace}/${name}, which is not among the files: routes name ports by number, so put the right one in`,
              );
              return { name: portName, port, protocol: 'TCP' };
            }),
          ],
        },
      }).object;
    }),
    secrets: [...secrets.values()],
  };
}

const NOWHERE = { source: '', file: '', document: 0 };

/** Everything of a snapshot but some kinds, and more. */
export function snapshotWith(
  snapshot: Snapshot,
  without: readonly Kind[],
  added: readonly { readonly kind: Kind; readonly object: KubeObject }[],
): Snapshot {
  const store = new Store({
    now: () => new Date(0),
    newUid: (kind, namespace, name) => `${kindKey(kind)}/${namespace}/${name}`,
  });
  for (const kind of SERVED_KINDS) {
    if (without.includes(kind)) continue;
    for (const object of snapshot.list(kind)) {
      const { namespace = '', name = '' } = object.metadata;
      store.restore(kind, object, snapshot.sourceOf(kind, namespace, name) ?? NOWHERE);
    }
  }
  store.write(added.map(({ kind, object }): ObjectWrite => ({ op: 'put', kind, object })));
  return store.snapshot();
}

export interface GeneratedSnapshot {
  readonly snapshot: Snapshot;
  /** Objects that no API server would take; they are left out. */
  readonly refused: readonly { readonly object: GeneratedObject; readonly why: string }[];
}

/** The snapshot with the generated objects in place of the Ingresses. */
export function generatedSnapshot(
  before: Snapshot,
  objects: readonly GeneratedObject[],
): GeneratedSnapshot {
  const refused: { object: GeneratedObject; why: string }[] = [];
  const added: { kind: Kind; object: KubeObject }[] = [];
  const classes = new Set<string>();
  for (const object of objects) {
    const kind = SERVED_KINDS.find((k) => k.kind === object.kind);
    if (kind === undefined) continue;
    const admitted = admit(kind, plainObject(object));
    const [error] = admitted.errors;
    const [unknown] = admitted.unknown;
    if (error !== undefined || unknown !== undefined) {
      const why =
        error === undefined
          ? `${unknown?.path ?? ''} is no field`
          : `${error.path}: ${error.message}`;
      refused.push({ object, why });
      continue;
    }
    if (object.kind === 'Gateway') classes.add(textOf(object.spec['gatewayClassName']));
    added.push({ kind, object: admitted.object });
  }
  for (const name of classes) {
    const own = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'GatewayClass',
      metadata: { name },
      spec: { controllerName: CONTROLLER_NAME },
    };
    added.push({ kind: GatewayClass, object: admit(GatewayClass, own).object });
  }
  return { snapshot: snapshotWith(before, [Ingress], added), refused };
}
