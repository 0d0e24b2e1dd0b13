// Events of a whole control plane: what its controllers do, and what a kubelet says of its pods, told in
// the words people know.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import { Deployment } from '../api/apps/deployment.ts';
import { Event } from '../api/core/event.ts';
import { Namespace } from '../api/core/namespace.ts';
import { Pod } from '../api/core/pod.ts';
import { Service } from '../api/core/service.ts';
import type { Finding } from '../api/finding.ts';
import { Gateway } from '../api/gateway/gateway.ts';
import { HTTPRoute } from '../api/gateway/httproute.ts';
import type { Condition } from '../api/meta.ts';
import { Lab } from '../controllers/testing/lab.ts';
import { EventRecorder } from './event-recorder.ts';

const TEMPLATE = {
  metadata: { labels: { app: 'web' } },
  spec: { containers: [{ name: 'c', image: 'x' }] },
};

function start(test: TestContext): { readonly lab: Lab; readonly recorder: EventRecorder } {
  const lab = new Lab();
  const recorder = new EventRecorder({ store: lab.store, now: () => lab.now });
  test.after(() => recorder.stop());
  lab.put(Namespace, { metadata: { name: 'default' } });
  return { lab, recorder };
}

function deploy(lab: Lab, replicas: number): void {
  lab.put(Deployment, {
    metadata: { name: 'web' },
    spec: { replicas, selector: { matchLabels: { app: 'web' } }, template: TEMPLATE },
  });
}

/** `Deployment/web Normal ScalingReplicaSet x1: …` */
function told(lab: Lab, kind?: string): readonly string[] {
  return lab
    .list(Event)
    .filter(({ involvedObject }) => kind === undefined || involvedObject.kind === kind)
    .map(({ involvedObject: of, type, reason, message, count }) =>
      [`${of.kind}/${of.name}`, type, reason, `x${count}:`, message].join(' '),
    )
    .toSorted();
}

function condition(
  type: string,
  status: 'True' | 'False',
  reason: string,
  message = '',
): Condition {
  return { type, status, reason, message, lastTransitionTime: '2026-01-01T00:00:00Z' };
}

test('a Deployment, its ReplicaSet and their pods', (t) => {
  const { lab, recorder } = start(t);
  deploy(lab, 2);
  lab.settle();
  recorder.flush();
  const [first, second] = lab.names(Pod);
  const [set] = told(lab, 'Deployment').map((line) => /replica set (\S+)/.exec(line)?.[1] ?? '');
  assert.deepEqual(told(lab, 'Deployment'), [
    `Deployment/web Normal ScalingReplicaSet x1: Scaled up replica set ${set} from 0 to 2`,
  ]);
  assert.deepEqual(told(lab, 'ReplicaSet'), [
    `ReplicaSet/${set} Normal SuccessfulCreate x1: Created pod: ${first}`,
    `ReplicaSet/${set} Normal SuccessfulCreate x1: Created pod: ${second}`,
  ]);
  assert.deepEqual(told(lab, 'Pod'), [
    `Pod/${first} Normal Scheduled x1: Successfully assigned default/${first} to laptop`,
    `Pod/${second} Normal Scheduled x1: Successfully assigned default/${second} to laptop`,
  ]);
  const [event] = lab.list(Event);
  const { uid } = lab.get(Deployment, 'web').metadata;
  const ofDeployment = lab.list(Event).find((each) => each.involvedObject.uid === uid);
  assert.equal(ofDeployment?.source.component, 'deployment-controller');
  assert.equal(event?.metadata.namespace, 'default');
});

test('pods that a controller ends are told of, those that others end are not', (t) => {
  const { lab, recorder } = start(t);
  deploy(lab, 3);
  lab.settle();
  const [victim = ''] = lab.names(Pod);
  const write = { kind: Pod, namespace: 'default', name: victim, gracePeriodSeconds: 0 };
  lab.store.write([{ op: 'terminate', ...write }]);
  lab.settle();
  recorder.flush();
  assert.deepEqual(
    told(lab).filter((line) => line.includes('SuccessfulDelete')),
    [],
  );
  deploy(lab, 1);
  lab.settle();
  recorder.flush();
  assert.equal(told(lab).filter((line) => line.includes('Deleted pod')).length, 2);
  assert.ok(told(lab).some((line) => / Scaled down replica set \S+ from 3 to 1$/.test(line)));
});

