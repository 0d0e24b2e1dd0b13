import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { admit } from '../admit.ts';
import { Service } from './service.ts';
import { admitted, cells, named, testRows, valid } from './testing.ts';

function service(spec: object, rest: object = {}): object {
  return { apiVersion: 'v1', kind: 'Service', metadata: named('web'), spec, ...rest };
}

const http = { port: 80 };
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe('defaults of a Service', () => {
  it('a port gets TCP and leads to the same port', () => {
    const { spec } = valid(Service, service({ ports: [{ port: 80, protocol: '', nodePort: 0 }] }));
    assert.deepEqual(spec, {
      ports: [{ port: 80, protocol: 'TCP', targetPort: 80 }],
      type: 'ClusterIP',
      sessionAffinity: 'None',
      internalTrafficPolicy: 'Cluster',
    });
  });

  it('a load balancer gets node ports and takes traffic everywhere', () => {
    const { spec } = valid(Service, service({ type: 'LoadBalancer', ports: [http] }));
    assert.equal(spec.allocateLoadBalancerNodePorts, true);
    assert.equal(spec.externalTrafficPolicy, 'Cluster');
  });

  it('external addresses make a policy for traffic from outside', () => {
    const { spec } = valid(Service, service({ ports: [http], externalIPs: ['192.0.2.1'] }));
    assert.equal(spec.externalTrafficPolicy, 'Cluster');
  });

  it('affinity lasts three hours, and without affinity nothing lasts', () => {
    const sticky = valid(Service, service({ ports: [http], sessionAffinity: 'ClientIP' }));
    assert.deepEqual(sticky.spec.sessionAffinityConfig, { clientIP: { timeoutSeconds: 10800 } });
    const sessionAffinityConfig = { clientIP: { timeoutSeconds: 5 } };
    const plain = valid(Service, service({ ports: [http], sessionAffinityConfig }));
    assert.equal('sessionAffinityConfig' in plain.spec, false);
  });

  it('clusterIP is the first of clusterIPs', () => {
    const { spec } = valid(Service, service({ clusterIP: 'None', selector: { app: 'web' } }));
    assert.deepEqual(spec.clusterIPs, ['None']);
    assert.equal(
      valid(Service, service({ ports: [http], clusterIP: '' })).spec.clusterIP,
      undefined,
    );
  });

  it('addresses of a load balancer are virtual unless said otherwise', () => {
    const status = { loadBalancer: { ingress: [{ ip: '192.0.2.1' }, { hostname: 'a.example' }] } };
    const object = valid(Service, service({ type: 'LoadBalancer', ports: [http] }, { status }));
    assert.deepEqual(object.status.loadBalancer.ingress, [
      { ip: '192.0.2.1', ipMode: 'VIP' },
      { hostname: 'a.example' },
    ]);
  });

  it('an ExternalName gets nothing it could not have', () => {
    const { spec } = valid(Service, service({ type: 'ExternalName', externalName: 'a.example.' }));
    assert.deepEqual(spec, {
      type: 'ExternalName',
      externalName: 'a.example.',
      sessionAffinity: 'None',
    });
  });
});

