import assert from 'node:assert/strict';
import { test } from 'node:test';
import { pod, the } from '../testing.ts';
import type { PodSketch } from '../testing.ts';
import { annotationFaults } from './annotations.ts';
import { planPod } from './plan.ts';
import type { ContainerPlan, PlanOptions } from './plan.ts';

const FOLDERS = new Set(['/manifests', '/manifests/app', '/srv', '/usr/src']);

const OPTIONS: PlanOptions = {
  images: [
    { image: 'example.com/mapped', command: ['node', 'mapped.js'] },
    { image: 'example.com/shell', command: 'node "$@"', workingDir: 'app' },
  ],
  directory: '/manifests',
  isDirectory: (path) => FOLDERS.has(path),
};

function planOf(sketch: PodSketch): ContainerPlan {
  return the(planPod(pod(sketch), OPTIONS)[0]).plan;
}

const CASES: readonly (readonly [name: string, sketch: PodSketch, plan: Partial<ContainerPlan>])[] =
  [
    [
      'an annotation with a list is run as it is',
      { annotations: { 'fairway.dev/command': '["node", "server.js"]' } },
      {
        kind: 'process',
        argv: ['node', 'server.js'],
        expand: true,
        cwd: '/manifests',
        from: 'annotation',
      },
    ],
    [
      'an annotation with a line is run by a shell, and $(…) is the shell’s',
      { annotations: { 'fairway.dev/command': 'echo $(date)' } },
      {
        kind: 'process',
        argv: ['/bin/sh', '-c', 'echo $(date)', 'main'],
        expand: false,
        cwd: '/manifests',
        from: 'annotation',
      },
    ],
    [
      'a line that begins with a bracket is a line',
      { annotations: { 'fairway.dev/command': '[ -f x ] && cat x' } },
      {
        kind: 'process',
        argv: ['/bin/sh', '-c', '[ -f x ] && cat x', 'main'],
        expand: false,
        cwd: '/manifests',
        from: 'annotation',
      },
    ],
    [
      'an annotation takes the place of command and args, also for an echo image',
      {
        annotations: { 'fairway.dev/command.main': '["mine"]' },
        container: { image: 'hashicorp/http-echo', command: ['theirs'], args: ['-text=hi'] },
      },
      { kind: 'process', argv: ['mine'], expand: true, cwd: '/manifests', from: 'annotation' },
    ],
    [
      'an annotation names a folder relative to the manifest',
      { annotations: { 'fairway.dev/command': '["a"]', 'fairway.dev/working-dir': 'app' } },
      { kind: 'process', argv: ['a'], expand: true, cwd: '/manifests/app', from: 'annotation' },
    ],
    [
      'an annotation names a folder of this machine',
      { annotations: { 'fairway.dev/command': '["a"]', 'fairway.dev/working-dir.main': '/srv' } },
      { kind: 'process', argv: ['a'], expand: true, cwd: '/srv', from: 'annotation' },
    ],
    [
      'a mapped image takes the args of the manifest',
      { container: { image: 'example.com/mapped:1', args: ['--port', '80'] } },
      {
        kind: 'process',
        argv: ['node', 'mapped.js', '--port', '80'],
        expand: true,
        cwd: '/manifests',
        from: 'configuration',
      },
    ],
    [
      'a mapping with a line has the args as "$@", and a folder',
      { container: { image: 'example.com/shell', command: ['ignored'], args: ['x.js'] } },
      {
        kind: 'process',
        argv: ['/bin/sh', '-c', 'node "$@"', 'main', 'x.js'],
        expand: false,
        cwd: '/manifests/app',
        from: 'configuration',
      },
    ],
    [
      'an echo image runs the echo server with its args',
      { container: { image: 'hashicorp/http-echo:1.0', args: ['-text=hi'] } },
      { kind: 'echo', args: ['-text=hi'] },
    ],
    [
      'the command of an echo image is its program, and not an argument',
      {
        container: {
          image: 'registry.k8s.io/e2e-test-images/agnhost:2.40',
          command: ['/agnhost', 'netexec'],
          args: ['--http-port=80'],
        },
      },
      { kind: 'echo', args: ['netexec', '--http-port=80'] },
    ],
    [
      'a command is run in the folder of the manifest',
      { container: { command: ['sleep'], args: ['60'], workingDir: '/app' } },
      { kind: 'process', argv: ['sleep', '60'], expand: true, cwd: '/manifests', from: 'manifest' },
    ],
    [
      'a command is run in its workingDir where this machine has it',
      { container: { command: ['sleep'], workingDir: '/usr/src' } },
      { kind: 'process', argv: ['sleep'], expand: true, cwd: '/usr/src', from: 'manifest' },
    ],
  ];

