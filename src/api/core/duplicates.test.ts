// Lists of core kinds are merged by key, but a key may come twice in them, unless the kind itself says
// otherwise: then in its own words.

import { describe } from 'node:test';
import { Node } from './node.ts';
import { Pod } from './pod.ts';
import { Service } from './service.ts';
import { named, testRows } from './testing.ts';

function pod(container: object, spec: object = {}): object {
  const containers = [{ name: 'web', image: 'web:1', ...container }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: named('web'), spec: { containers, ...spec } };
}

describe('a key that comes twice', () => {
  testRows(Node, [
    {
      title: 'a node has an internal address of each family',
      object: {
        apiVersion: 'v1',
        kind: 'Node',
        metadata: { name: 'node-1' },
        status: {
          addresses: [
            { type: 'InternalIP', address: '10.0.0.1' },
            { type: 'InternalIP', address: 'fd00::1' },
          ],
        },
      },
      errors: [],
    },
  ]);

  testRows(Pod, [
    {
      title: 'a variable may be set again',
      object: pod({
        env: [
          { name: 'A', value: '1' },
          { name: 'A', value: '2' },
        ],
      }),
      errors: [],
    },
    {
      title: 'a port may have two names',
      object: pod({ ports: [{ containerPort: 80 }, { name: 'http', containerPort: 80 }] }),
      errors: [],
    },
    {
      title: 'a path is mounted once',
      object: pod(
        {
          volumeMounts: [
            { name: 'a', mountPath: '/a' },
            { name: 'b', mountPath: '/a' },
          ],
        },
        {
          volumes: [
            { name: 'a', emptyDir: {} },
            { name: 'b', emptyDir: {} },
          ],
        },
      ),
      errors: ['spec.containers[0].volumeMounts[1].mountPath: Invalid value: "/a": must be unique'],
    },
    {
      title: 'names of containers are unique, among init containers too',
      object: pod(
        {},
        {
          containers: [
            { name: 'web', image: 'a' },
            { name: 'web', image: 'b' },
          ],
          initContainers: [{ name: 'web', image: 'c' }],
        },
      ),
      errors: [
        'spec.containers[1].name: Duplicate value: "web"',
        'spec.initContainers[0].name: Duplicate value: "web"',
      ],
    },
    {
      title: 'names of volumes are unique',
      object: pod(
        {},
        {
          volumes: [
            { name: 'a', emptyDir: {} },
            { name: 'a', emptyDir: {} },
          ],
        },
      ),
      errors: ['spec.volumes[1].name: Duplicate value: "a"'],
    },
  ]);

  testRows(Service, [
    {
      title: 'ports of a Service differ in name, and in number or protocol',
      object: {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: named('web'),
        spec: {
          ports: [
            { name: 'a', port: 80 },
            { name: 'a', port: 80 },
            { name: 'c', port: 80, protocol: 'UDP' },
          ],
        },
      },
      errors: [
        'spec.ports[1].name: Duplicate value: "a"',
        'spec.ports[1]: Duplicate value: {"Name":"","Protocol":"TCP","AppProtocol":null,"Port":80,"TargetPort":0,"NodePort":0}',
      ],
    },
  ]);
});