describe('what is wrong with a Service', () => {
  testRows(Service, [
    {
      title: 'ports are required',
      object: service({ selector: { app: 'web' } }),
      errors: ['spec.ports: Required value'],
    },
    {
      title: 'a port is a port number',
      object: service({
        ports: [
          { port: 70000, targetPort: 'http-' },
          { name: 'b', port: 0 },
        ],
      }),
      errors: [
        'spec.ports[0].name: Required value',
        'spec.ports[0].port: Invalid value: 70000: must be between 1 and 65535, inclusive',
        'spec.ports[0].targetPort: Invalid value: "http-": must not begin or end with a hyphen',
        'spec.ports[1].port: Invalid value: 0: must be between 1 and 65535, inclusive',
        'spec.ports[1].targetPort: Invalid value: 0: must be between 1 and 65535, inclusive',
      ],
    },
    {
      title: 'names of ports are labels',
      object: service({ ports: [{ name: 'Http', port: 80, appProtocol: 'a/b/c/' }] }),
      errors: [
        `spec.ports[0].name: Invalid value: "Http": ${LABEL}`,
        "spec.ports[0].appProtocol: Invalid value: \"a/b/c/\": a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
      ],
    },
    {
      title: 'a protocol is one of three',
      object: service({ ports: [{ port: 80, protocol: 'HTTP' }] }),
      errors: [
        'spec.ports[0].protocol: Unsupported value: "HTTP": supported values: "SCTP", "TCP", "UDP"',
      ],
    },
    {
      title: 'the type is one of four',
      object: service({ type: 'Loadbalancer', ports: [http] }),
      errors: [
        'spec.type: Unsupported value: "Loadbalancer": supported values: "ClusterIP", "ExternalName", "LoadBalancer", "NodePort"',
      ],
    },
    {
      title: 'node ports are for types that have them, once each',
      object: service({ ports: [{ port: 80, nodePort: 30080 }] }),
      errors: ["spec.ports[0].nodePort: Forbidden: may not be used when `type` is 'ClusterIP'"],
    },
    {
      title: 'a node port serves one port',
      object: service({
        type: 'NodePort',
        ports: [
          { name: 'a', port: 80, nodePort: 30080 },
          { name: 'b', port: 81, nodePort: 30080 },
          { name: 'c', port: 82, nodePort: 30080, protocol: 'UDP' },
        ],
      }),
      errors: ['spec.ports[1].nodePort: Duplicate value: 30080'],
    },
    {
      title: 'a NodePort Service is never headless',
      object: service({ type: 'NodePort', clusterIP: 'None', ports: [http] }),
      errors: [
        'spec.clusterIPs[0]: Invalid value: "None": may not be set to \'None\' for NodePort services',
      ],
    },
    {
      title: 'clusterIPs hold one address of each family',
      object: service({
        ports: [http],
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1', '10.0.0.2'],
        ipFamilies: ['IPv6'],
      }),
      errors: [
        'spec.clusterIPs: Invalid value: ["10.0.0.1","10.0.0.2"]: may specify no more than one IP for each IP family',
        'spec.clusterIPs[0]: Invalid value: "10.0.0.1": expected an IPv6 value as indicated by `ipFamilies[0]`',
      ],
    },
    {
      title: 'clusterIP and clusterIPs agree',
      object: service({ ports: [http], clusterIP: '10.0.0.1', clusterIPs: ['10.0.0.2'] }),
      errors: ['spec.clusterIPs: Invalid value: ["10.0.0.2"]: first value must match `clusterIP`'],
    },
    {
      title: 'clusterIPs alone are no request',
      object: service({ ports: [http], clusterIPs: ['10.0.0.2'] }),
      errors: [
        'spec.clusterIPs: Invalid value: ["10.0.0.2"]: must be empty when `clusterIP` is not specified',
      ],
    },
    {
      title: 'None stands alone',
      object: service({ ports: [http], clusterIP: 'None', clusterIPs: ['None', '10.0.0.1'] }),
      errors: [
        'spec.clusterIPs: Invalid value: ["None","10.0.0.1"]: \'None\' must be the first and only value',
      ],
    },
    {
      title: 'an address is an address',
      object: service({ ports: [http], clusterIP: 'web' }),
      errors: [
        'spec.clusterIPs[0]: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    },
    {
      title: 'families come once',
      object: service({ ports: [http], ipFamilies: ['IPv4', 'IPv4'] }),
      errors: ['spec.ipFamilies[1]: Duplicate value: "IPv4"'],
    },
    {
      title: 'an ExternalName needs a name, and no addresses',
      object: service({ type: 'ExternalName', clusterIP: 'None', ipFamilies: ['IPv4'] }),
      errors: [
        'spec.clusterIPs: Forbidden: may not be set for ExternalName services',
        'spec.ipFamilies: Forbidden: may not be set for ExternalName services',
        'spec.externalName: Required value',
      ],
    },
    {
      title: 'affinity lasts a day at most',
      object: service({
        ports: [http],
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 86401 } },
      }),
      errors: [
        'spec.sessionAffinityConfig.clientIP.timeoutSeconds: Invalid value: 86401: must be greater than 0 and less than 86400',
      ],
    },
    {
      title: 'an external address is one that others can have',
      object: service({ ports: [http], externalIPs: ['127.0.0.1', 'web'] }),
      errors: [
        'spec.externalIPs[0]: Invalid value: "127.0.0.1": may not be in the loopback range (127.0.0.0/8, ::1/128)',
        'spec.externalIPs[1]: Invalid value: "web": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
      ],
    },
    {
      title: 'source ranges are networks of a load balancer',
      object: service({ ports: [http], loadBalancerSourceRanges: [' 10.0.0.0/8 ', '10.0.0.1/8'] }),
      errors: [
        "spec.loadBalancerSourceRanges: Forbidden: may only be used when `type` is 'LoadBalancer'",
        'spec.loadBalancerSourceRanges[1]: Invalid value: "10.0.0.1/8": must not have bits set beyond the prefix length',
      ],
    },
    {
      title: 'source ranges may stand in an annotation',
      object: {
        ...service({ type: 'LoadBalancer', ports: [http] }),
        metadata: {
          ...named('web'),
          annotations: {
            'service.beta.kubernetes.io/load-balancer-source-ranges': '10.0.0.0/8, everyone',
          },
        },
      },
      errors: [
        'metadata.annotations[service.beta.kubernetes.io/load-balancer-source-ranges]: Invalid value: "everyone": must be a valid CIDR value, (e.g. 10.9.8.0/24 or 2001:db8::/64)',
      ],
    },
    {
      title: 'what is for load balancers is for them alone',
      object: service({
        ports: [http],
        allocateLoadBalancerNodePorts: false,
        loadBalancerClass: 'a.example/b',
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 30000,
      }),
      errors: [
        "spec.allocateLoadBalancerNodePorts: Forbidden: may only be used when `type` is 'LoadBalancer'",
        "spec.loadBalancerClass: Forbidden: may only be used when `type` is 'LoadBalancer'",
        'spec.externalTrafficPolicy: Invalid value: "Local": may only be set for externally-accessible services',
        "spec.healthCheckNodePort: Invalid value: 30000: may only be set when `type` is 'LoadBalancer' and `externalTrafficPolicy` is 'Local'",
      ],
    },
    {
      title: 'the two annotations for topology agree',
      object: {
        ...service({ ports: [http] }),
        metadata: {
          ...named('web'),
          annotations: {
            'service.kubernetes.io/topology-aware-hints': 'auto',
            'service.kubernetes.io/topology-mode': 'disabled',
          },
        },
      },
      errors: [
        'metadata.annotations[service.kubernetes.io/topology-mode]: Invalid value: "disabled": must match annotations[service.kubernetes.io/topology-aware-hints] when both are specified',
      ],
    },
    {
      title: 'a name is a label, and may begin with a digit',
      object: { ...service({ ports: [http] }), metadata: named('1web.shop') },
      errors: ['metadata.name: Invalid value: "1web.shop": must not contain dots'],
    },
  ]);
});

