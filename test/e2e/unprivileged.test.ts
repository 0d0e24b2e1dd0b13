// What a user without privileges meets, as most do: ports below 1024 are served at others.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chownSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BIN, folder, ownEnvironment } from '../support/fairway.ts';

/** A user nobody is; what it starts has no privileges. */
const NOBODY = 65_534;
const root = join(import.meta.dirname, '..', '..');

/** Why these tests cannot tell anything here; false when they can. */
function reason(): string | false {
  if (process.platform !== 'linux') return 'ports need no privilege on this system';
  const path = '/proc/sys/net/ipv4/ip_unprivileged_port_start';
  return Number(readFileSync(path, 'utf8')) <= 80 ? 'port 80 needs no privilege here' : false;
}

describe('without the privilege to open ports below 1024', { skip: reason() }, () => {
  it('the bookshop works: Services are served at other ports, and pods are told', () => {
    const home = folder({});
    const user = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
    if (user.uid !== undefined) chownSync(home.path, NOBODY, NOBODY);
    const { status, stdout, stderr } = spawnSync(
      BIN,
      [
        'up',
        join(root, 'examples/bookshop'),
        '--',
        'sh',
        '-c',
        'curl -si -H "host: bookshop.localhost" $FAIRWAY_URL/',
      ],
      { ...user, env: ownEnvironment(home.path), encoding: 'utf8', timeout: 60_000 },
    );
    home.remove();
    assert.equal(status, 0, stderr);
    assert.match(stdout, /^HTTP\/1\.1 200 /, stdout + stderr);
    assert.doesNotMatch(stderr, /error: /);
    assert.match(
      stderr,
      /books\.yaml:\d+:\d+: info: Service bookshop\/books: port 80 is served at 127\.\d+\.\d+\.\d+:8080/,
    );
  });
});
