// Ingresses as a test writes them → both configurations, ready to be asked.

import assert from 'node:assert/strict';
import { parseAllDocuments } from 'yaml';
import { admit } from '../../api/admit.ts';
import { Service } from '../../api/core/service.ts';
import { Secret } from '../../api/core/secret.ts';
import { FALLBACK_SECRET, INGRESS_CONTROLLERS } from '../../api/fairway.ts';
import { Ingress } from '../../api/networking/ingress.ts';
import { LocalCa } from '../../certificates/local-ca.ts';
import type { KubeObject } from '../../api/kind.ts';
import { SERVED_KINDS } from '../../api/kinds.ts';
import { IngressClass } from '../../api/networking/ingress-class.ts';
import type { RequestProbe } from '../../model/answer.ts';
import type { Model } from '../../model/model.ts';
import { traceRequest } from '../../model/trace.ts';
import { createResolver } from '../../resolve/resolve.ts';
import { Store } from '../../store/store.ts';
import { migrate } from '../migrate.ts';
import { Judge } from '../prove/judge.ts';
import type { Side } from '../prove/judge.ts';
import { describeOutcome } from '../prove/outcome.ts';
import { prove } from '../prove/prove.ts';
import type { Proof } from '../prove/prove.ts';
import { generateQuestions } from '../prove/requests.ts';
import type { GeneratedObject, Migration, MigrateOptions } from '../types.ts';
import { findMissing, generatedSnapshot, snapshotWith } from '../worlds.ts';

const CIDR = '127.80.0.0/17';

export interface World {
  readonly migration: Migration;
  readonly judge: Judge;
  readonly before: Model;
  readonly after: Model;
  readonly prove: () => Proof;
  /** `before | after` of `GET http://host/path`, or once what both say. */
  readonly ask: (asked: string, more?: Partial<RequestProbe>) => string;
  readonly verdict: (asked: string, more?: Partial<RequestProbe>) => string;
  readonly routes: () => readonly GeneratedObject[];
}

export interface Annotated {
  readonly annotations?: Readonly<Record<string, string>>;
  readonly name?: string;
  readonly namespace?: string;
  readonly host?: string;
  /** `/path` of type Prefix, `= /path` Exact, `~ /path` ImplementationSpecific; each to the Service of that name. */
  readonly paths: Readonly<Record<string, string>>;
  readonly defaultBackend?: string;
  readonly created?: string;
  readonly tls?: string;
}

export function ingress({
  annotations = {},
  name = 'web',
  namespace = 'default',
  host,
  paths,
  defaultBackend,
  created,
  tls,
}: Annotated): object {
  const backend = (service: string) => ({ service: { name: service, port: { number: 80 } } });
  const typed = (path: string): object =>
    path.startsWith('= ')
      ? { path: path.slice(2), pathType: 'Exact' }
      : path.startsWith('~ ')
        ? { path: path.slice(2), pathType: 'ImplementationSpecific' }
        : { path, pathType: 'Prefix' };
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name,
      namespace,
      ...(created === undefined ? {} : { creationTimestamp: created }),
      annotations: Object.fromEntries(
        Object.entries(annotations).map(([key, value]) => [
          key.includes('/') ? key : `nginx.ingress.kubernetes.io/${key}`,
          value,
        ]),
      ),
    },
    spec: {
      ingressClassName: 'nginx',
      ...(defaultBackend === undefined ? {} : { defaultBackend: backend(defaultBackend) }),
      ...(tls === undefined ? {} : { tls: [{ hosts: [host], secretName: tls }] }),
      ...(Object.keys(paths).length === 0
        ? {}
        : {
            rules: [
              {
                ...(host === undefined ? {} : { host }),
                http: {
                  paths: Object.entries(paths).map(([path, service]) => ({
                    ...typed(path),
                    backend: backend(service),
                  })),
                },
              },
            ],
          }),
    },
  };
}

/** The data of a Secret with a certificate for these names. */
export async function certify(hosts: readonly string[]): Promise<NonNullable<Secret['data']>> {
  const store = new Store();
  const asking = admit(Ingress, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      name: 'asking',
      namespace: 'default',
      annotations: { 'fairway.dev/issuer': 'local' },
    },
    spec: { rules: [{}], tls: [{ hosts, secretName: 'asked' }] },
  });
  store.write([{ op: 'put', kind: Ingress, object: asking.object }]);
  const writes = await new LocalCa({ directory: null }).issueMissing(store.snapshot());
  const made = writes.flatMap((w) =>
    w.op === 'put' && w.object.metadata.name === 'asked' ? [w.object as Secret] : [],
  );
  return made[0]?.data ?? {};
}

