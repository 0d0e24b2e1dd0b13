import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Finding } from '../api/finding.ts';
import type { KubeObject } from '../api/kind.ts';
import { podFindings } from './findings.ts';
import type { PodFindingsOptions } from './findings.ts';
import { configMap, pod, secret, snapshotOf, the } from './testing.ts';
import type { PodSketch } from './testing.ts';

const RUNS = { command: ['node', 'server.js'] };

function findingsOf(
  objects: readonly KubeObject[],
  options: Partial<PodFindingsOptions> = {},
): readonly Finding[] {
  return podFindings(snapshotOf(...objects), {
    images: [],
    locate: () => undefined,
    workingDir: '/folder',
    isDirectory: () => true,
    ...options,
  });
}

function one(sketch: PodSketch, ...objects: readonly KubeObject[]): Finding {
  const findings = findingsOf([pod(sketch), ...objects]);
  assert.equal(findings.length, 1, JSON.stringify(findings));
  return the(findings[0]);
}

test('a pod that can run gives nothing to say', () => {
  assert.deepEqual(findingsOf([pod({ container: RUNS })]), []);
});

test('an unknown image names the three ways out and the field', () => {
  const finding = one({ container: { image: 'example.com/app:1' } });
  assert.deepEqual([finding.severity, finding.reason], ['error', 'UnknownImage']);
  assert.deepEqual(finding.origin, {
    object: { kind: 'Pod', namespace: 'default', name: 'web' },
    field: 'spec.containers[0].image',
  });
  for (const way of ['example.com/app:1', 'fairway.dev/command', 'fairway.dev/address', 'echo']) {
    assert.ok((finding.message + finding.hint).includes(way), way);
  }
});

test('an image the configuration maps is known', () => {
  const images = [{ image: 'example.com/*', command: 'true' }];
  assert.deepEqual(findingsOf([pod()], { images }), []);
});

test('replicas have one finding, on the object the user wrote', () => {
  const object = { kind: 'Deployment', namespace: 'default', name: 'web' };
  const findings = findingsOf([pod({ name: 'web-a' }), pod({ name: 'web-b' })], {
    writtenIn: () => ({ object, prefix: 'spec.template.' }),
  });
  assert.deepEqual(
    findings.map(({ origin }) => origin),
    [{ object, field: 'spec.template.spec.containers[0].image' }],
  );
});

test('a pod that has ended is not spoken of', () => {
  assert.deepEqual(findingsOf([pod({ status: { phase: 'Failed' } })]), []);
});

test('an annotation that means nobody is named', () => {
  const finding = one({ container: RUNS, annotations: { 'fairway.dev/command.wbe': 'x' } });
  assert.equal(finding.reason, 'InvalidAnnotation');
  assert.equal(finding.origin.field, 'metadata.annotations[fairway.dev/command.wbe]');
});

test('a folder that is not there is named', () => {
  const findings = findingsOf([pod({ container: RUNS })], { isDirectory: () => false });
  assert.deepEqual(
    findings.map(({ reason }) => reason),
    ['CannotRun'],
  );
});