test('containers that start, back off and end', (t) => {
  const { lab, recorder } = start(t);
  lab.put(Pod, { metadata: { name: 'p' }, spec: TEMPLATE.spec });
  lab.reconcile();
  const say = (state: object, containerID: string): void => {
    const status = { name: 'c', state, ready: false, restartCount: 0, image: 'x', imageID: '' };
    const containerStatuses = [{ ...status, containerID }];
    lab.setStatus(Pod, lab.get(Pod, 'p'), { phase: 'Running', containerStatuses });
  };
  const backOff = { waiting: { reason: 'CrashLoopBackOff', message: 'back-off 1s' } };
  say({ running: { startedAt: '2026-01-01T00:00:00Z' } }, 'a');
  say(backOff, 'a');
  say({ running: { startedAt: '2026-01-01T00:00:01Z' } }, 'b');
  say(backOff, 'b');
  const pod = lab.get(Pod, 'p');
  recorder.probed(pod, { container: 'c', probe: 'readiness', message: 'no', restarts: false });
  recorder.probed(pod, { container: 'c', probe: 'liveness', message: 'no', restarts: true });
  say({ running: { startedAt: '2026-01-01T00:00:02Z' } }, 'c');
  lab.store.write([
    { op: 'terminate', kind: Pod, namespace: 'default', name: 'p', gracePeriodSeconds: 1 },
  ]);
  recorder.flush();
  const { uid } = pod.metadata;
  assert.deepEqual(told(lab, 'Pod'), [
    'Pod/p Normal Created x3: Created container: c',
    'Pod/p Normal Killing x1: Container c failed liveness probe, will be restarted',
    'Pod/p Normal Killing x1: Stopping container c',
    'Pod/p Normal Pulled x3: Container image "x" is not pulled: its command runs on this machine',
    'Pod/p Normal Scheduled x1: Successfully assigned default/p to laptop',
    'Pod/p Normal Started x3: Started container c',
    `Pod/p Warning BackOff x2: Back-off restarting failed container c in pod p_default(${uid})`,
    'Pod/p Warning Unhealthy x1: Liveness probe failed: no',
    'Pod/p Warning Unhealthy x1: Readiness probe failed: no',
  ]);
  const paths = new Set(lab.list(Event).map(({ involvedObject }) => involvedObject.fieldPath));
  assert.deepEqual(paths, new Set([undefined, 'spec.containers{c}']));
});

test('conditions: trouble, its end, and what people wait for', (t) => {
  const { lab, recorder } = start(t);
  lab.put(Gateway, {
    metadata: { name: 'g' },
    spec: { gatewayClassName: 'x', listeners: [{ name: 'a', port: 80, protocol: 'HTTP' }] },
  });
  lab.put(HTTPRoute, { metadata: { name: 'r' }, spec: { parentRefs: [{ name: 'g' }] } });
  const gateway = (...conditions: readonly Condition[]): void =>
    lab.setStatus(Gateway, lab.get(Gateway, 'g'), { conditions });
  const route = (...conditions: readonly Condition[]): void => {
    const parents = [{ parentRef: { name: 'g' }, controllerName: 'x/y', conditions }];
    lab.setStatus(HTTPRoute, lab.get(HTTPRoute, 'r'), { parents });
  };
  gateway(
    condition('Accepted', 'True', 'Accepted'),
    condition('Programmed', 'True', 'Programmed', 'on 1'),
  );
  route(
    condition('Accepted', 'True', 'Accepted'),
    condition('ResolvedRefs', 'True', 'ResolvedRefs'),
  );
  recorder.flush();
  // That a route is accepted as it should be is no news.
  assert.deepEqual(told(lab), ['Gateway/g Normal Programmed x1: on 1']);
  route(
    condition('Accepted', 'True', 'Accepted'),
    condition('ResolvedRefs', 'False', 'BackendNotFound', 'Service default/s does not exist'),
  );
  gateway(
    condition('Accepted', 'False', 'ListenersNotValid', 'no listener'),
    condition('Programmed', 'False', 'Invalid', 'no listener'),
  );
  recorder.flush();
  route(
    condition('Accepted', 'True', 'Accepted'),
    condition('ResolvedRefs', 'True', 'ResolvedRefs', 'all there'),
  );
  recorder.flush();
  assert.deepEqual(told(lab), [
    'Gateway/g Normal Programmed x1: on 1',
    'Gateway/g Warning ListenersNotValid x1: no listener',
    'HTTPRoute/r Normal ResolvedRefs x1: Gateway g: all there',
    'HTTPRoute/r Warning BackendNotFound x1: Gateway g: Service default/s does not exist',
  ]);
});

