import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { cells, named, testRows, valid } from '../core/testing.ts';
import { IngressClass } from './ingress-class.ts';
import { Ingress } from './ingress.ts';

const backend = { service: { name: 'web', port: { number: 80 } } };

function ingress(spec: object, rest: object = {}): object {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: named('web'),
    spec,
    ...rest,
  };
}

/** An Ingress with one rule, of these paths. */
function withPaths(...paths: readonly object[]): object {
  return ingress({ rules: [{ host: 'a.example', http: { paths } }] });
}

const ABSOLUTE = 'must be an absolute path';
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

describe('an Ingress', () => {
  testRows(Ingress, [
    {
      title: 'every kind of path and backend is fine',
      object: ingress({
        ingressClassName: 'fairway',
        defaultBackend: { resource: { apiGroup: 'a.example', kind: 'Bucket', name: 'Static' } },
        tls: [{ hosts: ['*.example.com'], secretName: 'tls' }, {}],
        rules: [
          {
            host: '*.example.com',
            http: {
              paths: [
                { path: '/', pathType: 'Prefix', backend },
                {
                  path: '/a',
                  pathType: 'Exact',
                  backend: { service: { name: '1web', port: { name: 'http' } } },
                },
                { pathType: 'ImplementationSpecific', backend },
              ],
            },
          },
          {},
        ],
      }),
      errors: [],
    },
    {
      title: 'something is to happen to requests',
      object: ingress({}),
      errors: ['spec: Invalid value: null: either `defaultBackend` or `rules` must be specified'],
    },
    {
      title: 'a rule has paths',
      object: ingress({ rules: [{ http: {} }] }),
      errors: ['spec.rules[0].http.paths: Required value'],
    },
    {
      title: 'a path is matched in one of three ways',
      object: withPaths({ path: '/', backend }, { path: '/', pathType: 'Regex', backend }),
      errors: [
        'spec.rules[0].http.paths[0].pathType: Required value: pathType must be specified',
        'spec.rules[0].http.paths[1].pathType: Unsupported value: "Regex": supported values: "Exact", "ImplementationSpecific", "Prefix"',
      ],
    },
    {
      title: 'a path is absolute, and means one thing',
      object: withPaths(
        { pathType: 'Prefix', backend },
        { path: 'a', pathType: 'ImplementationSpecific', backend },
        { path: '/a//b/../c%2Fd/..', pathType: 'Exact', backend },
      ),
      errors: [
        `spec.rules[0].http.paths[0].path: Invalid value: "": ${ABSOLUTE}`,
        `spec.rules[0].http.paths[1].path: Invalid value: "a": ${ABSOLUTE}`,
        ...['//', '/../', '%2F'].map(
          (bad) =>
            `spec.rules[0].http.paths[2].path: Invalid value: "/a//b/../c%2Fd/..": must not contain '${bad}'`,
        ),
        'spec.rules[0].http.paths[2].path: Invalid value: "/a//b/../c%2Fd/..": cannot end with \'/..\'',
      ],
    },
    {
      title: 'a host is a name, with a star in front at most',
      object: ingress({
        defaultBackend: backend,
        rules: [{ host: '192.0.2.1' }, { host: 'a.*.example' }, { host: 'A.example' }],
      }),
      errors: [
        'spec.rules[0].host: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
        "spec.rules[1].host: Invalid value: \"a.*.example\": a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        `spec.rules[2].host: Invalid value: "A.example": ${SUBDOMAIN}`,
      ],
    },
    {
      title: 'a backend is one thing, completely named',
      object: ingress({
        rules: [
          {
            http: {
              paths: [
                {},
                { service: {} },
                { service: { name: 'a.b', port: { name: 'a', number: 1 } } },
                { service: { name: 'web', port: { number: 70000 } } },
                { ...backend, resource: { kind: 'A', name: 'b' } },
                { resource: { apiGroup: 'A', kind: '', name: 'a/b' } },
              ].map((each) => ({ path: '/', pathType: 'Prefix', backend: each })),
            },
          },
        ],
      }),
      errors: [
        'paths[0].backend: Invalid value: "": resource or service backend is required',
        'paths[1].backend.service.name: Required value',
        'paths[1].backend: Required value: port name or number is required',
        'paths[2].backend.service.name: Invalid value: "a.b": must not contain dots',
        'paths[2].backend: Invalid value: "": cannot set both port name & port number',
        'paths[3].backend.service.port.number: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'paths[4].backend: Invalid value: "": cannot set both resource and service backends',
        `paths[5].backend.resource.apiGroup: Invalid value: "A": ${SUBDOMAIN}`,
        'paths[5].backend.resource.kind: Required value',
        'paths[5].backend.resource.name: Invalid value: "a/b": may not contain \'/\'',
      ].map((error) => `spec.rules[0].http.${error}`),
    },
    {
      title: 'certificates are for hosts, and in Secrets',
      object: ingress({
        defaultBackend: backend,
        ingressClassName: 'A',
        tls: [{ hosts: ['A'], secretName: 'other/tls' }],
      }),
      errors: [
        `spec.tls[0].hosts[0]: Invalid value: "A": ${SUBDOMAIN}`,
        `spec.tls[0].secretName: Invalid value: "other/tls": ${SUBDOMAIN}`,
        `spec.ingressClassName: Invalid value: "A": ${SUBDOMAIN}`,
      ],
    },
    {
      title: 'the old annotation and the field agree',
      object: ingress(
        { defaultBackend: backend, ingressClassName: 'fairway' },
        { metadata: { ...named('web'), annotations: { 'kubernetes.io/ingress.class': 'nginx' } } },
      ),
      errors: [
        'metadata.annotations[kubernetes.io/ingress.class]: Invalid value: "nginx": must match `ingressClassName` when both are specified',
      ],
    },
    {
      title: 'a status holds addresses and names',
      object: ingress(
        { defaultBackend: backend },
        { status: { loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '192.0.2.1' }] } } },
      ),
      old: ingress({ defaultBackend: backend }),
      errors: [
        'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'status.loadBalancer.ingress[1].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
      ],
    },
  ]);

  it('columns show hosts and addresses', () => {
    const rules = ['a', 'b', 'c', 'd'].map((host) => ({ host: `${host}.example` }));
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } };
    const spec = { ingressClassName: 'fairway', tls: [{}], rules };
    assert.deepEqual(cells(Ingress, ingress(spec, { status })), {
      Class: 'fairway',
      Hosts: 'a.example,b.example,c.example + 1 more...',
      Address: '192.0.2.1',
      Ports: '80, 443',
    });
    assert.deepEqual(cells(Ingress, ingress({ defaultBackend: backend })), {
      Class: '<none>',
      Hosts: '*',
      Address: '',
      Ports: '80',
    });
  });
});

