import assert from 'node:assert/strict';
import { test } from 'node:test';
import { placementOf, podSources } from '../pod/sources.ts';
import { configMap, pod, secret, snapshotOf, the } from '../testing.ts';
import { volumeContent } from './content.ts';

const SNAPSHOT = snapshotOf(
  configMap('settings', { 'app.yaml': 'color: red', other: 'x' }),
  secret('tls', { 'tls.crt': 'CRT', 'tls.key': 'KEY' }),
);

/** Path, text and mode of each file; or what is missing. */
function filesOf(volume: Record<string, unknown>): unknown {
  const subject = pod({
    name: 'web-0',
    labels: { app: 'web' },
    container: { resources: { limits: { memory: '64Mi' } } },
    spec: { volumes: [{ name: 'v', ...volume }] },
  });
  const sources = podSources(subject, SNAPSHOT, placementOf('127.244.0.5'));
  const content = volumeContent(the(subject.spec.volumes?.[0]), sources);
  if (content === undefined) return undefined;
  if (!content.ok) return content.message;
  return content.files.map(({ path, data, mode }) => [path, data.toString(), mode.toString(8)]);
}

const CASES: readonly (readonly [name: string, volume: Record<string, unknown>, files: unknown])[] =
  [
    [
      'a ConfigMap gives all its keys',
      { configMap: { name: 'settings' } },
      [
        ['app.yaml', 'color: red', '644'],
        ['other', 'x', '644'],
      ],
    ],
    [
      'items choose keys, paths and modes',
      {
        configMap: {
          name: 'settings',
          defaultMode: 0o600,
          items: [
            { key: 'app.yaml', path: 'a/b.yaml' },
            { key: 'other', path: 'run', mode: 0o755 },
          ],
        },
      },
      [
        ['a/b.yaml', 'color: red', '600'],
        ['run', 'x', '755'],
      ],
    ],
    [
      'a Secret is never readable by others, whatever mode is asked for',
      {
        secret: {
          secretName: 'tls',
          defaultMode: 0o644,
          items: [
            { key: 'tls.key', path: 'k', mode: 0o777 },
            { key: 'tls.crt', path: 'c' },
          ],
        },
      },
      [
        ['k', 'KEY', '700'],
        ['c', 'CRT', '600'],
      ],
    ],
    [
      'a file nobody could read is readable by the user',
      { secret: { secretName: 'tls', items: [{ key: 'tls.key', path: 'k', mode: 0o040 }] } },
      [['k', 'KEY', '400']],
    ],
    [
      'the downward API gives fields and resources',
      {
        downwardAPI: {
          items: [
            { path: 'labels', fieldRef: { fieldPath: 'metadata.labels' } },
            {
              path: 'memory',
              resourceFieldRef: {
                containerName: 'main',
                resource: 'limits.memory',
                divisor: '1Mi',
              },
            },
          ],
        },
      },
      [
        ['labels', 'app="web"', '644'],
        ['memory', '64', '644'],
      ],
    ],
    [
      'a projected volume puts several together, the later over the earlier',
      {
        projected: {
          defaultMode: 0o640,
          sources: [
            { configMap: { name: 'settings' } },
            { secret: { name: 'tls', items: [{ key: 'tls.crt', path: 'other' }] } },
            {
              downwardAPI: { items: [{ path: 'name', fieldRef: { fieldPath: 'metadata.name' } }] },
            },
          ],
        },
      },
      [
        ['app.yaml', 'color: red', '640'],
        ['other', 'CRT', '600'],
        ['name', 'web-0', '640'],
      ],
    ],
    ['an optional object may be missing', { secret: { secretName: 'none', optional: true } }, []],
    [
      'an optional key may be missing',
      {
        configMap: {
          name: 'settings',
          optional: true,
          items: [
            { key: 'none', path: 'x' },
            { key: 'other', path: 'y' },
          ],
        },
      },
      [['y', 'x', '644']],
    ],
    ['an emptyDir is not made of objects', { emptyDir: {} }, undefined],
    [
      'a missing Secret',
      { secret: { secretName: 'none' } },
      'MountVolume.SetUp failed for volume "v" : secret "none" not found',
    ],
    [
      'a missing ConfigMap',
      { configMap: { name: 'none' } },
      'MountVolume.SetUp failed for volume "v" : configmap "none" not found',
    ],
    [
      'a missing key of a Secret',
      { secret: { secretName: 'tls', items: [{ key: 'none', path: 'x' }] } },
      'MountVolume.SetUp failed for volume "v" : references non-existent secret key: none',
    ],
    [
      'a missing key of a projected ConfigMap',
      {
        projected: {
          sources: [{ configMap: { name: 'settings', items: [{ key: 'none', path: 'x' }] } }],
        },
      },
      'MountVolume.SetUp failed for volume "v" : references non-existent config key: none',
    ],
  ];

for (const [name, volume, files] of CASES) {
  test(name, () => assert.deepEqual(filesOf(volume), files));
}
