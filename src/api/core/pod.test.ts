import { describe } from 'node:test';
import { Pod } from './pod.ts';
import { named, testRows } from './testing.ts';

function pod(spec: object, container: object = {}): object {
  const containers = [{ name: 'web', image: 'web:1', ...container }];
  return { apiVersion: 'v1', kind: 'Pod', metadata: named('web'), spec: { containers, ...spec } };
}

/** A Pod whose one container has these fields. */
function withContainer(container: object): object {
  return pod({}, container);
}

const PORT_RANGE = 'must be between 1 and 65535, inclusive';
const KEY =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

describe('what is wrong with the containers of a Pod', () => {
  testRows(Pod, [
    {
      title: 'containers are required',
      object: { apiVersion: 'v1', kind: 'Pod', metadata: named('web') },
      errors: ['spec.containers: Required value'],
    },
    {
      title: 'a container has a name and an image',
      object: pod({ containers: [{}] }),
      errors: [
        'spec.containers[0].name: Required value',
        'spec.containers[0].image: Required value',
      ],
    },
    {
      title: 'names are labels, and images are not padded',
      object: withContainer({ name: 'Web', image: ' web' }),
      errors: [
        `spec.containers[0].name: Invalid value: "Web": ${LABEL}`,
        'spec.containers[0].image: Invalid value: " web": must not have leading or trailing whitespace',
      ],
    },
    {
      title: 'ports have numbers and names',
      object: withContainer({
        ports: [{}, { containerPort: 70000, hostPort: -1 }, { name: 'Http', containerPort: 80 }],
      }),
      errors: [
        'spec.containers[0].ports[0].containerPort: Required value',
        `spec.containers[0].ports[1].containerPort: Invalid value: 70000: ${PORT_RANGE}`,
        `spec.containers[0].ports[1].hostPort: Invalid value: -1: ${PORT_RANGE}`,
        'spec.containers[0].ports[2].name: Invalid value: "Http": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      ],
    },
    {
      title: 'a port of the node leads to one port',
      object: withContainer({
        ports: [
          { name: 'a', containerPort: 80, hostPort: 8080 },
          { name: 'a', containerPort: 81, hostPort: 8080 },
        ],
      }),
      errors: [
        'spec.containers[0].ports[1].name: Duplicate value: "a"',
        'spec.containers[0].ports[1].hostPort: Duplicate value: "TCP//8080"',
      ],
    },
    {
      title: 'with the network of the node, ports are those of the node',
      object: pod({ hostNetwork: true }, { ports: [{ containerPort: 80, hostPort: 81 }] }),
      errors: [
        'spec.containers[0].ports[0].hostPort: Invalid value: 81: must match `containerPort` when `hostNetwork` is true',
      ],
    },
    {
      title: 'a variable has a name, and a value from one place',
      object: withContainer({
        env: [
          { value: 'x' },
          { name: 'A', valueFrom: {} },
          { name: 'B', value: 'x', valueFrom: { fieldRef: { fieldPath: 'metadata.name' } } },
          {
            name: 'C',
            valueFrom: {
              secretKeyRef: { name: 's', key: '' },
              configMapKeyRef: { name: 'c', key: 'k' },
            },
          },
        ],
      }),
      errors: [
        'spec.containers[0].env[0].name: Required value',
        'spec.containers[0].env[1].valueFrom: Invalid value: "": must specify one of: `fieldRef`, `resourceFieldRef`, `configMapKeyRef`, `secretKeyRef` or `fileKeyRef`',
        'spec.containers[0].env[2].valueFrom: Invalid value: "": may not be specified when `value` is not empty',
        'spec.containers[0].env[3].valueFrom.secretKeyRef.key: Required value',
        'spec.containers[0].env[3].valueFrom: Invalid value: "": may not have more than one field specified at a time',
      ],
    },
    {
      title: 'a variable can hold some fields of the Pod',
      object: withContainer({
        env: [
          { name: 'A', valueFrom: { fieldRef: { fieldPath: 'spec.replicas' } } },
          { name: 'B', valueFrom: { fieldRef: { fieldPath: 'metadata.labels' } } },
          { name: 'C', valueFrom: { fieldRef: { fieldPath: "metadata.labels['app']" } } },
          { name: 'D', valueFrom: { resourceFieldRef: { resource: 'limits.gpu' } } },
        ],
      }),
      errors: [
        'spec.containers[0].env[0].valueFrom.fieldRef.fieldPath: Invalid value: "spec.replicas": error converting fieldPath: field label not supported: spec.replicas',
        'spec.containers[0].env[1].valueFrom.fieldRef.fieldPath: Unsupported value: "metadata.labels": supported values: "metadata.name", "metadata.namespace", "metadata.uid", "spec.nodeName", "spec.serviceAccountName", "status.hostIP", "status.hostIPs", "status.podIP", "status.podIPs"',
        'spec.containers[0].env[3].valueFrom.resourceFieldRef.resource: Unsupported value: "limits.gpu": supported values: "limits.cpu", "limits.ephemeral-storage", "limits.memory", "requests.cpu", "requests.ephemeral-storage", "requests.memory"',
      ],
    },
    {
      title: 'a source of variables is a ConfigMap or a Secret',
      object: withContainer({ envFrom: [{}, { prefix: 'A=', configMapRef: {} }] }),
      errors: [
        'spec.containers[0].envFrom[0]: Invalid value: "": must specify one of: `configMapRef` or `secretRef`',
        'spec.containers[0].envFrom[1].prefix: Invalid value: "A=": a valid environment variable name must consist only of printable ASCII characters other than \'=\'',
        'spec.containers[0].envFrom[1].configMapRef.name: Required value',
      ],
    },
    {
      title: 'a mount refers to a volume of the Pod',
      object: withContainer({ volumeMounts: [{ name: 'data', mountPath: '', subPath: '../x' }] }),
      errors: [
        'spec.containers[0].volumeMounts[0].name: Not found: "data"',
        'spec.containers[0].volumeMounts[0].mountPath: Required value',
        'spec.containers[0].volumeMounts[0].subPath: Invalid value: "../x": must not contain \'..\'',
      ],
    },
    {
      title: 'requests stay below limits',
      object: withContainer({
        resources: {
          limits: { cpu: '500m', 'a.example/gpu': 2 },
          requests: { cpu: 1, 'a.example/gpu': 1 },
        },
      }),
      errors: [
        'spec.containers[0].resources.requests: Invalid value: "1": must be less than or equal to cpu limit of 500m',
        'spec.containers[0].resources.requests: Invalid value: "1": must be equal to a.example/gpu limit of 2',
      ],
    },
    {
      title: 'resources are known, whole where they are counted, and never negative',
      object: withContainer({
        resources: { limits: { gpu: 1, 'a.example/gpu': '1500m', memory: '-1Mi' } },
      }),
      errors: [
        'spec.containers[0].resources.limits[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.limits[gpu]: Invalid value: "gpu": must be a standard resource for containers',
        'spec.containers[0].resources.limits[a.example/gpu]: Invalid value: "1500m": must be an integer',
        'spec.containers[0].resources.limits[memory]: Invalid value: "-1Mi": must be greater than or equal to 0',
        'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource type or fully qualified',
        'spec.containers[0].resources.requests[gpu]: Invalid value: "gpu": must be a standard resource for containers',
        'spec.containers[0].resources.requests[a.example/gpu]: Invalid value: "1500m": must be an integer',
        'spec.containers[0].resources.requests[memory]: Invalid value: "-1Mi": must be greater than or equal to 0',
      ],
    },
    {
      title: 'a quantity is a quantity',
      object: withContainer({ resources: { limits: { cpu: '1 core' } } }),
      errors: [
        'spec.containers[0].resources.limits.cpu: Invalid value: "1 core": quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
        'spec.containers[0].resources.requests.cpu: Invalid value: "1 core": quantities must match the regular expression \'^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$\'',
      ],
    },
    {
      title: 'when an image is pulled is one of three',
      object: withContainer({ imagePullPolicy: 'Sometimes' }),
      errors: [
        'spec.containers[0].imagePullPolicy: Unsupported value: "Sometimes": supported values: "Always", "IfNotPresent", "Never"',
      ],
    },
    {
      title: 'security settings do not contradict each other',
      object: withContainer({
        securityContext: {
          runAsUser: -1,
          privileged: true,
          allowPrivilegeEscalation: false,
          seccompProfile: { type: 'Localhost' },
        },
      }),
      errors: [
        'spec.containers[0].securityContext.runAsUser: Invalid value: -1: must be between 0 and 2147483647, inclusive',
        'spec.containers[0].securityContext.seccompProfile.localhostProfile: Required value: must be set when seccomp type is Localhost',
        'spec.containers[0].securityContext: Invalid value: {"runAsUser":-1,"privileged":true,"allowPrivilegeEscalation":false,"seccompProfile":{"type":"Localhost"}}: cannot set `allowPrivilegeEscalation` to false and `privileged` to true',
      ],
    },
  ]);
});

describe('what is wrong with probes and hooks', () => {
  testRows(Pod, [
    {
      title: 'a probe has one handler',
      object: withContainer({
        livenessProbe: {},
        readinessProbe: { httpGet: { port: 80 }, exec: { command: ['true'] } },
      }),
      errors: [
        'spec.containers[0].livenessProbe: Required value: must specify a handler type',
        'spec.containers[0].readinessProbe.httpGet: Forbidden: may not specify more than 1 handler type',
      ],
    },
    {
      title: 'handlers know what to do',
      object: withContainer({
        livenessProbe: { exec: {} },
        readinessProbe: { httpGet: { httpHeaders: [{ name: 'A B', value: '' }] } },
        startupProbe: { tcpSocket: { port: 'Web' } },
        lifecycle: { preStop: { sleep: { seconds: 31 } }, postStart: {} },
      }),
      errors: [
        'spec.containers[0].lifecycle.postStart: Required value: must specify a handler type',
        'spec.containers[0].lifecycle.preStop.sleep: Invalid value: 31: must be non-negative and less than terminationGracePeriodSeconds (30)',
        'spec.containers[0].livenessProbe.exec.command: Required value',
        `spec.containers[0].readinessProbe.httpGet.port: Invalid value: 0: ${PORT_RANGE}`,
        "spec.containers[0].readinessProbe.httpGet.httpHeaders: Invalid value: \"A B\": a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
        'spec.containers[0].startupProbe.tcpSocket.port: Invalid value: "Web": must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      ],
    },
    {
      title: 'times and counts of probes',
      object: withContainer({
        livenessProbe: { grpc: { port: 80 }, periodSeconds: -1, successThreshold: 2 },
        readinessProbe: { grpc: { port: 80 }, terminationGracePeriodSeconds: 0 },
      }),
      errors: [
        'spec.containers[0].livenessProbe.periodSeconds: Invalid value: -1: must be greater than or equal to 0',
        'spec.containers[0].livenessProbe.successThreshold: Invalid value: 2: must be 1',
        'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must be greater than 0',
        'spec.containers[0].readinessProbe.terminationGracePeriodSeconds: Invalid value: 0: must not be set for readinessProbes',
      ],
    },
    {
      title: 'only a sidecar among init containers is probed',
      object: pod({
        initContainers: [
          { name: 'a', image: 'a', readinessProbe: { exec: { command: ['true'] } } },
          {
            name: 'b',
            image: 'b',
            restartPolicy: 'Always',
            readinessProbe: { exec: { command: ['true'] } },
          },
        ],
      }),
      errors: [
        'spec.initContainers[0].readinessProbe: Forbidden: may not be set for init containers without restartPolicy=Always',
      ],
    },
  ]);
});

describe('what is wrong with the volumes of a Pod', () => {
  testRows(Pod, [
    {
      title: 'a volume has a name and one source',
      object: pod({ volumes: [{ emptyDir: {}, hostPath: { path: '/a' } }] }),
      errors: [
        'spec.volumes[0].hostPath: Forbidden: may not specify more than 1 volume type',
        'spec.volumes[0].name: Required value',
      ],
    },
    {
      title: 'sources name what they are made from',
      object: pod({
        volumes: [
          { name: 'a', secret: {} },
          { name: 'b', configMap: { items: [{ key: 'k', path: '/etc/k', mode: 512 }] } },
          { name: 'c', persistentVolumeClaim: {} },
          { name: 'd', hostPath: { path: '/a/../b', type: 'Folder' } },
          { name: 'e', csi: {} },
        ],
      }),
      errors: [
        'spec.volumes[3].hostPath.type: Unsupported value: "Folder": supported values: "", "BlockDevice", "CharDevice", "Directory", "DirectoryOrCreate", "File", "FileOrCreate", "Socket"',
      ],
    },
    {
      title: 'sources are complete',
      object: pod({
        volumes: [
          { name: 'a', secret: {} },
          { name: 'b', configMap: { items: [{ key: 'k', path: '/etc/k', mode: 512 }] } },
          { name: 'c', persistentVolumeClaim: {} },
          { name: 'd', hostPath: { path: '/a/../b' } },
          { name: 'e', csi: {} },
          { name: 'f', downwardAPI: { items: [{ path: 'x' }] } },
        ],
      }),
      errors: [
        'spec.volumes[0].secret.secretName: Required value',
        'spec.volumes[1].configMap.name: Required value',
        'spec.volumes[1].configMap.items[0].path: Invalid value: "/etc/k": must be a relative path',
        'spec.volumes[1].configMap.items[0].mode: Invalid value: 512: must be a number between 0 and 0777 (octal), both inclusive',
        'spec.volumes[2].persistentVolumeClaim.claimName: Required value',
        'spec.volumes[3].hostPath.path: Invalid value: "/a/../b": must not contain \'..\'',
        'spec.volumes[4].csi.driver: Required value',
        'spec.volumes[5].downwardAPI.items[0]: Required value: one of fieldRef and resourceFieldRef is required',
      ],
    },
    {
      title: 'projected files do not cover each other',
      object: pod({
        serviceAccountName: 'robot',
        volumes: [
          {
            name: 'a',
            projected: {
              sources: [
                { secret: { name: 's', items: [{ key: 'k', path: 'x' }] } },
                { configMap: { items: [{ key: 'k', path: 'x' }] } },
                { serviceAccountToken: { expirationSeconds: 60, path: '..x' } },
              ],
            },
          },
        ],
      }),
      errors: [
        'spec.volumes[0].projected.sources[1].configMap.name: Required value',
        'spec.volumes[0].projected: Invalid value: "x": conflicting duplicate paths',
        'spec.volumes[0].projected.sources[2].serviceAccountToken.expirationSeconds: Invalid value: 60: may not specify a duration less than 10 minutes',
        'spec.volumes[0].projected.sources[2].serviceAccountToken.path: Invalid value: "..x": must not start with \'..\'',
      ],
    },
    {
      title: 'a claim says how much, and for whom',
      object: pod({ volumes: [{ name: 'a', ephemeral: { volumeClaimTemplate: { spec: {} } } }] }),
      errors: [
        'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.accessModes: Required value: at least 1 access mode is required',
        'spec.volumes[0].ephemeral.volumeClaimTemplate.spec.resources[storage]: Required value',
      ],
    },
  ]);
});

describe('what is wrong with the rest of a Pod', () => {
  testRows(Pod, [
    {
      title: 'policies are from closed lists',
      object: pod({ restartPolicy: 'Sometimes', dnsPolicy: 'Cluster' }),
      errors: [
        'spec.restartPolicy: Unsupported value: "Sometimes": supported values: "Always", "OnFailure", "Never"',
        'spec.dnsPolicy: Unsupported value: "Cluster": supported values: "ClusterFirstWithHostNet", "ClusterFirst", "Default", "None"',
      ],
    },
    {
      title: 'names have their forms',
      object: pod({ hostname: 'a.b', nodeName: 'A', nodeSelector: { 'a b': '' } }),
      errors: [
        `spec.nodeSelector: Invalid value: "a b": ${KEY}`,
        "spec.nodeName: Invalid value: \"A\": a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
        'spec.hostname: Invalid value: "a.b": must not contain dots',
      ],
    },
    {
      title: 'a Pod without cluster DNS brings its own',
      object: pod({ dnsPolicy: 'None' }),
      errors: ['spec.dnsConfig: Required value: must provide `dnsConfig` when `dnsPolicy` is None'],
    },
    {
      title: 'resolver settings have limits',
      object: pod({
        dnsConfig: { nameservers: ['a', '10.0.0.1', '10.0.0.2', '10.0.0.3'], options: [{}] },
      }),
      errors: [
        'spec.dnsConfig.nameservers: Invalid value: ["a","10.0.0.1","10.0.0.2","10.0.0.3"]: must not have more than 3 nameservers',
        'spec.dnsConfig.nameservers[0]: Invalid value: "a": must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)',
        'spec.dnsConfig.options[0]: Required value: must not be empty',
      ],
    },
    {
      title: 'tolerations say what they tolerate',
      object: pod({
        tolerations: [
          { key: 'a', operator: 'Is' },
          {},
          { key: 'a', operator: 'Exists', value: 'x', tolerationSeconds: 1 },
        ],
      }),
      errors: [
        'spec.tolerations[0].operator: Unsupported value: "Is": supported values: "Equal", "Exists"',
        'spec.tolerations[1].operator: Invalid value: "": operator must be Exists when `key` is empty, which means "match all values and all keys"',
        'spec.tolerations[2].effect: Invalid value: "": effect must be \'NoExecute\' when `tolerationSeconds` is set',
        'spec.tolerations[2].operator: Invalid value: "x": value must be empty when `operator` is \'Exists\'',
      ],
    },
    {
      title: 'affinity says where',
      object: pod({
        affinity: {
          nodeAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms: [] },
            preferredDuringSchedulingIgnoredDuringExecution: [
              { weight: 0, preference: { matchExpressions: [{ key: 'a', operator: 'In' }] } },
            ],
          },
          podAffinity: {
            requiredDuringSchedulingIgnoredDuringExecution: [
              {
                topologyKey: 'zone',
                labelSelector: { matchExpressions: [{ key: 'a', operator: 'Is' }] },
              },
            ],
          },
        },
      }),
      errors: [
        'spec.affinity.nodeAffinity.requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms: Required value: must have at least one node selector term',
        'spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].weight: Invalid value: 0: must be in the range 1-100',
        "spec.affinity.nodeAffinity.preferredDuringSchedulingIgnoredDuringExecution[0].preference.matchExpressions[0].values: Required value: must be specified when `operator` is 'In' or 'NotIn'",
        'spec.affinity.podAffinity.requiredDuringSchedulingIgnoredDuringExecution[0].labelSelector.matchExpressions[0].operator: Invalid value: "Is": not a valid selector operator',
      ],
    },
    {
      title: 'pods are spread over places',
      object: pod({
        topologySpreadConstraints: [
          { maxSkew: 0, topologyKey: '', whenUnsatisfiable: 'ScheduleAnyway', minDomains: 2 },
        ],
      }),
      errors: [
        'spec.topologySpreadConstraints[0].maxSkew: Invalid value: 0: must be greater than zero',
        'spec.topologySpreadConstraints[0].topologyKey: Required value: can not be empty',
        'spec.topologySpreadConstraints[0].minDomains: Invalid value: 2: can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ScheduleAnyway',
      ],
    },
    {
      title: 'a token needs an account',
      object: pod({
        volumes: [{ name: 'a', projected: { sources: [{ serviceAccountToken: { path: 'x' } }] } }],
      }),
      errors: [
        'spec.volumes[0].projected.sources[0].serviceAccountToken: Forbidden: must not be specified when serviceAccountName is not set',
      ],
    },
    {
      title: 'claims on devices are those of the Pod',
      object: pod(
        { resourceClaims: [{ name: 'gpu' }] },
        { resources: { claims: [{ name: 'gpu' }, { name: 'disk' }] } },
      ),
      errors: [
        'spec.resourceClaims[0]: Invalid value: {"name":"gpu"}: must specify one of: `resourceClaimName`, `resourceClaimTemplateName`',
        'spec.containers[0].resources.claims[1]: Not found: "disk": must be one of the names in pod.spec.resourceClaims: gpu',
      ],
    },
    {
      title: 'nobody starts with an ephemeral container',
      object: pod({
        ephemeralContainers: [{ name: 'look', image: 'a', ports: [{ containerPort: 1 }] }],
      }),
      errors: [
        'spec.ephemeralContainers[0].ports: Forbidden: cannot be set for an Ephemeral Container',
        'spec.ephemeralContainers: Forbidden: cannot be set on create',
      ],
    },
  ]);
});

