// What people do with kubectl, done with the real one, against one Fairway for all tests; each test has a
// namespace of its own. What is asserted is what kubectl prints against a cluster.

import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { TestContext } from 'node:test';
import { PATIENCE_MS, folder, startFairway, until } from '../support/fairway.ts';
import type { Fairway } from '../support/fairway.ts';
import { kubeconfigIn, kubectlFor, NO_KUBECTL, within } from '../support/kubectl.ts';
import type { Kubectl, Loose } from '../support/kubectl.ts';
import { documents, echo, GATEWAY, route } from '../support/manifests.ts';

const TIMEOUT = `--timeout=${PATIENCE_MS / 1000}s`;
const ECHO_IMAGE = 'registry.k8s.io/gateway-api/echo-basic:v1.5.1';

const home = folder({});
const manifests = folder({
  'shop.yaml': documents(GATEWAY, echo('shop'), route('shop', '/', 'shop')),
});
let fairway: Fairway;
let kubectl: Kubectl;
/** Without OpenAPI there is nothing kubectl could check fields with. */
let unchecked: readonly string[] = [];
let hasOpenApi = false;
let count = 0;

/** A test in a namespace of its own: `k` is kubectl there. */
function inNamespace(
  name: string,
  body: (k: Kubectl, namespace: string, test: TestContext) => Promise<void>,
): void {
  it(name, async (test) => {
    const namespace = `t${++count}`;
    await kubectl.ok(`create namespace ${namespace}`);
    const k = within(kubectl, namespace);
    await body(k, namespace, test);
  });
}

/** Words of a command that would check fields. */
function checked(words: string): readonly string[] {
  return [...words.split(' '), ...unchecked];
}

function configMap(name: string, data: Readonly<Record<string, string>>, labels = {}): string {
  const metadata = Object.keys(labels).length === 0 ? { name } : { name, labels };
  return JSON.stringify({ apiVersion: 'v1', kind: 'ConfigMap', metadata, data });
}

function service(name: string, ports: readonly object[], more: object = {}): string {
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name },
    spec: { selector: { app: name }, ports, ...more },
  });
}

function httpRoute(name: string, spec: object): string {
  return JSON.stringify({
    apiVersion: 'gateway.networking.k8s.io/v1',
    kind: 'HTTPRoute',
    metadata: { name },
    spec,
  });
}