describe('a change of a Service', () => {
  const stored = service({
    type: 'LoadBalancer',
    clusterIP: '10.0.0.1',
    clusterIPs: ['10.0.0.1', 'fd00::1'],
    ipFamilies: ['IPv4', 'IPv6'],
    ipFamilyPolicy: 'PreferDualStack',
    ports: [{ name: 'http', port: 80, nodePort: 30080 }],
    loadBalancerClass: 'a.example/b',
  });
  const loadBalancer = { type: 'LoadBalancer', loadBalancerClass: 'a.example/b' };

  testRows(Service, [
    {
      title: 'what the allocators gave need not be repeated',
      object: service({ ...loadBalancer, ports: [{ name: 'http', port: 8080 }] }),
      old: stored,
      errors: [],
    },
    {
      title: 'the first address is for life',
      object: service({
        ...loadBalancer,
        clusterIP: '10.0.0.9',
        clusterIPs: ['10.0.0.9', 'fd00::1'],
        ports: [http],
      }),
      old: stored,
      errors: [
        'spec.clusterIPs[0]: Invalid value: ["10.0.0.9","fd00::1"]: may not change once set',
      ],
    },
    {
      title: 'the second address goes with a policy that says so',
      object: service({
        ...loadBalancer,
        clusterIP: '10.0.0.1',
        clusterIPs: ['10.0.0.1'],
        ipFamilies: ['IPv4'],
        ipFamilyPolicy: 'PreferDualStack',
        ports: [http],
      }),
      old: stored,
      errors: [
        'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary clusterIP',
        'spec.ipFamilyPolicy: Invalid value: "PreferDualStack": must be set to \'SingleStack\' when releasing the secondary ipFamily',
      ],
    },
    {
      title: 'the class of a load balancer is for life',
      object: service({ type: 'LoadBalancer', ports: [http] }),
      old: stored,
      errors: ['spec.loadBalancerClass: Invalid value: null: may not change once set'],
    },
    {
      title: 'an address that was let in once may stay',
      object: service({ clusterIP: '010.0.0.1', ports: [http] }),
      old: service({ clusterIP: '010.0.0.1', ports: [http] }),
      errors: [],
    },
    {
      title: 'a status is for load balancers',
      object: service(
        { ports: [http] },
        { status: { loadBalancer: { ingress: [{ ip: '192.0.2.1' }] } } },
      ),
      old: service({ ports: [http] }),
      errors: [
        "status.loadBalancer.ingress: Forbidden: may only be used when `spec.type` is 'LoadBalancer'",
      ],
    },
    {
      title: 'a status holds addresses and names',
      object: service(
        { ...loadBalancer, ports: [http] },
        {
          status: {
            loadBalancer: { ingress: [{ ip: 'x' }, { hostname: '192.0.2.1', ipMode: 'VIP' }] },
          },
        },
      ),
      old: stored,
      errors: [
        'status.loadBalancer.ingress[0].ip: Invalid value: "x": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'status.loadBalancer.ingress[1].ipMode: Forbidden: may not be specified when `ip` is not set',
        'status.loadBalancer.ingress[1].hostname: Invalid value: "192.0.2.1": must be a DNS name, not an IP address',
      ],
    },
  ]);

  const carried = (old: object, wanted: object) => {
    const before = valid(Service, old);
    const after = Service.carryOver?.(before, admit(Service, wanted).object);
    assert.ok(after !== undefined);
    return after.spec;
  };

  it('addresses and node ports stay while they are needed', () => {
    const spec = carried(
      stored,
      service({ type: 'NodePort', ports: [{ name: 'http', port: 8080 }] }),
    );
    assert.deepEqual(spec.clusterIPs, ['10.0.0.1', 'fd00::1']);
    assert.deepEqual(spec.ipFamilies, ['IPv4', 'IPv6']);
    assert.equal(spec.ports?.[0]?.nodePort, 30080);
  });

  it('a node port that another port now asks for is not kept', () => {
    const ports = [
      { name: 'http', port: 80 },
      { name: 'new', port: 81, nodePort: 30080 },
    ];
    const spec = carried(stored, service({ ...loadBalancer, ports }));
    assert.deepEqual(
      spec.ports?.map((port) => port.nodePort),
      [undefined, 30080],
    );
  });

  it('what a new type cannot have goes, when nobody asked for it', () => {
    const wanted = { ...valid(Service, stored).spec, type: 'ClusterIP' };
    const spec = carried(stored, service(wanted));
    assert.equal(spec.ports?.[0]?.nodePort, undefined);
    for (const gone of [
      'allocateLoadBalancerNodePorts',
      'loadBalancerClass',
      'externalTrafficPolicy',
    ]) {
      assert.equal(gone in spec, false, gone);
    }
    assert.deepEqual(admitted(Service, service(wanted), stored).errors, []);
  });

  it('one family is enough when that is the policy', () => {
    const wanted = { ...loadBalancer, ports: [http], ipFamilyPolicy: 'SingleStack' };
    const spec = carried(stored, service(wanted));
    assert.deepEqual(spec.clusterIPs, ['10.0.0.1']);
    assert.deepEqual(spec.ipFamilies, ['IPv4']);
    assert.deepEqual(admitted(Service, service(wanted), stored).errors, []);
  });
});