test('a missing Secret of a volume and a missing key of a variable are named before anything runs', () => {
  const volumes = [{ name: 'v', secret: { secretName: 'none' } }];
  const mount = one({ container: RUNS, spec: { volumes } });
  assert.deepEqual([mount.reason, mount.origin.field], ['FailedMount', 'spec.volumes[0]']);
  assert.match(mount.message, /secret "none" not found/);

  const env = [{ name: 'A', valueFrom: { configMapKeyRef: { name: 'settings', key: 'none' } } }];
  const variable = one({ container: { ...RUNS, env } }, configMap('settings', { other: 'x' }));
  assert.deepEqual(
    [variable.reason, variable.origin.field],
    ['CreateContainerConfigError', 'spec.containers[0].env'],
  );
  assert.match(variable.message, /couldn't find key none in ConfigMap default\/settings/);
});

test('what is there is not missed', () => {
  const volumes = [{ name: 'v', secret: { secretName: 'login' } }];
  const objects = [pod({ container: RUNS, spec: { volumes } }), secret('login', { user: 'ada' })];
  assert.deepEqual(findingsOf(objects), []);
});

test('a mounted file that names a mount path is told, and one that does not is not', () => {
  const conf = 'listen 8443 ssl;\nssl_certificate /etc/tls/tls.crt;\n';
  const sketch = (name: string, text: string): readonly KubeObject[] => [
    pod({
      name,
      container: {
        ...RUNS,
        volumeMounts: [
          { name: 'conf', mountPath: '/etc/nginx' },
          { name: 'tls', mountPath: '/etc/tls' },
        ],
      },
      spec: {
        volumes: [
          { name: 'conf', configMap: { name } },
          { name: 'tls', emptyDir: {} },
        ],
      },
    }),
    configMap(name, { 'nginx.conf': text }),
  ];
  const [finding, ...others] = findingsOf([
    ...sketch('web', conf),
    ...sketch('fine', 'root /etc/tlsx;'),
  ]);
  assert.deepEqual(others, []);
  assert.equal(finding?.reason, 'MountPathInFile');
  assert.match(the(finding).message, /file nginx\.conf names \/etc\/tls,/);
  assert.equal(the(finding).origin.field, 'spec.volumes[0]');
});

const crashed = (state: unknown, lastState: unknown, restartCount = 4): PodSketch => ({
  container: RUNS,
  status: {
    phase: 'Running',
    containerStatuses: [
      {
        name: 'main',
        state,
        lastState: { terminated: lastState },
        ready: false,
        restartCount,
        image: 'x',
        imageID: '',
      },
    ],
  },
});

test('a crash loop tells how the container ended and its last line', () => {
  const finding = one(
    crashed(
      { waiting: { reason: 'CrashLoopBackOff' } },
      { exitCode: 1, message: 'starting\nError: no database\n' },
    ),
  );
  assert.equal(finding.reason, 'CrashLooping');
  assert.match(
    finding.message,
    /container main ended 5 times, last with exit code 1: Error: no database$/,
  );
  const killed = one(
    crashed({ waiting: { reason: 'CrashLoopBackOff' } }, { exitCode: 137, signal: 9 }),
  );
  assert.match(killed.message, /last with signal 9$/);
});

test('a crash of Node.js is told by its error, not by the version below it', () => {
  const message = [
    '/app/server.js:1',
    "throw new TypeError('no database')",
    '^',
    '',
    'TypeError: no database',
    '    at Object.<anonymous> (/app/server.js:1:7)',
    '',
    'Node.js v20.20.2',
    '',
  ].join('\n');
  const finding = one(
    crashed({ waiting: { reason: 'CrashLoopBackOff' } }, { exitCode: 1, message }),
  );
  assert.match(finding.message, /exit code 1: TypeError: no database$/);
});

test('a port that is taken inside of a pod is told with how to listen', () => {
  const { hint = '' } = one(
    crashed(
      { waiting: { reason: 'CrashLoopBackOff' } },
      { exitCode: 1, message: 'OSError: [Errno 98] Address already in use' },
    ),
  );
  assert.match(hint, /\$\(FAIRWAY_POD_IP\).* fairway logs /);
});

test('a command that is not there is told with what to do', () => {
  const message = 'exec: "gunicorn": executable file not found in $PATH';
  const finding = one(
    crashed(
      { waiting: { reason: 'RunContainerError', message } },
      { exitCode: 128, reason: 'StartError', message },
    ),
  );
  assert.equal(finding.reason, 'CommandNotFound');
  assert.ok(finding.message.includes(message));
  assert.equal(finding.origin.field, 'spec.containers[0].command');
});

test('a command that may not be run is not said to be missing', () => {
  const message = 'exec: "./run": permission denied';
  const { hint = '' } = one(
    crashed(
      { waiting: { reason: 'RunContainerError', message } },
      { exitCode: 128, reason: 'StartError', message },
    ),
  );
  assert.match(hint, /chmod \+x/);
  assert.doesNotMatch(hint, /Install/);
});

test('a command of an annotation is told of there', () => {
  const message = 'exec: "gunicorn": executable file not found in $PATH';
  const { hint = '', origin } = one({
    ...crashed(
      { waiting: { reason: 'RunContainerError', message } },
      { exitCode: 128, reason: 'StartError', message },
    ),
    annotations: { 'fairway.dev/command': 'gunicorn' },
  });
  assert.equal(origin.field, 'metadata.annotations[fairway.dev/command]');
  assert.match(hint, /annotation fairway\.dev\/command names the command/);
});

test('a container that runs again is not spoken of', () => {
  assert.deepEqual(findingsOf([pod(crashed({ running: {} }, { exitCode: 1 }))]), []);
});

const UNSUPPORTED: readonly (readonly [
  name: string,
  sketch: PodSketch,
  field: string,
  message: RegExp,
])[] = [
  [
    'limits',
    { container: { ...RUNS, resources: { limits: { cpu: '1' } } } },
    'spec.containers[0].resources.limits',
    /not enforced/,
  ],
  [
    'identity',
    { container: RUNS, spec: { securityContext: { runAsUser: 1000 } } },
    'spec.securityContext',
    /user who started Fairway/,
  ],
  [
    'identity of a container',
    { container: { ...RUNS, securityContext: { privileged: true } } },
    'spec.containers[0].securityContext',
    /user who started Fairway/,
  ],
  [
    'a claim',
    {
      container: RUNS,
      spec: { volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }] },
    },
    'spec.volumes[0]',
    /folder that Fairway keeps/,
  ],
  [
    'a foreign volume',
    { container: RUNS, spec: { volumes: [{ name: 'v', nfs: { server: 's', path: '/' } }] } },
    'spec.volumes[0]',
    /cannot be mounted/,
  ],
  [
    'a token',
    {
      container: RUNS,
      spec: {
        serviceAccountName: 'web',
        volumes: [{ name: 'v', projected: { sources: [{ serviceAccountToken: { path: 't' } }] } }],
      },
    },
    'spec.volumes[0]',
    /only a cluster issues/,
  ],
  [
    'memory',
    { container: RUNS, spec: { volumes: [{ name: 'v', emptyDir: { medium: 'Memory' } }] } },
    'spec.volumes[0]',
    /folder on disk/,
  ],
  [
    'a port of the node',
    { container: { ...RUNS, ports: [{ containerPort: 80, hostPort: 80 }] } },
    'spec.containers[0].ports',
    /hostPort/,
  ],
  ['a terminal', { container: { ...RUNS, tty: true } }, 'spec.containers[0].stdin', /no terminal/],
  [
    'shared processes',
    { container: RUNS, spec: { hostPID: true } },
    'spec.hostPID',
    /share the processes/,
  ],
  [
    'aliases',
    { container: RUNS, spec: { hostAliases: [{ ip: '127.0.0.1', hostnames: ['a'] }] } },
    'spec.hostAliases',
    /resolver of this machine/,
  ],
  [
    'a runtime class',
    { container: RUNS, spec: { runtimeClassName: 'gvisor' } },
    'spec.runtimeClassName',
    /there are no containers/,
  ],
];

for (const [name, sketch, field, message] of UNSUPPORTED) {
  test(`what Fairway does not do is told: ${name}`, () => {
    const finding = one(sketch);
    assert.equal(finding.reason, 'Unsupported');
    assert.equal(finding.origin.field, field);
    assert.match(finding.message, message);
  });
}

test('a feature many pods ask for is named once, with their number', () => {
  const container = { ...RUNS, resources: { limits: { cpu: '1' } } };
  const findings = findingsOf(['a', 'b', 'c'].map((name) => pod({ name, container })));
  assert.equal(findings.length, 1);
  assert.match(the(findings[0]).message, /3 pods ask for it/);
});

test('with hostNetwork every port is one of the node, and that is no port nobody opens', () => {
  const container = { ...RUNS, ports: [{ containerPort: 8080 }] };
  assert.deepEqual(findingsOf([pod({ container, spec: { hostNetwork: true } })]), []);
});
