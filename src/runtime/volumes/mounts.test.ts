import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mountRewriter, normalizeMountPath, resolveMount } from './mounts.ts';

const MOUNTS = [
  { containerPath: '/etc/app', path: '/real/app' },
  { containerPath: '/etc/app/certs', path: '/real/certs' },
  { containerPath: '/etc/nginx/nginx.conf', path: '/real/conf/nginx.conf' },
  { containerPath: '/var/lib/a+b (c)', path: '/real/odd' },
  { containerPath: '/tmp', path: '/state/tmp/x' },
];

const CASES: readonly (readonly [name: string, text: string, rewritten: string])[] = [
  ['a path alone', '/etc/app', '/real/app'],
  ['a path below it', '/etc/app/a.yaml', '/real/app/a.yaml'],
  ['a path with a slash at its end', '/etc/app/', '/real/app/'],
  ['a flag', '--config=/etc/app/a.yaml', '--config=/real/app/a.yaml'],
  ['a flag glued to its letter is not a path', '-c/etc/app', '-c/etc/app'],
  ['several paths in a shell line', 'cat /etc/app/a "/etc/app/b"', 'cat /real/app/a "/real/app/b"'],
  ['a list of paths', '/etc/app:/etc/app/bin', '/real/app:/real/app/bin'],
  ['the longer mount wins', '/etc/app/certs/tls.crt', '/real/certs/tls.crt'],
  ['a path that only begins alike', '/etc/apply', '/etc/apply'],
  ['a file that only begins alike', '/etc/app.yaml', '/etc/app.yaml'],
  ['a name with a dash', '/etc/app-old', '/etc/app-old'],
  ['the end of a sentence', 'see /etc/app.', 'see /real/app.'],
  ['a path inside a longer one', '/srv/etc/app', '/srv/etc/app'],
  ['a relative path', './etc/app', './etc/app'],
  ['the path of a URL', 'http://host/etc/app', 'http://host/etc/app'],
  ['a URL of a file', 'file:///etc/app/a', 'file:///real/app/a'],
  ['a single file', '-c /etc/nginx/nginx.conf', '-c /real/conf/nginx.conf'],
  ['characters that mean something in patterns', '/var/lib/a+b (c)/x', '/real/odd/x'],
  ['what was put in is not replaced again', '/tmp/y', '/state/tmp/x/y'],
];

for (const [name, text, rewritten] of CASES) {
  test(name, () => assert.equal(mountRewriter(MOUNTS)(text), rewritten));
}

test('without mounts a text stays as it is', () => {
  assert.equal(mountRewriter([])('/etc/app'), '/etc/app');
});

test('a mount of the root changes nothing', () => {
  assert.equal(mountRewriter([{ containerPath: '', path: '/real' }])('/etc/app'), '/etc/app');
});

test('a path in the container is found in the mount that is nearest to it', () => {
  assert.equal(resolveMount(MOUNTS, '/etc/app/certs/tls.crt'), '/real/certs/tls.crt');
  assert.equal(resolveMount(MOUNTS, '/etc/app'), '/real/app');
  assert.equal(resolveMount(MOUNTS, '/etc/apply'), undefined);
  assert.equal(resolveMount(MOUNTS, '/etc/passwd'), undefined);
  assert.equal(resolveMount(MOUNTS, '/etc/app/../passwd'), undefined);
});

test('mount paths are brought to one form', () => {
  assert.equal(normalizeMountPath('/etc//app/'), '/etc/app');
  assert.equal(normalizeMountPath('etc/app'), '/etc/app');
  assert.equal(normalizeMountPath('/'), '');
});
