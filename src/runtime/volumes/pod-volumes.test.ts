import assert from 'node:assert/strict';
import { existsSync, readFileSync, readlinkSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import type { TestContext } from 'node:test';
import type { Pod } from '../../api/core/pod.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { placementOf, podSources } from '../pod/sources.ts';
import { configMap, pod, secret, snapshotOf, temporaryFolder, the } from '../testing.ts';
import { MountError, PodVolumes } from './pod-volumes.ts';
import { resolveMount } from './mounts.ts';
import type { Mount } from './mounts.ts';

function volumesIn(t: TestContext): { volumes: PodVolumes; folder: string; directory: string } {
  const folder = temporaryFolder(t);
  const directory = join(folder, 'pod');
  return {
    volumes: new PodVolumes({ directory, claimsDirectory: join(folder, 'claims') }),
    folder,
    directory,
  };
}

const update = (
  volumes: PodVolumes,
  subject: Pod,
  snapshot: Snapshot = snapshotOf(),
): Promise<void> =>
  volumes.update(subject, podSources(subject, snapshot, placementOf('127.244.0.5')));

const mount = (
  volumes: PodVolumes,
  subject: Pod,
  variables: Record<string, string> = {},
): ReturnType<PodVolumes['mount']> =>
  volumes.mount(subject, the(subject.spec.containers[0]), new Map(Object.entries(variables)));

const real = (mounts: readonly Mount[], path: string): string => the(resolveMount(mounts, path));

test('mounts lead to the files, directly and below the root', async (t) => {
  const { volumes } = volumesIn(t);
  const subject = pod({
    container: {
      volumeMounts: [
        { name: 'config', mountPath: '/etc/app/' },
        { name: 'scratch', mountPath: '/var/cache', subPath: 'a/b' },
        { name: 'config', mountPath: '/opt/one.yaml', subPath: 'app.yaml' },
      ],
    },
    spec: {
      volumes: [
        { name: 'config', configMap: { name: 'settings' } },
        { name: 'scratch', emptyDir: {} },
      ],
    },
  });
  await update(volumes, subject, snapshotOf(configMap('settings', { 'app.yaml': 'x: 1' })));
  const { root, mounts } = await mount(volumes, subject);
  assert.equal(readFileSync(real(mounts, '/etc/app/app.yaml'), 'utf8'), 'x: 1');
  assert.equal(readFileSync(real(mounts, '/opt/one.yaml'), 'utf8'), 'x: 1');
  assert.equal(readFileSync(join(root, 'etc/app/app.yaml'), 'utf8'), 'x: 1');
  assert.ok(statSync(real(mounts, '/var/cache')).isDirectory());
  assert.equal(statSync(root).mode & 0o777, 0o700);
});

test('subPathExpr takes variables, and no subPath leads out of its volume', async (t) => {
  const { volumes } = volumesIn(t);
  const withMount = (fields: Record<string, unknown>): Pod =>
    pod({
      container: { volumeMounts: [{ name: 'scratch', mountPath: '/data', ...fields }] },
      spec: { volumes: [{ name: 'scratch', emptyDir: {} }] },
    });
  const subject = withMount({ subPathExpr: 'of-$(POD)' });
  await update(volumes, subject);
  const { mounts } = await mount(volumes, subject, { POD: 'web-0' });
  assert.match(real(mounts, '/data'), /\/of-web-0$/);
  await assert.rejects(mount(volumes, subject, { POD: 'x/../../..' }), MountError);
});

test('a subPath that a Secret does not have is an error, and creates nothing', async (t) => {
  const { volumes } = volumesIn(t);
  const subject = pod({
    container: { volumeMounts: [{ name: 's', mountPath: '/s', subPath: 'none' }] },
    spec: { volumes: [{ name: 's', secret: { secretName: 'login' } }] },
  });
  await update(volumes, subject, snapshotOf(secret('login', { user: 'ada' })));
  await assert.rejects(
    mount(volumes, subject),
    /failed to prepare subPath for volumeMount "s" of container "main"/,
  );
});

test('a mount below another is found, and has no link in the root', async (t) => {
  const { volumes } = volumesIn(t);
  const subject = pod({
    container: {
      volumeMounts: [
        { name: 'outer', mountPath: '/data' },
        { name: 'inner', mountPath: '/data/inner' },
      ],
    },
    spec: {
      volumes: [
        { name: 'outer', emptyDir: {} },
        { name: 'inner', emptyDir: {} },
      ],
    },
  });
  await update(volumes, subject);
  const { root, mounts } = await mount(volumes, subject);
  assert.match(real(mounts, '/data/inner/x'), /volumes\/inner\/x$/);
  assert.equal(existsSync(join(root, 'data/inner')), false);
});

test('what is missing keeps the pod waiting, and what was there stays when it goes', async (t) => {
  const { volumes, directory } = volumesIn(t);
  const subject = pod({ spec: { volumes: [{ name: 's', secret: { secretName: 'login' } }] } });
  await assert.rejects(update(volumes, subject), /secret "login" not found/);
  const content = join(directory, 'volumes/s');
  await update(volumes, subject, snapshotOf(secret('login', { user: 'ada' })));
  const before = readlinkSync(join(content, '..data'));
  await update(volumes, subject, snapshotOf(secret('login', { user: 'ada' })));
  assert.equal(
    readlinkSync(join(content, '..data')),
    before,
    'the same content is not written again',
  );
  await update(volumes, subject, snapshotOf(secret('login', { user: 'eve' })));
  assert.equal(readFileSync(join(content, 'user'), 'utf8'), 'eve');
  await update(volumes, subject);
  assert.equal(readFileSync(join(content, 'user'), 'utf8'), 'eve');
});

test('a hostPath is the path itself, of the type that was asked for', async (t) => {
  const { volumes, folder } = volumesIn(t);
  const at = (path: string, type?: string): Pod =>
    pod({
      container: { volumeMounts: [{ name: 'h', mountPath: '/h' }] },
      spec: {
        volumes: [{ name: 'h', hostPath: { path, ...(type === undefined ? {} : { type }) } }],
      },
    });
  const made = join(folder, 'made');
  await update(volumes, at(made, 'DirectoryOrCreate'));
  assert.ok(statSync(made).isDirectory());
  assert.equal(real((await mount(volumes, at(made))).mounts, '/h/x'), join(made, 'x'));
  const file = join(folder, 'file');
  writeFileSync(file, '');
  await update(volumes, at(file, 'File'));
  await update(volumes, at(join(folder, 'none')));
  await assert.rejects(
    update(volumes, at(file, 'Directory')),
    /hostPath type check failed: .*file is not a directory/,
  );
  await assert.rejects(update(volumes, at(join(folder, 'none'), 'File')), /none is not a file/);
  await assert.rejects(update(volumes, at(join(file, 'below'), 'DirectoryOrCreate')), MountError);
});

test('a claim is a folder that outlives the pod; everything else goes with it', async (t) => {
  const { volumes, folder, directory } = volumesIn(t);
  const subject = pod({
    spec: {
      volumes: [
        { name: 'c', persistentVolumeClaim: { claimName: 'data' } },
        { name: 'e', emptyDir: {} },
      ],
    },
  });
  await update(volumes, subject);
  const claim = join(folder, 'claims/default/data');
  writeFileSync(join(claim, 'kept'), '');
  await volumes.remove();
  assert.equal(existsSync(directory), false);
  assert.ok(existsSync(join(claim, 'kept')));
});
