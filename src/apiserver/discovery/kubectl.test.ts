// The real kubectl against discovery, OpenAPI and protobuf: a server that answers with them alone, and
// repeats what is created.

import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';

import { appsKinds } from '../../api/apps/kinds.ts';
import { coreKinds } from '../../api/core/kinds.ts';
import { gatewayKinds } from '../../api/gateway/kinds.ts';
import { networkingKinds } from '../../api/networking/kinds.ts';
import { answerOpenApi } from '../openapi/answer.ts';
import { PROTOBUF_CONTENT_TYPE, decodeProtobuf } from '../protobuf/decode.ts';
import { answerDiscovery } from './answer.ts';
import { versionInfo } from './version.ts';

const kinds = [...coreKinds, ...appsKinds, ...networkingKinds, ...gatewayKinds];

/** Another kubectl than the one on the path can be tried with KUBECTL. */
const kubectl = process.env['KUBECTL'] ?? 'kubectl';

function missing(): string | false {
  try {
    execFileSync(kubectl, ['version', '--client'], { stdio: 'ignore' });
    return false;
  } catch {
    return 'kubectl is not installed';
  }
}

interface Seen {
  readonly request: string;
  readonly contentType: string;
  // oxlint-disable-next-line typescript/no-explicit-any -- objects are read freely here
  readonly body: any;
}

/** What clients sent, decoded. */
const seen: Seen[] = [];
/** The object that is there, by path. */
const stored = new Map<string, unknown>();

function handle(request: IncomingMessage, body: Buffer, response: ServerResponse): void {
  const url = new URL(request.url ?? '/', 'http://localhost');
  const { accept, 'user-agent': userAgent, 'if-none-match': ifNoneMatch } = request.headers;
  const { pathname: path } = url;
  const hash = url.searchParams.get('hash') ?? undefined;
  const document =
    answerDiscovery(kinds, { path, accept, ifNoneMatch }) ??
    answerOpenApi(kinds, { path, accept, hash, ifNoneMatch });
  if (document !== undefined) {
    response.writeHead(document.status, document.headers);
    response.end(document.body);
    return;
  }
  const answer = (status: number, value: unknown): void => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(value));
  };
  if (path === '/version') {
    answer(200, versionInfo({ version: '0.0.0', platform: 'linux/amd64', userAgent }));
  } else if (body.length > 0) answer(...write(request, path, body));
  else if (stored.has(path)) answer(200, stored.get(path));
  else answer(404, { kind: 'Status', apiVersion: 'v1', status: 'Failure', reason: 'NotFound' });
}

function write(request: IncomingMessage, path: string, body: Buffer): [number, unknown] {
  const contentType = request.headers['content-type'] ?? '';
  const line = `${request.method} ${path}`;
  if (contentType !== PROTOBUF_CONTENT_TYPE) {
    const object: unknown = JSON.parse(body.toString());
    seen.push({ request: line, contentType, body: object });
    return [200, stored.get(path) ?? object];
  }
  const decoded = decodeProtobuf(body);
  seen.push({ request: line, contentType, body: decoded.ok ? decoded.object : decoded.failure });
  return [201, decoded.ok ? decoded.object : {}];
}

