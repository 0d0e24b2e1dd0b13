import assert from 'node:assert/strict';
import { test } from 'node:test';
import { service } from '../testing.ts';
import { serviceVariables } from './service-links.ts';

test('a service is known by its address, its first port, its named ports and its links', () => {
  const links = serviceVariables([
    service('book-store', {
      clusterIP: '127.96.0.5',
      ports: [
        { name: 'http', port: 80 },
        { name: 'dns-udp', port: 53, protocol: 'UDP' },
      ],
    }),
  ]);
  assert.deepEqual(Object.fromEntries(links), {
    BOOK_STORE_SERVICE_HOST: '127.96.0.5',
    BOOK_STORE_SERVICE_PORT: '80',
    BOOK_STORE_SERVICE_PORT_HTTP: '80',
    BOOK_STORE_SERVICE_PORT_DNS_UDP: '53',
    BOOK_STORE_PORT: 'tcp://127.96.0.5:80',
    BOOK_STORE_PORT_80_TCP: 'tcp://127.96.0.5:80',
    BOOK_STORE_PORT_80_TCP_PROTO: 'tcp',
    BOOK_STORE_PORT_80_TCP_PORT: '80',
    BOOK_STORE_PORT_80_TCP_ADDR: '127.96.0.5',
    BOOK_STORE_PORT_53_UDP: 'udp://127.96.0.5:53',
    BOOK_STORE_PORT_53_UDP_PROTO: 'udp',
    BOOK_STORE_PORT_53_UDP_PORT: '53',
    BOOK_STORE_PORT_53_UDP_ADDR: '127.96.0.5',
  });
});

test('an IPv6 address is bracketed in links only', () => {
  const links = serviceVariables([service('a', { clusterIP: 'fd00::5', ports: [{ port: 80 }] })]);
  assert.equal(links.get('A_SERVICE_HOST'), 'fd00::5');
  assert.equal(links.get('A_PORT'), 'tcp://[fd00::5]:80');
});

test('services without a cluster address have no variables', () => {
  const services = [
    service('headless', { clusterIP: 'None', ports: [{ port: 80 }] }),
    service('external', { type: 'ExternalName', externalName: 'example.com' }),
    service('pending', { ports: [{ port: 80 }] }),
  ];
  assert.equal(serviceVariables(services).size, 0);
});

test('a port that needs a privilege is told by the number it is served at', () => {
  const links = serviceVariables(
    [
      service('a', {
        clusterIP: '127.96.0.5',
        ports: [
          { name: 'http', port: 80 },
          { name: 'alt', port: 8080 },
        ],
      }),
    ],
    1024,
  );
  assert.equal(links.get('A_SERVICE_PORT'), '16080');
  assert.equal(links.get('A_SERVICE_PORT_HTTP'), '16080');
  assert.equal(links.get('A_PORT'), 'tcp://127.96.0.5:16080');
  assert.equal(links.get('A_PORT_80_TCP_PORT'), '16080');
  assert.equal(links.get('A_PORT_8080_TCP_PORT'), '8080');
});