describe('an IngressClass', () => {
  const ingressClass = (spec: object): object => ({
    apiVersion: 'networking.k8s.io/v1',
    kind: 'IngressClass',
    metadata: { name: 'fairway' },
    spec,
  });
  const controller = 'fairway.dev/ingress';
  const parameters = { apiGroup: 'a.example', kind: 'Settings', name: 'edge' };

  it('its settings are for the whole cluster unless said otherwise', () => {
    const { spec } = valid(IngressClass, ingressClass({ controller, parameters }));
    assert.equal(spec.parameters?.scope, 'Cluster');
  });

  testRows(IngressClass, [
    {
      title: 'a controller has a name with a domain',
      object: ingressClass({ controller: 'fairway' }),
      errors: [
        'spec.controller: Invalid value: "fairway": must be a domain-prefixed path (such as "acme.io/foo")',
      ],
    },
    {
      title: 'a controller is named, and not at length',
      object: ingressClass({ controller: `a.example/${'a'.repeat(250)}` }),
      errors: ['spec.controller: Too long: may not be more than 250 bytes'],
    },
    {
      title: 'settings in a namespace say which',
      object: ingressClass({ controller, parameters: { ...parameters, scope: 'Namespace' } }),
      errors: [
        "spec.parameters.namespace: Required value: `parameters.scope` is set to 'Namespace'",
      ],
    },
    {
      title: 'settings of the cluster have no namespace',
      object: ingressClass({ controller, parameters: { namespace: 'shop' } }),
      errors: [
        'spec.parameters.kind: Required value',
        'spec.parameters.name: Required value',
        "spec.parameters.namespace: Forbidden: `parameters.scope` is set to 'Cluster'",
      ],
    },
    {
      title: 'the controller is for life',
      object: ingressClass({ controller }),
      old: ingressClass({ controller: 'a.example/b' }),
      errors: [`spec.controller: Invalid value: "${controller}": field is immutable`],
    },
  ]);

  it('columns show controller and settings', () => {
    assert.deepEqual(cells(IngressClass, ingressClass({ controller, parameters })), {
      Controller: controller,
      Parameters: 'Settings.a.example/edge',
    });
    const plain = cells(IngressClass, ingressClass({ controller }));
    assert.equal(plain['Parameters'], '<none>');
  });
});