test('findings are told once, and again when they come back', (t) => {
  const { lab, recorder } = start(t);
  lab.put(Service, { metadata: { name: 's' }, spec: { ports: [{ port: 80 }] } });
  const finding: Finding = {
    severity: 'error',
    reason: 'AddressTaken',
    message: 'the address is taken',
    hint: 'choose another',
    origin: {
      object: { kind: 'Service', namespace: 'default', name: 's' },
      field: 'spec.clusterIP',
    },
  };
  const other: Finding = { ...finding, severity: 'info', reason: 'Nothing' };
  for (const findings of [[finding, other], [{ ...finding }], [finding], [], [finding]]) {
    recorder.found(findings);
  }
  recorder.flush();
  assert.deepEqual(told(lab), [
    'Service/s Warning AddressTaken x2: spec.clusterIP: the address is taken (choose another)',
  ]);
});

test('the end of a namespace, which Events do not hold up', (t) => {
  const { lab, recorder } = start(t);
  lab.put(Namespace, { metadata: { name: 'gone' } });
  lab.put(Pod, { metadata: { name: 'p', namespace: 'gone' }, spec: TEMPLATE.spec });
  lab.settle();
  recorder.flush();
  assert.equal(lab.list(Event).filter(({ metadata }) => metadata.namespace === 'gone').length, 1);
  const write = { kind: Namespace, namespace: '', name: 'gone', gracePeriodSeconds: 0 };
  lab.store.write([{ op: 'terminate', ...write }]);
  recorder.flush();
  lab.settle();
  recorder.flush();
  assert.ok(!lab.names(Namespace).includes('gone'));
  assert.deepEqual(told(lab), [
    'Namespace/gone Normal Deleted x1: The namespace and all that was in it are gone',
    'Namespace/gone Normal Terminating x1: Everything in the namespace is being deleted',
  ]);
  const kept = new Set(lab.list(Event).map(({ metadata }) => metadata.namespace));
  assert.deepEqual(kept, new Set(['default']));
});

test('an Event lasts an hour from its last write, and those of clients do too', (t) => {
  const { lab, recorder } = start(t);
  deploy(lab, 1);
  lab.settle();
  lab.put(Event, {
    metadata: { name: 'mine' },
    involvedObject: { kind: 'Pod', namespace: 'default', name: 'x' },
  });
  recorder.flush();
  const count = lab.list(Event).length;
  assert.ok(count > 2);
  lab.advance(3_599);
  recorder.sweep();
  assert.equal(lab.list(Event).length, count);
  deploy(lab, 2);
  lab.settle();
  recorder.flush();
  lab.advance(2);
  recorder.sweep();
  assert.ok(lab.list(Event).length > 0);
  assert.ok(!lab.names(Event).includes('mine'));
  lab.advance(3_600);
  recorder.sweep();
  assert.deepEqual(lab.list(Event), []);
});