/** With `certificate`, it is what all Secrets of Ingresses hold, and port 443 is served. */
export function worldOf(
  written: readonly object[] | string,
  options: Partial<MigrateOptions> = {},
  certificate?: NonNullable<Secret['data']>,
): World {
  const store = new Store({
    now: () => new Date(0),
    newUid: (k, ns, name) => `${k.kind}/${ns}/${name}`,
  });
  const objects =
    typeof written === 'string'
      ? parseAllDocuments(written).map((d) => d.toJS() as object)
      : written;
  const nginx = {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'nginx' },
    spec: { controller: 'k8s.io/ingress-nginx' },
  };
  for (const object of [nginx, ...objects]) {
    const kind = SERVED_KINDS.find((k) => k.kind === (object as KubeObject).kind) ?? IngressClass;
    const admitted = admit(kind, object);
    assert.deepEqual(admitted.errors, []);
    store.write([{ op: 'put', kind, object: admitted.object }]);
  }
  const { services, secrets } = findMissing(store.snapshot());
  const secretOf = (
    metadata: { namespace: string; name: string },
    data: NonNullable<Secret['data']>,
  ) => ({
    kind: Secret,
    object: {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata,
      type: 'kubernetes.io/tls',
      data: { ...data },
    } as Secret,
  });
  const snapshot = snapshotWith(
    store.snapshot(),
    [],
    [
      ...services.map((object) => ({ kind: Service, object })),
      ...(certificate === undefined
        ? []
        : [FALLBACK_SECRET, ...secrets].map(({ namespace, name }) =>
            secretOf({ namespace, name }, certificate),
          )),
    ],
  );
  const resolve = createResolver({ gatewayCidr: CIDR, adoptedClasses: ['*'] });
  const { model, findings } = resolve(snapshot);
  const migration = migrate(snapshot, model, findings, {
    gateway: 'default/web',
    gatewayClass: 'fairway',
    standardOnly: false,
    ...options,
  });
  const made = generatedSnapshot(snapshot, migration.objects);
  assert.deepEqual(made.refused, [], 'generated objects are valid');
  const only = (of: Model, isOurs: (gateway: string) => boolean): Model => ({
    ...of,
    entryPoints: of.entryPoints.filter((e) => isOurs(e.gateway)),
  });
  const before = only(model, (gateway) => INGRESS_CONTROLLERS.includes(gateway));
  const after = only(
    createResolver({ gatewayCidr: CIDR, adoptedClasses: ['*'] })(made.snapshot).model,
    (gateway) => gateway.startsWith(options.gateway ?? 'default/web'),
  );
  const side = (of: Model): Side => ({
    model: of,
    answerer: (part) => (probe) => traceRequest(part, probe).fate,
  });
  const judge = new Judge(side(before), side(after), migration.losses);
  const probeOf = (asked: string, more: Partial<RequestProbe> = {}): RequestProbe => {
    const [method = '', url = ''] = asked.split(' ');
    const [, scheme = 'http', host = '', target = ''] =
      /^(https?):\/\/([^/]+)(.*)$/.exec(url) ?? [];
    return {
      scheme: scheme as 'http',
      port: scheme === 'https' ? 443 : 80,
      method,
      host,
      target: target || '/',
      headers: [],
      ...more,
    };
  };
  return {
    migration,
    judge,
    before,
    after,
    prove: () =>
      prove({
        before: side(before),
        after: side(after),
        losses: migration.losses,
        questions: generateQuestions([before, after]),
      }),
    ask: (asked, more) => {
      const probe = probeOf(asked, more);
      const [a, b] = [
        describeOutcome(judge.outcome(judge.before, probe)),
        describeOutcome(judge.outcome(judge.after, probe)),
      ];
      return a === b ? a : `${a} | ${b}`;
    },
    verdict: (asked, more) => judge.judge(probeOf(asked, more)).verdict,
    routes: () => migration.objects.filter(({ kind }) => kind === 'HTTPRoute'),
  };
}