describe('kubectl', { skip: NO_KUBECTL, concurrency: 4, timeout: 170_000 }, () => {
  before(async () => {
    fairway = await startFairway([manifests.path], { home: home.path });
    kubectl = kubectlFor(await kubeconfigIn(home.path), home.path);
    hasOpenApi = (await kubectl.run('get --raw /openapi/v3')).code === 0;
    unchecked = hasOpenApi ? [] : ['--validate=false'];
  });

  after(async () => {
    await fairway.stop();
    home.remove();
    manifests.remove();
  });

  it('finds out what there is', async () => {
    assert.match(await kubectl.ok('version'), /Server Version: v1\.\d+\.\d+/);
    const resources = await kubectl.ok('api-resources --no-headers');
    for (const line of [
      /^pods +po +v1 +true +Pod$/m,
      /^services +svc +v1 +true +Service$/m,
      /^deployments +deploy +apps\/v1 +true +Deployment$/m,
      /^ingresses +ing +networking\.k8s\.io\/v1 +true +Ingress$/m,
      /^httproutes +gateway\.networking\.k8s\.io\/v1 +true +HTTPRoute$/m,
      /^gatewayclasses +gc +gateway\.networking\.k8s\.io\/v1 +false +GatewayClass$/m,
    ]) {
      assert.match(resources, line);
    }
    const verbs = await kubectl.ok('api-resources --namespaced=false -o wide --no-headers');
    assert.match(
      verbs,
      /^namespaces .*(?=.*create)(?=.*delete)(?=.*get)(?=.*list)(?=.*patch)(?=.*update)(?=.*watch)/m,
    );
    assert.match(await kubectl.ok('api-versions'), /^gateway\.networking\.k8s\.io\/v1$/m);
    assert.match(await kubectl.ok('cluster-info'), /is running at https:\/\/127\./);
    assert.match(await kubectl.ok('get --raw /version'), /"gitVersion"/);
    assert.equal(await kubectl.ok('get --raw /readyz'), 'ok');
    assert.match(
      await kubectl.fails('get widgets'),
      /the server doesn't have a resource type "widgets"/,
    );
  });

  it('asks what it may do, and as whom', async () => {
    assert.equal(await kubectl.ok('auth can-i create pods'), 'yes');
    assert.match(await kubectl.ok('auth can-i --list'), /\*\.\*/);
    assert.match(await kubectl.ok('auth whoami'), /Username +\S+/);
  });

  inNamespace('creates by subcommands, which send protobuf', async (k, namespace) => {
    assert.equal(await k.ok('create configmap a --from-literal=x=1'), 'configmap/a created');
    assert.equal(await k.ok('create secret generic b --from-literal=p=w'), 'secret/b created');
    assert.equal(await k.ok('create service clusterip c --tcp=80:8080'), 'service/c created');
    assert.equal(
      await k.ok(`create deployment d --image=${ECHO_IMAGE} --replicas=0 --port=3000`),
      'deployment.apps/d created',
    );
    assert.equal(
      await k.ok('create ingress e --class=fairway --rule=a.example.com/x*=c:80,tls=b'),
      'ingress.networking.k8s.io/e created',
    );
    assert.equal(await k.ok('create serviceaccount f'), 'serviceaccount/f created');
    assert.equal((await k.json('get configmap a')).data.x, '1');
    const secret = await k.json('get secret b');
    assert.deepEqual([secret.type, secret.data.p], ['Opaque', 'dw==']);
    const { spec } = await k.json('get service c');
    assert.match(spec.clusterIP, /^127\.(?:9\d|10\d)\./);
    assert.deepEqual(spec.ports, [
      { name: '80-8080', port: 80, protocol: 'TCP', targetPort: 8080 },
    ]);
    const deployment = await k.json('get deployment d');
    assert.equal(deployment.spec.template.spec.containers[0].ports[0].containerPort, 3000);
    assert.equal(deployment.metadata.generation, 1);
    const ingress = await k.json('get ingress e');
    assert.equal(ingress.spec.rules[0].http.paths[0].pathType, 'Prefix');
    assert.deepEqual(ingress.spec.tls, [{ hosts: ['a.example.com'], secretName: 'b' }]);
    assert.match(
      await k.fails('create configmap a'),
      /error: failed to create configmap: configmaps "a" already exists/,
    );
    assert.match(
      await kubectl.fails(`create namespace ${namespace}`),
      /Error from server \(AlreadyExists\): namespaces "t\d+" already exists/,
    );
    assert.match(
      await kubectl.fails('-n nowhere create configmap a'),
      /namespaces "nowhere" not found/,
    );
    assert.equal(
      await k.ok('expose deployment d --port=80 --target-port=3000'),
      'service/d exposed',
    );
    assert.equal(
      await k.ok('set image deployment/d echo-basic=example.test/other:1'),
      'deployment.apps/d image updated',
    );
    assert.equal(await k.ok('set env deployment/d COLOR=red'), 'deployment.apps/d env updated');
  });

  inNamespace('applies: created, unchanged, configured', async (k) => {
    const apply = checked('apply -f -');
    const one = service('s', [{ port: 80 }]);
    const two = service('s', [{ port: 80, targetPort: 8080, name: 'http' }]);
    assert.equal(
      await k.ok([...apply, '--dry-run=server'], one),
      'service/s created (server dry run)',
    );
    assert.match(await k.fails('get service s'), /NotFound/);
    assert.equal(await k.ok(apply, one), 'service/s created');
    assert.equal(await k.ok(apply, one), 'service/s unchanged');
    const before = await k.json('get service s');
    const differs = await k.run('diff -f -', two);
    assert.equal(differs.code, 1, differs.stderr);
    assert.match(differs.stdout, /^\+ +targetPort: 8080$/m);
    assert.equal(
      await k.ok([...apply, '--dry-run=server'], two),
      'service/s configured (server dry run)',
    );
    assert.deepEqual(await k.json('get service s'), before);
    assert.equal(await k.ok(apply, two), 'service/s configured');
    assert.equal((await k.run('diff -f -', two)).code, 0);
    const { spec } = await k.json('get service s');
    assert.equal(spec.ports[0].targetPort, 8080);
    assert.equal(spec.clusterIP, before.spec.clusterIP);
    assert.match(
      await k.ok(
        checked('apply view-last-applied service s').filter((word) => word !== '--validate=false'),
      ),
      /targetPort: 8080/,
    );
  });

  inNamespace('applies what a route says, and takes away what it no longer says', async (k) => {
    const apply = checked('apply -f -');
    const rule = { backendRefs: [{ name: 'a', port: 80 }] };
    const first = httpRoute('r', { hostnames: ['a.test'], rules: [rule] });
    const second = httpRoute('r', { rules: [rule] });
    assert.match(await k.ok(apply, first), /httproute\S* created/);
    assert.match(await k.ok(apply, second), /httproute\S* configured/);
    const { spec, metadata } = await k.json('get httproute r');
    assert.equal(spec.hostnames, undefined);
    assert.equal(metadata.generation, 2);
  });

  inNamespace('applies on the server: managers, conflicts, force, removal', async (k) => {
    const apply = (manager: string): readonly string[] =>
      checked(`apply --server-side --field-manager=${manager} -f -`);
    assert.equal(
      await k.ok(apply('one'), configMap('c', { a: '1', b: '1' })),
      'configmap/c serverside-applied',
    );
    await k.ok(apply('two'), configMap('c', { c: '2' }));
    // Nothing said of labels is no opinion about labels.
    const withoutLabels = configMap('c', { c: '2' }).replace('"name"', '"labels":{},"name"');
    await k.ok(apply('two'), withoutLabels);
    await k.ok(apply('three'), withoutLabels);
    await k.ok(apply('three'), configMap('c', {}));
    const refused = await k.fails(apply('two'), configMap('c', { a: '2', c: '2' }));
    assert.match(refused, /Apply failed with 1 conflict: conflict with "one": \.data\.a/);
    assert.match(refused, /--force-conflicts/);
    await k.ok([...apply('two'), '--force-conflicts'], configMap('c', { a: '2', c: '2' }));
    // What both own stays until neither says it.
    await k.ok(apply('one'), configMap('c', { b: '1' }));
    assert.deepEqual((await k.json('get configmap c')).data, { a: '2', b: '1', c: '2' });
    await k.ok(apply('one'), configMap('c', {}));
    assert.deepEqual((await k.json('get configmap c')).data, { a: '2', c: '2' });
    const { metadata } = await k.json('get configmap c --show-managed-fields');
    const owners = metadata.managedFields
      .filter(({ fieldsV1 }: Loose) => fieldsV1['f:data']?.['f:a'] !== undefined)
      .map(({ manager, operation }: Loose) => `${manager} ${operation}`);
    assert.deepEqual(owners, ['two Apply']);
    const version = metadata.resourceVersion;
    await k.ok(apply('two'), configMap('c', { a: '2', c: '2' }));
    assert.equal((await k.json('get configmap c')).metadata.resourceVersion, version);
  });

  inNamespace('lets two managers own ports of one Service', async (k) => {
    const apply = (manager: string): readonly string[] =>
      checked(`apply --server-side --field-manager=${manager} -f -`);
    const names = async (): Promise<string> =>
      k.ok(['get', 'service', 's', '-o', 'jsonpath={.spec.ports[*].name}']);
    await k.ok(apply('one'), service('s', [{ name: 'a', port: 80 }]));
    await k.ok(apply('two'), service('s', [{ name: 'b', port: 81 }]));
    assert.equal(await names(), 'a b');
    await k.ok(apply('one'), service('s', [{ name: 'c', port: 82 }]));
    assert.deepEqual((await names()).split(' ').toSorted(), ['b', 'c']);
  });

  inNamespace('goes over from client-side to server-side apply and loses nothing', async (k) => {
    const wanted = service('s', [{ name: 'http', port: 80 }], { type: 'NodePort' });
    await k.ok(checked('apply -f -'), wanted);
    await k.ok('label service s extra=yes');
    const { spec } = await k.json('get service s');
    assert.equal(
      await k.ok(checked('apply --server-side -f -'), wanted),
      'service/s serverside-applied',
    );
    const after = await k.json('get service s --show-managed-fields');
    assert.deepEqual(after.spec, spec);
    assert.equal(after.metadata.labels.extra, 'yes');
    assert.ok(
      !after.metadata.managedFields.some(
        ({ manager }: Loose) => manager === 'kubectl-client-side-apply',
      ),
      'the manager of client-side apply is gone',
    );
    assert.equal((await k.run('diff --server-side -f -', wanted)).code, 0);
  });

  inNamespace('shows objects in every form', async (k, namespace) => {
    await k.ok(checked('create -f -'), configMap('b', { x: '1' }, { app: 'one' }));
    await k.ok(checked('create -f -'), configMap('a', { x: '1', z: '2' }, { app: 'two' }));
    assert.match(await k.ok('get cm'), /^NAME +DATA +AGE\na +2 +\S+\nb +1 +\S+$/);
    assert.equal(await k.ok('get cm -o name'), 'configmap/a\nconfigmap/b');
    assert.match(
      await k.ok('get cm a -o yaml'),
      /^data:\n {2}x: "1"\n {2}z: "2"\nkind: ConfigMap\n/m,
    );
    assert.equal((await k.json('get cm')).kind, 'List');
    assert.equal(await k.ok(['get', 'cm', '-o', 'jsonpath={.items[*].metadata.name}']), 'a b');
    assert.match(await k.ok('get cm --show-labels'), /^a +2 +\S+ +app=two$/m);
    assert.match(await k.ok('get cm -L app'), /^NAME +DATA +AGE +APP\na .*two\n/);
    assert.match(await k.ok('get cm --sort-by=.metadata.labels.app --no-headers'), /^b [^]*\na /);
    assert.match(
      await k.ok('get cm -o custom-columns=N:.metadata.name,L:.metadata.labels.app'),
      /^N +L\na +two\nb +one$/,
    );
    assert.equal(
      await k.ok(['get', 'cm', '-o', 'go-template={{range .items}}{{.metadata.name}};{{end}}']),
      'a;b;',
    );
    assert.match(await kubectl.ok('get cm -A'), new RegExp(`^${namespace} +a +2 `, 'm'));
    assert.match(
      await k.fails('get cm c'),
      /Error from server \(NotFound\): configmaps "c" not found/,
    );
    assert.equal(await k.ok('get cm c --ignore-not-found'), '');
    assert.match(await k.ok('get cm,secrets'), /configmap\/a/);
    assert.match(await k.ok(`get namespace ${namespace}`), /^NAME +STATUS +AGE\nt\d+ +Active +/);
    assert.match(
      await kubectl.ok('get service shop -o wide'),
      /SELECTOR\nshop +ClusterIP .* app=shop$/,
    );
    assert.match(
      await kubectl.ok('get gateway'),
      /^NAME +CLASS +ADDRESS +PROGRAMMED +AGE\nweb +fairway +127\.\S+ +True/,
    );
    assert.match(await kubectl.ok('get httproute -n default'), /^NAME +HOSTNAMES +AGE/);
    assert.match(
      await kubectl.ok('get pods -n default -o wide'),
      /READINESS GATES\nshop-\S+ +1\/1 +Running/,
    );
  });

  inNamespace('selects by labels and fields', async (k) => {
    for (const [name, labels] of Object.entries({
      a: { app: 'x', tier: '1' },
      b: { app: 'y', tier: '2' },
      c: { app: 'x' },
      d: {},
    })) {
      await k.ok(checked('create -f -'), configMap(name, {}, labels));
    }
    const names = async (selector: string): Promise<string> =>
      (await k.ok(['get', 'cm', '-o', 'name', '-l', selector])).replaceAll('configmap/', '');
    assert.equal(await names('app=x'), 'a\nc');
    assert.equal(await names('app==x,tier=1'), 'a');
    assert.equal(await names('app!=x'), 'b\nd');
    assert.equal(await names('app in (x, y),tier'), 'a\nb');
    assert.equal(await names('app notin (x)'), 'b\nd');
    assert.equal(await names('!app'), 'd');
    assert.equal(await names('tier>1'), 'b');
    assert.match(await k.fails(['get', 'cm', '-l', 'a b']), /unable to parse/);
    assert.equal(await k.ok('get cm -o name --field-selector metadata.name=b'), 'configmap/b');
    assert.equal(
      await k.ok('get cm -o name --field-selector metadata.name!=b,metadata.name!=d'),
      'configmap/a\nconfigmap/c',
    );
    assert.match(
      await k.fails('get cm --field-selector data.x=1'),
      /field label not supported: data\.x/,
    );
    const running = 'get pods -n default -o name --field-selector status.phase=Running';
    assert.match(await kubectl.ok(running), /^pod\/shop-/);
  });

  inNamespace('watches', async (k) => {
    await k.ok('create configmap a --from-literal=x=1');
    const all = k.follow('get cm -w');
    const only = k.follow('get cm --watch-only --output-watch-events');
    try {
      await until(() => all.lines().length === 2, 'the list of the watch');
      await k.ok('create configmap b');
      await until(() => only.lines().some((line) => line.includes('ADDED')), 'the watch');
      await k.ok('label configmap b x=y');
      await k.ok('delete configmap b');
      await until(() => only.lines().length === 4 && all.lines().length === 5, 'all events');
      assert.deepEqual(
        only.lines().map((line) => line.split(/ +/)[0]),
        ['EVENT', 'ADDED', 'MODIFIED', 'DELETED'],
      );
      assert.match(all.lines()[0] ?? '', /^NAME +DATA +AGE$/);
      assert.match(all.lines()[1] ?? '', /^a +1 +/);
      for (const line of all.lines().slice(2)) assert.match(line, /^b +0 +/);
    } finally {
      await all.stop();
      await only.stop();
    }
  });

  it('describes', async () => {
    assert.match(
      await kubectl.ok('describe service shop'),
      /Endpoints: +127\.2\d\d\.\d+\.\d+:3000\n/,
    );
    assert.match(await kubectl.ok('describe gateway web'), /Type: +Programmed\n/);
    assert.match(await kubectl.ok('describe httproute shop'), /Type: +Accepted\n/);
    assert.match(await kubectl.ok('describe deployment shop'), /1 desired \| 1 updated \| 1 total/);
    assert.match(await kubectl.ok('describe pod -l app=shop'), /^Status: +Running$/m);
    assert.match(await kubectl.ok('describe namespace default'), /^Status: +Active$/m);
    assert.match(await kubectl.ok('describe node fairway'), /^Name: +fairway$/m);
  });

  inNamespace('patches in three ways, and the status', async (k) => {
    await k.ok(checked('create -f -'), service('s', [{ name: 'a', port: 80 }]));
    const patch = (patch: object | string, ...more: readonly string[]): readonly string[] => [
      'patch',
      'service',
      's',
      '-p',
      typeof patch === 'string' ? patch : JSON.stringify(patch),
      ...more,
    ];
    const ports = [{ name: 'b', port: 81 }];
    assert.equal(await k.ok(patch({ spec: { ports } })), 'service/s patched');
    assert.equal((await k.json('get service s')).spec.ports.length, 2, 'strategic: merged');
    assert.equal(await k.ok(patch({ spec: { ports } })), 'service/s patched (no change)');
    await k.ok(patch({ spec: { ports } }, '--type=merge'));
    assert.equal((await k.json('get service s')).spec.ports.length, 1, 'merge: replaced');
    await k.ok(
      patch([{ op: 'replace', path: '/spec/ports/0/port', value: 82 }] as object, '--type=json'),
    );
    assert.equal((await k.json('get service s')).spec.ports[0].port, 82);
    assert.match(
      await k.fails(
        patch([{ op: 'test', path: '/spec/ports/0/port', value: 1 }] as object, '--type=json'),
      ),
      /the server rejected our request|testing .* failed|test failed|Invalid/i,
    );
    const ingress = [{ ip: '192.0.2.1' }];
    await k.ok(patch({ status: { loadBalancer: { ingress } } }));
    assert.notDeepEqual((await k.json('get service s')).status?.loadBalancer, { ingress });
    await k.ok(patch({ spec: { type: 'LoadBalancer' } }));
    await k.ok(checked('create -f -'), httpRoute('r', {}));
    assert.match(
      await k.fails(['patch', 'httproute', 'r', '--type=strategic', '-p', '{"spec":{}}']),
      /strategic-merge-patch\+json is not supported by gateway\.networking\.k8s\.io\/v1, Kind=HTTPRoute/,
    );
    const status = { conditions: [], parents: [] };
    assert.match(
      await k.ok([
        'patch',
        'httproute',
        'r',
        '--type=merge',
        '--subresource=status',
        '-p',
        JSON.stringify({ status, spec: { hostnames: ['x.test'] } }),
      ]),
      /patched/,
    );
    const after = await k.json('get httproute r');
    assert.equal(after.spec.hostnames, undefined);
    assert.equal(after.metadata.generation, 1);
  });

  inNamespace('edits', async (k, namespace) => {
    await k.ok('create configmap a --from-literal=color=red');
    const edit = checked('edit configmap a');
    const env = { EDITOR: 'sed -i s/red/blue/' };
    assert.equal(await k.ok(edit, '', env), 'configmap/a edited');
    assert.equal((await k.json('get cm a')).data.color, 'blue');
    const same = await k.run(edit, '', { EDITOR: 'true' });
    assert.match(same.stdout + same.stderr, /Edit cancelled, no changes made/);
    const scaled = await k.run(['edit', 'namespace', namespace, ...unchecked], '', {
      EDITOR: 'sed -i s/^kind/#/',
    });
    assert.notEqual(scaled.code, 0);
  });

  inNamespace('labels and annotates', async (k) => {
    await k.ok('create configmap a');
    assert.equal(await k.ok('label configmap a x=1'), 'configmap/a labeled');
    assert.match(
      await k.fails('label configmap a x=2'),
      /already has a value \(1\), and --overwrite is false/,
    );
    assert.equal(await k.ok('label configmap a x=2 --overwrite'), 'configmap/a labeled');
    assert.equal(await k.ok('label configmap a x=2'), 'configmap/a not labeled');
    assert.equal(await k.ok('label configmap a x-'), 'configmap/a unlabeled');
    assert.equal((await k.json('get cm a')).metadata.labels, undefined);
    assert.equal(
      await k.ok(['annotate', 'configmap', 'a', 'note=some words']),
      'configmap/a annotated',
    );
    assert.equal((await k.json('get cm a')).metadata.annotations.note, 'some words');
    assert.equal(await k.ok('annotate configmap a note-'), 'configmap/a annotated');
    assert.match(await k.fails('label configmap a x=-'), /Invalid value|a valid label must/i);
  });

  inNamespace('scales, rolls out, goes back, waits', async (k) => {
    await k.ok(`create deployment d --image=${ECHO_IMAGE} --port=3000`);
    assert.match(await k.ok(`rollout status deployment/d ${TIMEOUT}`), /successfully rolled out$/);
    assert.match(
      await k.ok(`wait --for=condition=Available deployment/d ${TIMEOUT}`),
      /condition met$/,
    );
    assert.equal(await k.ok('scale deployment d --replicas=2'), 'deployment.apps/d scaled');
    assert.match(
      await k.ok(['wait', '--for=jsonpath={.status.readyReplicas}=2', 'deployment/d', TIMEOUT]),
      /condition met$/,
    );
    assert.match(
      await k.fails('scale deployment d --replicas=3 --current-replicas=7'),
      /Expected replicas to be 7, was 2/,
    );
    assert.equal(await k.ok('rollout restart deployment/d'), 'deployment.apps/d restarted');
    await k.ok(`rollout status deployment/d ${TIMEOUT}`);
    assert.match(await k.ok('rollout history deployment/d'), /^1 +<none>\n2 +<none>$/m);
    assert.equal(await k.ok('rollout undo deployment/d'), 'deployment.apps/d rolled back');
    await k.ok(`rollout status deployment/d ${TIMEOUT}`);
    assert.match(await k.ok('rollout history deployment/d'), /^2 +<none>\n3 +<none>$/m);
    assert.equal(await k.ok('rollout pause deployment/d'), 'deployment.apps/d paused');
    assert.equal(await k.ok('rollout resume deployment/d'), 'deployment.apps/d resumed');
    assert.equal(await k.ok('delete deployment d'), 'deployment.apps "d" deleted');
    assert.match(
      await k.run(`wait --for=delete pod -l app=d ${TIMEOUT}`).then((o) => o.stdout + o.stderr),
      /^$|condition met|no matching resources/,
    );
    await until(async () => (await k.ok('get replicaset,pod -o name')) === '', 'everything gone');
  });

  inNamespace('deletes with finalizers, and waits for it', async (k) => {
    await k.ok('create configmap a');
    await k.ok([
      'patch',
      'cm',
      'a',
      '--type=merge',
      '-p',
      '{"metadata":{"finalizers":["example.test/hold"]}}',
    ]);
    assert.equal(await k.ok('delete cm a --wait=false'), 'configmap "a" deleted');
    assert.ok((await k.json('get cm a')).metadata.deletionTimestamp, 'still there');
    const waiting = k.ok(`wait --for=delete cm/a ${TIMEOUT}`);
    await k.ok(['patch', 'cm', 'a', '--type=merge', '-p', '{"metadata":{"finalizers":null}}']);
    assert.match(await waiting, /^(?:configmap\/a condition met)?$/);
    assert.match(await k.fails('get cm a'), /NotFound/);
    assert.match(await k.fails('delete cm a'), /NotFound/);
    assert.equal(await k.ok('delete cm a --ignore-not-found'), '');
  });

  inNamespace('deletes by label, all, and dry', async (k) => {
    for (const name of ['a', 'b', 'c']) {
      await k.ok(checked('create -f -'), configMap(name, {}, { one: name === 'a' ? 'y' : 'n' }));
    }
    assert.equal(
      await k.ok('delete cm a --dry-run=server'),
      'configmap "a" deleted (server dry run)',
    );
    assert.equal(await k.ok('delete cm -l one=y'), 'configmap "a" deleted');
    assert.equal(await k.ok('delete cm --all'), 'configmap "b" deleted\nconfigmap "c" deleted');
    assert.equal(await k.ok('get cm -o name'), '');
  });

  inNamespace('deletes with orphans, in the foreground, in the background', async (k) => {
    for (const [name, cascade] of [
      ['o', 'orphan'],
      ['f', 'foreground'],
      ['b', 'background'],
    ]) {
      await k.ok(`create deployment ${name} --image=${ECHO_IMAGE}`);
      await k.ok(`rollout status deployment/${name} ${TIMEOUT}`);
      await k.ok(`delete deployment ${name} --cascade=${cascade} ${TIMEOUT}`);
      await until(async () => (await k.ok('get deployment -o name')) === '', 'the deployment gone');
    }
    await until(async () => (await k.ok('get rs -o name -l app!=o')) === '', 'ReplicaSets gone');
    const left = (await k.json('get rs')).items;
    assert.equal(left.length, 1);
    assert.equal(left[0].metadata.ownerReferences, undefined, 'nobody owns the orphan');
    await until(async () => (await k.ok('get pods -o name -l app!=o')) === '', 'pods gone');
    assert.match(await k.ok('get pods -o name -l app=o'), /^pod\/o-/);
    await k.ok('delete rs --all');
    await k.ok('delete pods --all --grace-period=0 --force');
    await until(async () => (await k.ok('get pods -o name')) === '', 'the pods gone');
  });

  inNamespace('replaces', async (k) => {
    await k.ok('create configmap a --from-literal=x=1');
    const before = await k.json('get cm a');
    assert.equal(
      await k.ok(checked('replace -f -'), configMap('a', { y: '2' })),
      'configmap/a replaced',
    );
    const after = await k.json('get cm a');
    assert.deepEqual(after.data, { y: '2' });
    assert.equal(after.metadata.uid, before.metadata.uid);
    assert.match(
      await k.fails(checked('replace -f -'), JSON.stringify(before)),
      /Error from server \(Conflict\).*the object has been modified; please apply your changes to the latest version and try again/,
    );
    const forced = await k.ok(checked('replace --force -f -'), configMap('a', { z: '3' }));
    assert.match(forced, /"a" deleted\nconfigmap\/a replaced/);
    assert.notEqual((await k.json('get cm a')).metadata.uid, before.metadata.uid);
    assert.match(await k.fails(checked('replace -f -'), configMap('none', {})), /NotFound/);
  });

  inNamespace('shows events', async (k, namespace) => {
    const event = {
      apiVersion: 'v1',
      kind: 'Event',
      metadata: { name: 'a.1' },
      involvedObject: { apiVersion: 'v1', kind: 'ConfigMap', name: 'a', namespace },
      type: 'Warning',
      reason: 'Tested',
      message: 'something was tested',
      lastTimestamp: new Date().toISOString().replace(/\.\d+/, ''),
      count: 1,
    };
    await k.ok('create configmap a');
    const { uid } = (await k.json('get configmap a')).metadata;
    Object.assign(event.involvedObject, { uid });
    await k.ok(checked('create -f -'), JSON.stringify(event));
    assert.match(await k.ok('events'), /Warning +Tested +ConfigMap\/a +something was tested/);
    assert.match(await k.ok('events --for configmap/a --types=Warning'), /Tested/);
    assert.match(await k.ok('get events'), /Warning +Tested +configmap\/a +something was tested/);
    assert.match(await k.ok('describe configmap a'), /Warning +Tested .*something was tested/);
    assert.match(
      await k.ok('get events --field-selector involvedObject.name=a -o name'),
      /event\/a\.1/,
    );
    assert.equal(await k.ok('get events --field-selector type=Normal -o name'), '');
  });

  inNamespace('lists what is wrong with an object', async (k) => {
    const wrong = httpRoute('R_', {
      hostnames: ['*.*.test'],
      rules: [{ matches: [{ path: { type: 'PathPrefix', value: 'nope' } }] }],
    });
    const text = await k.fails(checked('create -f -'), wrong);
    assert.match(text, /^The HTTPRoute "R_" is invalid: ?\n(?:\* \S.*\n?){2,}$/);
    assert.match(text, /^\* metadata\.name: Invalid value: "R_": a lowercase RFC 1123/m);
    assert.match(text, /^\* spec\.hostnames\[0\]: Invalid value: "\*\.\*\.test"/m);
    const service = await k.fails(
      checked('create -f -'),
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 's' },
        spec: { ports: [{ port: 0 }] },
      }),
    );
    assert.match(
      service,
      /^\* spec\.ports\[0\]\.port: Invalid value: 0: must be between 1 and 65535, inclusive$/m,
    );
    const { code, stderr } = await k.run(
      checked('create -f -'),
      '{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"x"},"data":{"a":1}}',
    );
    assert.equal(code, 1);
    assert.match(stderr, /data/);
  });

  inNamespace('refuses unknown fields when asked to, and warns of them', async (k, _, test) => {
    if (!hasOpenApi) return test.skip('there is no OpenAPI yet, which kubectl checks fields with');
    const odd = configMap('a', {}).replace('"data"', '"colour":"red","data"');
    assert.match(
      await k.fails('create -f -', odd),
      /strict decoding error: unknown field "colour"/,
    );
    const { code, stderr } = await k.run('create --validate=warn -f -', odd);
    assert.equal(code, 0, stderr);
    assert.match(stderr, /Warning: unknown field "colour"/);
    assert.equal(await k.ok('apply --validate=ignore -f -', odd), 'configmap/a configured');
    assert.equal((await k.json('get cm a')).colour, undefined);
  });

  it('explains fields', async (test) => {
    if (!hasOpenApi)
      return test.skip('there is no OpenAPI yet, which kubectl explains fields with');
    const text = await kubectl.ok('explain httproute.spec.rules');
    assert.match(text, /^FIELD: rules <\[\]/m);
    assert.match(text, /backendRefs/);
  });

  it('deletes a namespace with everything in it', async () => {
    await kubectl.ok('create namespace gone');
    await kubectl.ok('-n gone create configmap a');
    await kubectl.ok(`-n gone create deployment d --image=${ECHO_IMAGE}`);
    await kubectl.ok('-n gone create service clusterip s --tcp=80');
    await kubectl.ok(`-n gone rollout status deployment/d ${TIMEOUT}`);
    assert.equal(await kubectl.ok(`delete namespace gone ${TIMEOUT}`), 'namespace "gone" deleted');
    assert.match(await kubectl.fails('get namespace gone'), /NotFound/);
    const all = 'get configmaps,deployments,replicasets,pods,services,endpointslices -o name';
    assert.equal(await kubectl.ok(`-n gone ${all}`), '');
    await kubectl.ok('create namespace gone');
    assert.equal(await kubectl.ok('-n gone get cm -o name'), '');
  });

  inNamespace('lists in chunks', async (k) => {
    const names = Array.from({ length: 7 }, (_, i) => `c${i}`);
    await k.ok(checked('create -f -'), names.map((name) => configMap(name, {})).join('\n'));
    const { stdout, stderr } = await k.run('get cm --chunk-size=3 -o name -v=6');
    assert.deepEqual(
      stdout.trim().split('\n'),
      names.map((name) => `configmap/${name}`),
    );
    assert.equal(stderr.match(/GET \S+configmaps\?\S*limit=3 200/g)?.length, 3, stderr);
    const table = await k.ok('get cm --chunk-size=2 --no-headers');
    assert.equal(table.split('\n').length, 7);
  });

  it('is told where an object is written that is in a file', async () => {
    const place = /shop\.yaml:\d+/;
    const refused = /Error from server \(Forbidden\)/;
    for (const words of [
      'label service shop x=y',
      'delete httproute shop --wait=false',
      'scale deployment shop --replicas=3',
      'annotate gateway web a=b',
    ]) {
      const text = await kubectl.fails(words);
      assert.match(text, refused);
      assert.match(text, place);
    }
    const other = JSON.stringify({
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'web', namespace: 'default' },
      spec: { gatewayClassName: 'other', listeners: [{ name: 'a', port: 81, protocol: 'HTTP' }] },
    });
    const text = await kubectl.fails(checked('apply -f -'), other);
    assert.match(text, place);
    assert.match(
      await kubectl.fails(checked('apply --server-side --force-conflicts -f -'), other),
      place,
    );
  });

  inNamespace('prunes what is no longer in a set', async (k) => {
    const apply = [
      ...checked('apply -f - --prune -l set=one'),
      '--prune-allowlist=core/v1/ConfigMap',
      '--prune-allowlist=core/v1/Service',
    ];
    const labels = { set: 'one' };
    await k.ok(apply, [configMap('a', {}, labels), configMap('b', {}, labels)].join('\n'));
    await k.ok('create configmap other');
    const said = await k.ok(apply, configMap('a', {}, labels));
    assert.match(said, /configmap\/a unchanged/);
    assert.match(said, /configmap\/b pruned/);
    assert.equal(await k.ok('get cm -o name'), 'configmap/a\nconfigmap/other');
  });

  inNamespace('applies a folder and a kustomization', async (k) => {
    const files = folder({
      'kustomization.yaml': 'resources: [a.yaml]\nnamePrefix: my-\n',
      'a.yaml': configMap('a', { x: '1' }),
    });
    try {
      const words = ['apply', '-k', files.path, ...unchecked];
      assert.equal(await k.ok(words), 'configmap/my-a created');
      assert.equal(await k.ok(words), 'configmap/my-a unchanged');
      assert.equal(await k.ok(['delete', '-k', files.path]), 'configmap "my-a" deleted');
    } finally {
      files.remove();
    }
  });

  inNamespace('creates with a generated name', async (k) => {
    const body = configMap('', {}).replace('"name":""', '"generateName":"job-"');
    assert.match(await k.ok(checked('create -f -'), body), /^configmap\/job-[a-z0-9]{5} created$/);
  });
});
