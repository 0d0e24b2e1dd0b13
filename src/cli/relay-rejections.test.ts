import assert from 'node:assert/strict';
import { it } from 'node:test';
import { rejectedPorts } from './relay-rejections.ts';

it('names the port of a Service once, with all that could not be opened', () => {
  const reason = 'PortUnavailable';
  const relays = [
    { id: 'shop/a:80/TCP|clusterIP|10.96.0.1:80', reason, message: 'not ours', hint: 'add it' },
    { id: 'shop/a:80/TCP|nodePort|192.0.2.1:30080', reason, message: 'taken' },
    { id: 'shop/b:80/TCP|clusterIP|10.96.0.2:80', reason, message: 'not ours' },
  ];
  assert.deepEqual(rejectedPorts(relays), [
    {
      id: 'shop/a:80/TCP',
      reason,
      message:
        'Service shop/a:80/TCP is not wholly in force: cannot open clusterIP 10.96.0.1:80 (not ours), nodePort 192.0.2.1:30080 (taken)',
      hint: 'add it',
    },
    {
      id: 'shop/b:80/TCP',
      reason,
      message:
        'Service shop/b:80/TCP is not wholly in force: cannot open clusterIP 10.96.0.2:80 (not ours)',
    },
  ]);
});
