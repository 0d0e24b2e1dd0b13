import assert from 'node:assert/strict';
import { test } from 'node:test';
import { observe } from './live-findings.ts';
import type { Observation } from './live-findings.ts';
import { pod, the } from './testing.ts';

const POD = pod();
const IP = '127.244.0.5';

const CASES: readonly (readonly [
  name: string,
  seen: Partial<Observation>,
  reason: string | undefined,
  message?: RegExp,
  hint?: RegExp,
])[] = [
  [
    'a container that is ready at its address is fine',
    { ready: true, listeners: [{ address: IP, port: 80 }] },
    undefined,
  ],
  ['a container that listens nowhere and is ready is fine', { ready: true }, undefined],
  [
    'a container on all addresses is a danger to its replicas, though it is ready',
    {
      ready: true,
      listeners: [
        { address: '0.0.0.0', port: 80 },
        { address: '::', port: 81 },
      ],
    },
    'ListensOnAllAddresses',
    /listens on 0\.0\.0\.0:80, \[::\]:81/,
    /status\.podIP/,
  ],
  [
    'a container on another address only cannot be reached',
    {
      ready: false,
      message: 'connection refused',
      listeners: [{ address: '127.0.0.1', port: 80 }],
    },
    'ListensElsewhere',
    /listens on 127\.0\.0\.1:80 and not on the pod's address 127\.244\.0\.5/,
    /status\.podIP/,
  ],
  [
    'a container at its address may have another port than the probe asks',
    { ready: false, message: 'connection refused', listeners: [{ address: IP, port: 3000 }] },
    'NotReady',
    /not ready: connection refused/,
    /listens on 127\.244\.0\.5:3000/,
  ],
  [
    'a container that is ready without the port it declares is named',
    { ready: true, message: `nothing accepts on ${IP}:80`, listeners: [] },
    'PortNotOpen',
    /declares a port on which nothing accepts/,
  ],
];

for (const [name, seen, reason, message, hint] of CASES) {
  test(name, () => {
    const finding = observe({
      pod: POD,
      container: the(POD.spec.containers[0]),
      podIp: IP,
      ready: false,
      listeners: [],
      ...seen,
    });
    assert.equal(finding?.reason, reason);
    if (message !== undefined) assert.match(the(finding).message, message);
    if (hint !== undefined) assert.match(the(the(finding).hint), hint);
  });
}
