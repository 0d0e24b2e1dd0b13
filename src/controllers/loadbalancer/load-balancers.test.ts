// Who gets which address of the pool of load balancers, and what is said to the others.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Service } from '../../api/core/service.ts';
import { Lab, OPTIONS } from '../testing/lab.ts';
import { loadBalancerFindings } from './findings.ts';
import { createLoadBalancerController } from './load-balancers.ts';

function lab(loadBalancerCidr = OPTIONS.loadBalancerCidr): Lab {
  return new Lab([createLoadBalancerController({ loadBalancerCidr })]);
}

interface Wish {
  readonly type?: string;
  readonly loadBalancerIP?: string;
  readonly loadBalancerClass?: string;
  readonly annotation?: string;
}

function put(own: Lab, name: string, wish: Wish = {}): void {
  const { annotation, type = 'LoadBalancer', ...spec } = wish;
  const annotations = annotation === undefined ? {} : { 'metallb.io/loadBalancerIPs': annotation };
  own.put(Service, {
    metadata: { name, annotations },
    spec: { type, ports: [{ port: 80 }], ...spec },
  });
}

function ipOf(own: Lab, name: string): string | undefined {
  return own.get(Service, name).status.loadBalancer.ingress?.[0]?.ip;
}

function messages(own: Lab): readonly string[] {
  return loadBalancerFindings(own.snapshot).map(
    ({ severity, message, origin }) =>
      `${severity} ${origin.object?.name} ${origin.field}: ${message}`,
  );
}

test('a load balancer gets an address of the pool, which packets arrive with', () => {
  const own = lab();
  put(own, 'web');
  own.reconcile();
  assert.deepEqual(own.get(Service, 'web').status.loadBalancer, {
    ingress: [{ ip: '127.80.128.1', ipMode: 'VIP' }],
  });
});

test('other Services get none', () => {
  const own = lab();
  put(own, 'web', { type: 'NodePort' });
  assert.equal(own.reconcile().changeCount, 0);
});

test('an address that is asked for is given, in either form', () => {
  const own = lab();
  put(own, 'a', { loadBalancerIP: '127.80.128.20' });
  put(own, 'b', { annotation: '127.80.128.21' });
  own.reconcile();
  assert.deepEqual([ipOf(own, 'a'), ipOf(own, 'b')], ['127.80.128.20', '127.80.128.21']);
  assert.deepEqual(messages(own), []);
});

test('who asks for an address goes before who does not', () => {
  const own = lab();
  put(own, 'a');
  put(own, 'b', { loadBalancerIP: '127.80.128.1' });
  own.reconcile();
  assert.deepEqual([ipOf(own, 'a'), ipOf(own, 'b')], ['127.80.128.2', '127.80.128.1']);
});

test('nobody loses an address because another asks for it later', () => {
  const own = lab();
  put(own, 'a');
  own.reconcile();
  own.advance(10);
  put(own, 'b', { loadBalancerIP: '127.80.128.1' });
  own.reconcile();
  assert.deepEqual([ipOf(own, 'a'), ipOf(own, 'b')], ['127.80.128.1', undefined]);
  assert.deepEqual(messages(own), [
    'error b spec.loadBalancerIP: load balancer address 127.80.128.1 is already allocated',
  ]);
  own.remove(Service, 'a');
  own.reconcile();
  assert.equal(ipOf(own, 'b'), '127.80.128.1');
});

test('an address outside of the pool is replaced, and that is told', () => {
  const own = lab();
  put(own, 'web', { loadBalancerIP: '203.0.113.10' });
  own.reconcile();
  assert.equal(ipOf(own, 'web'), '127.80.128.1');
  assert.deepEqual(messages(own), [
    'warning web spec.loadBalancerIP: load balancer address 203.0.113.10 is not in the pool',
  ]);
});

test('another type gives the address back', () => {
  const own = lab();
  put(own, 'web');
  own.reconcile();
  put(own, 'web', { type: 'ClusterIP' });
  own.reconcile();
  assert.deepEqual(own.get(Service, 'web').status.loadBalancer, {});
});

test('the load balancer of somebody else is left alone, and told of', () => {
  const own = lab();
  put(own, 'web', { loadBalancerClass: 'example.com/cloud' });
  const status = { loadBalancer: { ingress: [{ ip: '198.51.100.1', ipMode: 'VIP' }] } };
  own.setStatus(Service, own.get(Service, 'web'), status);
  own.reconcile();
  assert.equal(ipOf(own, 'web'), '198.51.100.1');
  assert.deepEqual(messages(own), [
    'info web spec.loadBalancerClass: load balancer class example.com/cloud is not served here: the Service gets no external address',
  ]);
});

test('our own class is served', () => {
  const own = lab();
  put(own, 'web', { loadBalancerClass: 'fairway.dev/load-balancer' });
  own.reconcile();
  assert.equal(ipOf(own, 'web'), '127.80.128.1');
});

test('an address in the status that is not of the pool is not ours, and replaced', () => {
  const own = lab();
  put(own, 'web');
  const status = { loadBalancer: { ingress: [{ ip: '34.1.2.3', ipMode: 'VIP' }] } };
  own.setStatus(Service, own.get(Service, 'web'), status);
  own.reconcile();
  assert.equal(ipOf(own, 'web'), '127.80.128.1');
});

test('when the pool is empty, the rest is told so', () => {
  const own = lab('127.80.128.0/30');
  for (const name of ['a', 'b', 'c']) put(own, name);
  own.reconcile();
  assert.equal(ipOf(own, 'c'), undefined);
  assert.deepEqual(messages(own), ['error c spec.type: no load balancer address is free']);
});