describe('columns of a Service', () => {
  it('a ClusterIP Service', () => {
    const ports = [
      { name: 'a', port: 80 },
      { name: 'b', port: 53, protocol: 'UDP' },
    ];
    const object = service({ clusterIP: '10.0.0.1', ports, selector: { tier: 'x', app: 'web' } });
    assert.deepEqual(cells(Service, object), {
      Type: 'ClusterIP',
      'Cluster-IP': '10.0.0.1',
      'External-IP': '<none>',
      'Port(s)': '80/TCP,53/UDP',
      Selector: 'app=web,tier=x',
    });
  });

  it('a load balancer, before and after it has an address', () => {
    const spec = { type: 'LoadBalancer', ports: [{ port: 443, nodePort: 30443 }] };
    assert.equal(cells(Service, service(spec))['External-IP'], '<pending>');
    const ingress = [{ ip: '192.0.2.9' }, { hostname: 'a.example' }, { ip: '192.0.2.10' }];
    const status = { loadBalancer: { ingress } };
    const balanced = cells(Service, service(spec, { status }));
    assert.equal(balanced['External-IP'], '192.0.2.10,192.0.2.9,a.example');
    assert.equal(balanced['Port(s)'], '443:30443/TCP');
  });

  it('an ExternalName', () => {
    const object = service({ type: 'ExternalName', externalName: 'a.example' });
    assert.deepEqual(cells(Service, object), {
      Type: 'ExternalName',
      'Cluster-IP': '<none>',
      'External-IP': 'a.example',
      'Port(s)': '<none>',
      Selector: '<none>',
    });
  });
});
