import assert from 'node:assert/strict';
import { test } from 'node:test';
import { podSources } from '../pod/sources.ts';
import { configMap, pod, secret, service, snapshotOf, the } from '../testing.ts';
import type { PodSketch } from '../testing.ts';
import { containerVariables } from './variables.ts';

const PLACEMENT = {
  podIp: '127.244.0.5',
  hostIp: '127.0.0.1',
  cpus: 4,
  memoryBytes: 1024 ** 3,
};

const SNAPSHOT = snapshotOf(
  configMap('settings', { COLOR: 'red', 'log.level': 'debug' }),
  secret('login', { user: 'ada', password: '$(COLOR)' }),
  service('api', { clusterIP: '127.96.0.1', ports: [{ port: 80 }] }),
  service('kubernetes', { clusterIP: '127.96.0.2', ports: [{ name: 'https', port: 443 }] }),
);

/** The variables of a container, without service links unless the pod wants them, or what is missing. */
function variablesOf(
  container: Record<string, unknown>,
  sketch: PodSketch = {},
): Record<string, string> | string {
  const spec = { enableServiceLinks: false, ...sketch.spec };
  const subject = pod({ ...sketch, container, spec });
  const sources = podSources(subject, SNAPSHOT, PLACEMENT);
  const result = containerVariables(the(subject.spec.containers[0]), sources);
  if (!result.ok) return result.message;
  const own = [...result.variables].filter(([name]) => !name.startsWith('KUBERNETES_'));
  return Object.fromEntries(own);
}

test('a value may refer to variables defined before it, and not to later ones', () => {
  const env = [
    { name: 'A', value: 'a' },
    { name: 'B', value: '$(A)-$(C)' },
    { name: 'C', value: 'c' },
  ];
  assert.deepEqual(variablesOf({ env }), { A: 'a', B: 'a-$(C)', C: 'c' });
});

test('envFrom gives all keys with a prefix, and env overrides them', () => {
  const envFrom = [
    { configMapRef: { name: 'settings' }, prefix: 'CFG_' },
    { secretRef: { name: 'login' } },
  ];
  const env = [
    { name: 'CFG_COLOR', value: 'blue' },
    { name: 'WHO', value: '$(user) likes $(CFG_COLOR)' },
  ];
  assert.deepEqual(variablesOf({ envFrom, env }), {
    CFG_COLOR: 'blue',
    'CFG_log.level': 'debug',
    user: 'ada',
    password: '$(COLOR)',
    WHO: 'ada likes blue',
  });
});

test('values come from keys, fields and resources', () => {
  const env = [
    { name: 'USER_NAME', valueFrom: { secretKeyRef: { name: 'login', key: 'user' } } },
    { name: 'COLOR', valueFrom: { configMapKeyRef: { name: 'settings', key: 'COLOR' } } },
    { name: 'POD_IP', valueFrom: { fieldRef: { fieldPath: 'status.podIP' } } },
    { name: 'CPUS', valueFrom: { resourceFieldRef: { resource: 'limits.cpu' } } },
    { name: 'URL', value: 'http://$(POD_IP):8080' },
  ];
  assert.deepEqual(variablesOf({ env, resources: { limits: { cpu: '2' } } }), {
    USER_NAME: 'ada',
    COLOR: 'red',
    POD_IP: '127.244.0.5',
    CPUS: '2',
    URL: 'http://127.244.0.5:8080',
  });
});

test('what is optional may be missing', () => {
  const env = [
    { name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'k', optional: true } } },
    {
      name: 'B',
      valueFrom: { configMapKeyRef: { name: 'settings', key: 'none', optional: true } },
    },
  ];
  const envFrom = [{ configMapRef: { name: 'none', optional: true } }];
  assert.deepEqual(variablesOf({ env, envFrom }), {});
});

const MISSING: readonly (readonly [
  name: string,
  container: Record<string, unknown>,
  message: string,
])[] = [
  [
    'a missing Secret',
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'none', key: 'k' } } }] },
    'secret "none" not found',
  ],
  [
    'a missing key of a Secret',
    { env: [{ name: 'A', valueFrom: { secretKeyRef: { name: 'login', key: 'none' } } }] },
    "couldn't find key none in Secret default/login",
  ],
  [
    'a missing ConfigMap',
    { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'none', key: 'k' } } }] },
    'configmap "none" not found',
  ],
  [
    'a missing key of a ConfigMap',
    { env: [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none' } } }] },
    "couldn't find key none in ConfigMap default/settings",
  ],
  [
    'a missing source of envFrom',
    { envFrom: [{ secretRef: { name: 'none' } }] },
    'secret "none" not found',
  ],
];

for (const [name, container, message] of MISSING) {
  test(`${name} is told in the words of kubelet`, () => {
    assert.equal(variablesOf(container), message);
  });
}

test('services of the namespace are linked, and env and envFrom win over them', () => {
  const env = [
    { name: 'API_SERVICE_PORT', value: 'mine' },
    { name: 'URL', value: 'http://$(API_SERVICE_HOST)' },
  ];
  const found = variablesOf({ env }, { spec: { enableServiceLinks: true } });
  assert.ok(typeof found === 'object');
  assert.equal(found['API_SERVICE_HOST'], '127.96.0.1');
  assert.equal(found['API_SERVICE_PORT'], 'mine');
  assert.equal(found['URL'], 'http://127.96.0.1');
});

test('the API server is linked in every namespace, also without service links', () => {
  const subject = pod({ namespace: 'shop', spec: { enableServiceLinks: false } });
  const sources = podSources(subject, SNAPSHOT, PLACEMENT);
  const result = containerVariables(the(subject.spec.containers[0]), sources);
  assert.ok(result.ok);
  assert.equal(result.variables.get('KUBERNETES_SERVICE_HOST'), '127.96.0.2');
  assert.equal(result.variables.has('API_SERVICE_HOST'), false);
});