describe('a change of a Pod', () => {
  const stored = pod({ nodeName: 'node-1', tolerations: [{ key: 'a', operator: 'Exists' }] });
  const changeable =
    'spec: Forbidden: pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)\n';
  const tolerations = [
    { key: 'a', operator: 'Exists' },
    { key: 'b', operator: 'Exists' },
  ];

  testRows(Pod, [
    {
      title: 'images change, tolerations are added, and the node stays',
      object: pod({ tolerations }, { image: 'web:2' }),
      old: stored,
      errors: [],
    },
    {
      title: 'a Pod without node may be given one',
      object: pod({ nodeName: 'node-1' }),
      old: pod({}),
      errors: [],
    },
    {
      title: 'the rest is for life',
      object: pod({ nodeName: 'node-2', tolerations, hostNetwork: true }, { args: ['x'] }),
      old: stored,
      errors: [`${changeable}spec.containers[0], spec.hostNetwork, spec.nodeName`],
    },
    {
      title: 'tolerations do not go',
      object: pod({}),
      old: stored,
      errors: [
        'spec.tolerations: Forbidden: existing toleration can not be modified except its tolerationSeconds',
      ],
    },
    {
      title: 'containers neither come nor go',
      object: pod({ containers: [] }),
      old: pod({}),
      errors: [
        'spec.containers: Required value',
        'spec.containers: Forbidden: pod updates may not add or remove containers',
      ],
    },
    {
      title: 'a deadline only comes nearer, and gates only open',
      object: pod({ activeDeadlineSeconds: 20, schedulingGates: [{ name: 'b.example/c' }] }),
      old: pod({ activeDeadlineSeconds: 10, schedulingGates: [{ name: 'a.example/b' }] }),
      errors: [
        'spec.activeDeadlineSeconds: Invalid value: 20: must be less than or equal to previous value',
        "spec.schedulingGates[0].name: Forbidden: only deletion is allowed, but found new scheduling gate 'b.example/c'",
      ],
    },
  ]);
});
