// What compile and explain say of a node is what fairway node does with the same files.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const MAIN = join(import.meta.dirname, '..', '..', 'src', 'cli', 'main.ts');

const OBJECTS = `apiVersion: v1
kind: Service
metadata: { name: cart, namespace: shop }
spec: { clusterIP: 10.96.0.10, ports: [{ port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: cart-1, namespace: shop, labels: { kubernetes.io/service-name: cart } }
addressType: IPv4
ports: [{ name: '', port: 8080, protocol: TCP }]
endpoints: [{ addresses: [10.244.1.2], conditions: { ready: true } }]
`;

describe('rules of a node', () => {
  const folder = mkdtempSync(join(tmpdir(), 'fairway-compile-'));
  // A name that would be two lines, the second of which no comment.
  const file = join(folder, 'shop\nflush ruleset\n.yaml');
  writeFileSync(file, OBJECTS);
  after(() => rmSync(folder, { recursive: true }));
  const fairway = (...args: readonly string[]): { text: string; errors: string } => {
    const done = spawnSync(process.execPath, [MAIN, ...args, file], { encoding: 'utf8' });
    return { text: done.stdout, errors: done.stderr };
  };

  for (const target of ['nftables', 'iptables', 'ipvs']) {
    it(`have the addresses that the files ask for (${target})`, () => {
      const { text, errors } = fairway(
        'compile',
        '--target',
        target,
        '--pod-cidr',
        '10.244.0.0/16',
      );
      assert.equal(errors, '');
      assert.match(text, /10\.96\.0\.10/);
      assert.match(text, /10\.244\.0\.0\/16/);
      assert.doesNotMatch(text, /127\.96\./);
    });

    it(`name files in comments only (${target})`, () => {
      const { text } = fairway('compile', '--target', target);
      assert.match(text, /flush ruleset/);
      assert.doesNotMatch(text, /^flush/m);
    });
  }

  it('get addresses from another range when told so', () => {
    const { text, errors } = fairway(
      'compile',
      '--target',
      'nftables',
      '--service-cidr',
      '10.0.0.0/24',
    );
    assert.match(text, /10\.0\.0\.\d+ \. tcp \. 80/);
    assert.match(errors, /1 warning/);
  });

  it('are asked with the same addresses', () => {
    const { text } = fairway('explain', 'tcp://10.96.0.10:80', '--from', '10.244.1.2');
    assert.match(text, /sent to one of 10\.244\.1\.2:8080/);
    assert.match(text, /nftables say the same/);
  });
});