describe('kubectl', { skip: missing() }, () => {
  const home = mkdtempSync(join(tmpdir(), 'fairway-kubectl-'));
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => handle(request, Buffer.concat(chunks), response));
  });

  before(async () => {
    await new Promise<void>((resolve) => void server.listen(0, '127.0.0.1', resolve));
  });
  after(() => {
    server.closeAllConnections();
    server.close();
    rmSync(home, { recursive: true });
  });

  /** Output of both streams; the exit code has to be 0. */
  async function run(...args: readonly string[]): Promise<string> {
    const { port } = server.address() as AddressInfo;
    const all = ['--server', `http://127.0.0.1:${port}`, ...args];
    const env = { ...process.env, HOME: home, KUBECONFIG: '/dev/null' };
    return new Promise((resolve, reject) => {
      execFile(kubectl, all, { env }, (error, stdout, stderr) => {
        if (error === null) resolve(stdout + stderr);
        else reject(new Error(`kubectl ${args.join(' ')}: ${stderr}`));
      });
    });
  }

  /** What the last write was, after running a command. */
  async function sent(...args: readonly string[]): Promise<Seen> {
    seen.length = 0;
    await run(...args);
    const last = seen.at(-1);
    assert.ok(last);
    return last;
  }

  it('does not warn of the version', async () => {
    const text = await run('version');
    assert.match(text, /Server Version: v1\.3[345]\.0\+fairway-0\.0\.0/);
    assert.doesNotMatch(text, /warning/i);
  });

  it('lists resources, with short names', async () => {
    const text = await run('api-resources');
    assert.match(text, /^pods +po +v1 +true +Pod$/m);
    assert.match(text, /^deployments +deploy +apps\/v1 +true +Deployment$/m);
    assert.match(text, /^httproutes +gateway\.networking\.k8s\.io\/v1 +true +HTTPRoute$/m);
    assert.match(await run('api-versions'), /^gateway\.networking\.k8s\.io\/v1beta1$/m);
  });

  it('explains every kind, in depth', async () => {
    const pod = await run('explain', 'pod.spec.containers', '--recursive');
    assert.match(pod, /^KIND: +Pod\nVERSION: +v1\n\nFIELD: containers/);
    assert.match(pod, /^ {2}livenessProbe\t.*\n(?:.*\n)*? {4}httpGet\t/m);
    const route = await run('explain', 'httproute.spec.rules.matches.path');
    assert.match(route, /^GROUP: +gateway\.networking\.k8s\.io\nKIND: +HTTPRoute/);
    for (const { plural } of kinds) {
      assert.match(await run('explain', plural), /FIELDS:\n(?:.*\n)*? {2}apiVersion\t/, plural);
    }
  });

  it('creates in protobuf', async () => {
    const { contentType, body } = await sent('create', 'configmap', 'c', '--from-literal=a=b');
    assert.equal(contentType, PROTOBUF_CONTENT_TYPE);
    const metadata = { name: 'c' };
    const expected = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { a: 'b' } };
    assert.deepEqual(strip(body), expected);
  });

  const creations: readonly (readonly [string, (body: Seen['body']) => unknown, unknown])[] = [
    ['namespace n', (b) => [b.kind, b.metadata.name], ['Namespace', 'n']],
    ['secret generic s --from-literal=p=w', (b) => b.data, { p: 'dw==' }],
    ['serviceaccount a', (b) => b.kind, 'ServiceAccount'],
    [
      'service nodeport w --tcp=80:http',
      (b) => [b.spec.type, b.spec.ports],
      ['NodePort', [{ name: '80-http', protocol: 'TCP', port: 80, targetPort: 'http' }]],
    ],
    [
      'ingress i --rule=a.example/x*=w:80',
      (b) => b.spec.rules[0].http.paths,
      [
        {
          path: '/x',
          pathType: 'Prefix',
          backend: { service: { name: 'w', port: { number: 80 } } },
        },
      ],
    ],
    [
      'deployment d --image=nginx --port=80 --replicas=2',
      (b) => [b.spec.replicas, b.spec.template.spec.containers],
      [2, [{ name: 'nginx', image: 'nginx', ports: [{ containerPort: 80 }], resources: {} }]],
    ],
  ];
  for (const [args, read, wanted] of creations) {
    it(`creates ${args}`, async () => {
      const { contentType, body } = await sent('create', ...args.split(' '));
      assert.equal(contentType, PROTOBUF_CONTENT_TYPE);
      assert.deepEqual(read(body), wanted);
    });
  }

  it('applies with a strategic merge patch that the schema tells it', async () => {
    const image = (version: string) => ({
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'web', namespace: 'default' },
      spec: {
        selector: { matchLabels: { app: 'web' } },
        strategy: { type: version === '1' ? 'RollingUpdate' : 'Recreate' },
        template: {
          metadata: { labels: { app: 'web' } },
          spec: {
            containers: [
              { name: 'web', image: `nginx:${version}` },
              ...(version === '1' ? [{ name: 'gone', image: 'x' }] : []),
            ],
          },
        },
      },
    });
    const old = image('1');
    const path = '/apis/apps/v1/namespaces/default/deployments/web';
    const annotations = { 'kubectl.kubernetes.io/last-applied-configuration': JSON.stringify(old) };
    stored.set(path, { ...old, metadata: { ...old.metadata, annotations } });
    const file = join(home, 'web.json');
    writeFileSync(file, JSON.stringify(image('2')));
    const { request, contentType, body } = await sent('apply', '-f', file);
    assert.equal(request, `PATCH ${path}`);
    assert.equal(contentType, 'application/strategic-merge-patch+json');
    assert.deepEqual(body.spec, {
      strategy: { $retainKeys: ['type'], type: 'Recreate' },
      template: {
        spec: {
          '$setElementOrder/containers': [{ name: 'web' }],
          containers: [
            { name: 'web', image: 'nginx:2' },
            { $patch: 'delete', name: 'gone' },
          ],
        },
      },
    });
  });
});

/** Older clients send a creationTimestamp of null. */
function strip(body: Seen['body']): unknown {
  const { creationTimestamp, ...metadata } = body.metadata;
  assert.ok(creationTimestamp === undefined || creationTimestamp === null);
  return { ...body, metadata };
}
