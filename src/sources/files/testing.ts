// What the tests of this folder share: small kinds of their own, and folders that are removed again.

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import type { TestContext } from 'node:test';
import type { Finding } from '../../api/finding.ts';
import { defineKind } from '../../api/kind.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import { ObjectMeta, typeMeta } from '../../api/meta.ts';
import { any, def, integer, list, map, object, opt, string } from '../../api/schema/schema.ts';
import { deepEqual } from '../../lib/equal.ts';
import type { SourceRef } from '../../store/table.ts';
import type { Source, SourceUpdate } from '../source.ts';
import { Catalog } from './catalog.ts';
import type { DocumentContext } from './document.ts';
import { createFilesSource } from './files.ts';
import type { FilesSourceOptions } from './files.ts';
import { DEFAULT_LIMITS } from './limits.ts';
import type { FilesLimits } from './limits.ts';

const metadata = ObjectMeta;

const Port = object({
  name: opt(string()),
  port: integer({ minimum: 1, maximum: 65535 }),
  protocol: def(string(), 'TCP'),
});

const schema = object({
  ...typeMeta,
  metadata,
  spec: opt(
    object({
      ports: opt(list(Port)),
      selector: opt(map(string())),
      type: opt(string()),
    }),
  ),
  status: opt(any()),
});

export const Service = defineKind<KubeObject>({
  group: '',
  version: 'v1',
  kind: 'Service',
  plural: 'services',
  namespaced: true,
  doc: 'A service.',
  hasStatus: true,
  schema,
});

const Route = defineKind<KubeObject>({
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  versions: ['v1', 'v1beta1'],
  kind: 'HTTPRoute',
  plural: 'httproutes',
  namespaced: true,
  doc: 'A route.',
  schema,
});

const Gateway = defineKind<KubeObject>({
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  kind: 'Gateway',
  plural: 'gateways',
  namespaced: true,
  doc: 'A gateway.',
  schema,
});

const GatewayClass = defineKind<KubeObject>({
  group: 'gateway.networking.k8s.io',
  version: 'v1',
  kind: 'GatewayClass',
  plural: 'gatewayclasses',
  namespaced: false,
  doc: 'A class.',
  schema,
});

const Ingress = defineKind<KubeObject>({
  group: 'networking.k8s.io',
  version: 'v1',
  kind: 'Ingress',
  plural: 'ingresses',
  namespaced: true,
  doc: 'An ingress.',
  schema,
});

const TEST_KINDS: readonly Kind[] = [Service, Route, Gateway, GatewayClass, Ingress];

export function testContext(limits: Partial<FilesLimits> = {}): DocumentContext {
  return {
    catalog: new Catalog(TEST_KINDS, [{ group: 'rbac.authorization.k8s.io', kind: 'Role' }]),
    defaultNamespace: 'default',
    limits: { ...DEFAULT_LIMITS, ...limits },
  };
}

/** A Service on one port, as YAML. */
export function serviceYaml(name: string, port = 80, namespace = 'shop'): string {
  return [
    'apiVersion: v1',
    'kind: Service',
    'metadata:',
    `  name: ${name}`,
    `  namespace: ${namespace}`,
    'spec:',
    '  ports:',
    '    - name: http',
    `      port: ${port}`,
    '',
  ].join('\n');
}

/** A folder that is there as long as the test runs. */
export function testFolder(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-files-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

interface Entry {
  readonly object: KubeObject;
  readonly source: SourceRef;
}

/** A running source, and what it has delivered so far. */
export class RunningSource {
  readonly source: Source;
  readonly updates: SourceUpdate[] = [];
  readonly entries = new Map<string, Entry>();
  readonly #controller = new AbortController();
  #wake: (() => void) | undefined;

  constructor(options: Partial<FilesSourceOptions>) {
    this.source = createFilesSource({
      paths: [],
      kinds: TEST_KINDS,
      stdin: Readable.from([]),
      watch: true,
      ...options,
    });
  }

  get findings(): readonly Finding[] {
    return this.updates.at(-1)?.findings ?? [];
  }

  /** What is there, as `Service/name` → port. */
  get ports(): Readonly<Record<string, number>> {
    const ports = [...this.entries].map(([key, { object }]) => {
      const { spec } = object as { spec?: { ports?: { port: number }[] } };
      return [key, spec?.ports?.[0]?.port ?? 0] as const;
    });
    return Object.fromEntries(ports.toSorted(([a], [b]) => (a < b ? -1 : 1)));
  }

  async start(): Promise<void> {
    await this.source.start((update) => this.#deliver(update), this.#controller.signal);
  }

  stop(): void {
    this.#controller.abort();
  }

  /** Waits until what was delivered is as wanted. */
  async until(isSo: () => boolean, what: string): Promise<void> {
    const timeout = AbortSignal.timeout(WAIT_MS_MAX);
    while (!isSo()) {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const fail = (): void =>
        reject(new Error(`never ${what}: ${JSON.stringify([this.ports, this.findings])}`));
      this.#wake = resolve;
      timeout.addEventListener('abort', fail, { once: true });
      await promise;
      timeout.removeEventListener('abort', fail);
    }
  }

  async untilPorts(ports: Readonly<Record<string, number>>): Promise<void> {
    await this.until(() => deepEqual(this.ports, ports), JSON.stringify(ports));
  }

  async untilFinding(reason: string): Promise<Finding> {
    await this.until(() => this.finding(reason) !== undefined, reason);
    const finding = this.finding(reason);
    assert.ok(finding);
    return finding;
  }

  async untilNoFinding(reason: string): Promise<void> {
    await this.until(() => this.finding(reason) === undefined, `without ${reason}`);
  }

  finding(reason: string): Finding | undefined {
    return this.findings.find((finding) => finding.reason === reason);
  }

  #deliver(update: SourceUpdate): void {
    this.updates.push(update);
    for (const write of update.writes) {
      if (write.op === 'put') {
        const { name = '' } = write.object.metadata;
        assert.ok(write.source);
        this.entries.set(`${write.kind.kind}/${name}`, {
          object: write.object,
          source: write.source,
        });
      } else {
        assert.equal(write.op, 'delete');
        assert.ok(
          this.entries.delete(`${write.kind.kind}/${write.name}`),
          'deleted what is not there',
        );
      }
    }
    this.#wake?.();
  }
}

/** Far more than anything takes, even on a busy machine: reached only when a test fails. */
const WAIT_MS_MAX = 60_000;

/** Starts a source that stops with the test. */
export async function startSource(
  t: TestContext,
  options: Partial<FilesSourceOptions>,
): Promise<RunningSource> {
  const running = new RunningSource(options);
  t.after(() => running.stop());
  await running.start();
  return running;
}
