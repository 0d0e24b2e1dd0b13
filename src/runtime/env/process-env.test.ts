import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { writeFileSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { temporaryFolder } from '../testing.ts';
import { processEnvironment } from './process-env.ts';
import type { ProcessEnvOptions } from './process-env.ts';

const OPTIONS: ProcessEnvOptions = {
  host: {},
  variables: new Map(),
  rewrite: (text) => text,
  hostname: 'web-0',
  podIp: '127.244.0.5',
  podPorts: [8080, 9090],
  root: '/state/root',
  marker: { FAIRWAY_OWNER: '1.2' },
};

test('only a few of the variables of the user are passed on', () => {
  const env = processEnvironment({
    ...OPTIONS,
    host: {
      PATH: '/bin',
      HOME: '/home/ada',
      TZ: 'Europe/Berlin',
      AWS_SECRET_ACCESS_KEY: 'secret',
      NODE_COMPILE_CACHE: '/cache',
      NODE_OPTIONS: '--inspect',
      npm_config_cache: '/npm',
    },
  });
  assert.deepEqual(env, {
    PATH: '/bin',
    HOME: '/home/ada',
    TZ: 'Europe/Berlin',
    HOSTNAME: 'web-0',
    FAIRWAY_POD_IP: '127.244.0.5',
    FAIRWAY_POD_PORTS: '8080,9090',
    FAIRWAY_ROOT: '/state/root',
    FAIRWAY_OWNER: '1.2',
  });
});

test("the container's variables win over the user's, and their paths are made real", () => {
  const env = processEnvironment({
    ...OPTIONS,
    host: { PATH: '/bin', HOME: '/etc/app/home' },
    variables: new Map([
      ['PATH', '/etc/app/bin:/bin'],
      ['HOSTNAME', 'other'],
      ['FAIRWAY_OWNER', 'not mine'],
    ]),
    rewrite: (text) => text.replaceAll('/etc/app', '/real'),
  });
  assert.equal(env['PATH'], '/real/bin:/bin');
  assert.equal(env['HOME'], '/etc/app/home');
  assert.equal(env['HOSTNAME'], 'other');
  assert.equal(env['FAIRWAY_OWNER'], '1.2');
});

test('NODE_OPTIONS of the container follow ours', () => {
  const env = processEnvironment({
    ...OPTIONS,
    variables: new Map([['NODE_OPTIONS', '--max-old-space-size=100']]),
    preload: '/fairway/preload.cjs',
  });
  assert.equal(env['NODE_OPTIONS'], '--require /fairway/preload.cjs --max-old-space-size=100');
});

test('the cluster DNS is passed on with its search domains', () => {
  const dns = { server: '127.96.0.10:53', search: ['shop.svc.cluster.local', 'cluster.local'] };
  const env = processEnvironment({ ...OPTIONS, dns });
  assert.equal(env['FAIRWAY_DNS'], '127.96.0.10:53');
  assert.equal(env['FAIRWAY_DNS_SEARCH'], 'shop.svc.cluster.local,cluster.local');
});

test('Node.js finds the preload file also below a folder with spaces and quotes', (t) => {
  const folder = join(temporaryFolder(t), 'a "b" c\\d');
  mkdirSync(folder);
  const preload = join(folder, 'preload.cjs');
  writeFileSync(preload, "globalThis.loaded = 'yes';");
  const env = processEnvironment({ ...OPTIONS, preload });
  const said = execFileSync(process.execPath, ['-p', 'loaded'], { env, encoding: 'utf8' });
  assert.equal(said, 'yes\n');
});