for (const [name, sketch, plan] of CASES) {
  test(name, () => assert.deepEqual(planOf(sketch), plan));
}

test('an image nobody knows names the three ways out', () => {
  const plan = planOf({ container: { image: 'example.com/secret-sauce:1', args: ['serve'] } });
  assert.ok(plan.kind === 'unavailable');
  assert.equal(plan.reason, 'ErrImageNeverPull');
  for (const way of [
    'example.com/secret-sauce:1',
    'echo image',
    'fairway.dev/command',
    'fairway.dev/address',
  ]) {
    assert.ok(plan.message.includes(way), way);
  }
});

test('a folder that is not there and a command that cannot be read are told as such', () => {
  const missing = planOf({
    annotations: { 'fairway.dev/command': 'x', 'fairway.dev/working-dir': 'none' },
  });
  assert.ok(missing.kind === 'unavailable');
  assert.match(missing.message, /folder \/manifests\/none to run in does not exist/);
  for (const text of ['', ' ', '[]', '[1]', '[""]']) {
    const plan = planOf({ annotations: { 'fairway.dev/command': text } });
    assert.ok(plan.kind === 'unavailable', text);
    assert.equal(plan.reason, 'CreateContainerConfigError');
  }
});

test('containers come in the order they start, with what they are', () => {
  const subject = pod({
    spec: {
      initContainers: [
        { name: 'migrate', image: 'a', command: ['true'] },
        { name: 'proxy', image: 'b', command: ['true'], restartPolicy: 'Always' },
      ],
      containers: [
        { name: 'web', image: 'c', command: ['true'] },
        { name: 'side', image: 'd', command: ['true'] },
      ],
    },
    annotations: { 'fairway.dev/command.side': 'x', 'fairway.dev/command': 'not for any of two' },
  });
  const planned = planPod(subject, OPTIONS);
  assert.deepEqual(
    planned.map(({ container, role, plan }) => [
      container.name,
      role,
      plan.kind === 'process' && plan.from,
    ]),
    [
      ['migrate', 'init', 'manifest'],
      ['proxy', 'sidecar', 'manifest'],
      ['web', 'main', 'manifest'],
      ['side', 'main', 'annotation'],
    ],
  );
});

const TWO = {
  spec: {
    containers: [
      { name: 'web', image: 'a' },
      { name: 'side', image: 'b' },
    ],
  },
};

const FAULTS: readonly (readonly [name: string, sketch: PodSketch, fault: RegExp | undefined])[] = [
  ['a command for the only container', { annotations: { 'fairway.dev/command': 'x' } }, undefined],
  [
    'a command for one of two',
    { ...TWO, annotations: { 'fairway.dev/command.web': 'x' } },
    undefined,
  ],
  [
    'a folder for both of two',
    { ...TWO, annotations: { 'fairway.dev/working-dir': 'x' } },
    undefined,
  ],
  ['another annotation of Fairway', { annotations: { 'fairway.dev/address': 'x' } }, undefined],
  [
    'a command for nobody of two',
    { ...TWO, annotations: { 'fairway.dev/command': 'x' } },
    /which of the pod's 2 containers.*command\.web or fairway\.dev\/command\.side/,
  ],
  [
    'a misspelt container',
    { ...TWO, annotations: { 'fairway.dev/command.webb': 'x' } },
    /did you mean fairway\.dev\/command\.web/,
  ],
  ['no such container', { annotations: { 'fairway.dev/command.database': 'x' } }, /which has main/],
  [
    'a command that cannot be read',
    { annotations: { 'fairway.dev/command': '[7]' } },
    /neither a JSON array/,
  ],
];

for (const [name, sketch, fault] of FAULTS) {
  test(`annotations: ${name} ${fault === undefined ? 'is fine' : 'is a fault'}`, () => {
    const faults = annotationFaults(pod(sketch));
    assert.equal(faults.length, fault === undefined ? 0 : 1);
    if (fault !== undefined) assert.match(the(faults[0]).message, fault);
  });
}
