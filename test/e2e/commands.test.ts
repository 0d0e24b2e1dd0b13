// What commands do at their edges: output nobody reads, folders that cannot be written, exit codes.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { chmodSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { BIN, folder, ownEnvironment } from '../support/fairway.ts';
import { documents, echo, GATEWAY, route } from '../support/manifests.ts';

const NOBODY = 65_534;

/** Runs a command over the smallest manifests that serve something. */
function fairway(
  args: readonly string[],
  user: { readonly home?: string; readonly uid?: number; readonly gid?: number } = {},
) {
  const home = folder({});
  const manifests = folder({ 'app.yaml': documents(GATEWAY, echo('one'), route('r', '/', 'one')) });
  const all = args.map((arg) => arg.replace('FILES', manifests.path));
  const { home: given = home.path, ...ids } = user;
  if (ids.uid !== undefined) chmodSync(manifests.path, 0o755);
  const options = { encoding: 'utf8', timeout: 60_000 } as const;
  const result = spawnSync(BIN, all, { ...ids, ...options, env: ownEnvironment(given) });
  home.remove();
  manifests.remove();
  return result;
}

describe(
  'a folder that cannot be written',
  { skip: process.getuid?.() !== 0 && 'needs root' },
  () => {
    it('is named, with what to set', () => {
      const home = folder({});
      const args = ['up', 'FILES', '--', 'true'];
      const { status, stderr } = fairway(args, { home: home.path, uid: NOBODY, gid: NOBODY });
      home.remove();
      assert.equal(status, 2, stderr);
      assert.match(stderr, /FW_HOME_UNWRITABLE/);
      assert.match(stderr, /FAIRWAY_HOME.*XDG_STATE_HOME/);
    });
  },
);

describe('the command line', () => {
  const wrong: readonly (readonly string[])[] = [
    ['no-such-command'],
    ['up', '--no-such-option', 'FILES'],
    ['compile', 'FILES'],
    ['check'],
    ['check', '-o', 'xml', 'FILES'],
    ['up', '--ready-timeout', 'x', 'FILES', '--', 'true'],
    ['up', '--ready-timeout', '-5', 'FILES', '--', 'true'],
    ['up', '--workers', 'many', 'FILES', '--', 'true'],
  ];
  for (const args of wrong) {
    it(`${args.join(' ')} ends with 2`, () => {
      const { status, stderr } = fairway(args);
      assert.equal(status, 2, stderr);
    });
  }

  it('is helped with 0', () => {
    assert.equal(fairway(['--help']).status, 0);
    assert.equal(fairway(['up', '--help']).status, 0);
    assert.equal(fairway(['--version']).status, 0);
  });
});

describe('fairway check', () => {
  it('shows the address of a load balancer before that of the cluster', () => {
    const home = folder({});
    const text = 'apiVersion: v1\nkind: Service\nmetadata: { name: lb }\n';
    const manifests = folder({
      'lb.yaml': `${text}spec: { type: LoadBalancer, selector: { app: x }, ports: [{ port: 80 }] }\n`,
    });
    const options = { encoding: 'utf8', env: ownEnvironment(home.path) } as const;
    const { stdout } = spawnSync(BIN, ['check', manifests.path], options);
    home.remove();
    manifests.remove();
    assert.match(stdout, /default\/lb +LoadBalancer +127\.80\.\d+\.\d+,127\.96\.\d+\.\d+ /);
  });
});

describe('fairway explain', () => {
  const big = 'x'.repeat(9000);
  const refused: readonly (readonly [string, readonly string[], number])[] = [
    ['TRACE', ['TRACE', 'http://a/'], 405],
    ['a blank in the path', ['http://a/b c'], 400],
    ['a target that is too long', [`http://a/${big}`], 414],
    [
      'two lengths',
      ['http://a/', '-H', 'Content-Length: 1', '-H', 'Transfer-Encoding: chunked'],
      400,
    ],
    ['a path that can be read in two ways', ['http://a/%2e%2e%2fb'], 400],
  ];
  for (const [what, args, statusCode] of refused) {
    it(`says what the data path does about ${what}`, () => {
      const { status, stdout, stderr } = fairway(['explain', ...args, 'FILES']);
      assert.equal(status, 1, stderr);
      assert.match(stdout, new RegExp(`answered by Fairway with ${statusCode}: `));
      assert.doesNotMatch(stdout, /would take it/);
    });
  }

  it('keeps to the limits of the parameters of a Gateway', () => {
    const manifests = folder({
      'in.yaml': `
apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: small }
spec:
  gatewayClassName: fairway
  infrastructure: { parametersRef: { group: fairway.dev, kind: GatewayParameters, name: small } }
  listeners: [{ name: http, port: 80, protocol: HTTP }]
---
apiVersion: fairway.dev/v1alpha1
kind: GatewayParameters
metadata: { name: small }
spec: { limits: { targetBytes: 256 } }
`,
    });
    const asked = (bytes: number): string =>
      fairway(['explain', `http://a/${'x'.repeat(bytes)}`, manifests.path]).stdout;
    assert.match(asked(300), /answered by Fairway with 414: /);
    assert.match(asked(100), /answered by Fairway with 404: /);
    manifests.remove();
  });

  it('refuses what is no question', () => {
    for (const args of [
      ['http://a/', '-H', 'X-A: 1\r\nX-B: 2', 'FILES'],
      ['http://a/', 'http://b/', 'FILES'],
      ['http://a/', '--gateway', 'nope/x', 'FILES'],
    ]) {
      const { status, stderr } = fairway(['explain', ...args]);
      assert.equal(status, 2, stderr);
    }
    assert.match(
      fairway(['explain', 'http://a/', '--gateway', 'n/x', 'FILES']).stderr,
      /no such Gateway/,
    );
  });
});

describe('fairway logs', () => {
  it('takes the name of a workload, and names the pods there are', () => {
    const home = folder({});
    const manifests = folder({
      'app.yaml': echo('shop')
        .replace('ports: [{ containerPort: 3000 }]', '')
        .replace(
          'image: registry.k8s.io/gateway-api/echo-basic:v1.5.1',
          "image: none\n          command: [sh, -c, 'echo hello; exec sleep 600']",
        ),
    });
    const env = { ...ownEnvironment(home.path), FAIRWAY: BIN };
    const script =
      'sleep 1; "$FAIRWAY" logs shop; "$FAIRWAY" logs deploy/shop -n default; "$FAIRWAY" logs nobody; true';
    const args = ['up', manifests.path, '--ready-timeout', '30', '--', 'sh', '-c', script];
    const { stdout, stderr } = spawnSync(BIN, args, { env, encoding: 'utf8', timeout: 60_000 });
    home.remove();
    manifests.remove();
    assert.equal(stdout, 'hello\nhello\n', stderr);
    assert.match(stderr, /running pods: shop-[a-z0-9]+-[a-z0-9]{5}/);
  });
});

describe('output that nobody reads', () => {
  it('is no error', () => {
    const home = folder({});
    const manifests = folder({
      'app.yaml': documents(GATEWAY, echo('one'), route('r', '/', 'one')),
    });
    const line = `"${BIN}" explain http://a/ "${manifests.path}" | sleep 0`;
    const options = { encoding: 'utf8', env: ownEnvironment(home.path) } as const;
    const { stderr } = spawnSync('sh', ['-c', line], options);
    home.remove();
    manifests.remove();
    assert.equal(stderr, '');
  });
});

describe('what a shell writes to a command', () => {
  it('is read once, and missed by nobody afterwards', () => {
    const home = folder({});
    const manifests = folder({
      'app.yaml': documents(GATEWAY, echo('one'), route('r', '/', 'one')),
    });
    const line = `"$0" check <(cat "$1/app.yaml")`;
    const options = { encoding: 'utf8', timeout: 60_000, env: ownEnvironment(home.path) } as const;
    const { status, stdout } = spawnSync('bash', ['-c', line, BIN, manifests.path], options);
    home.remove();
    manifests.remove();
    assert.match(stdout, /no findings/);
    assert.equal(status, 0);
  });
});

describe('the tables of a command', () => {
  it('have the listeners of ListenerSets beside those of their Gateway', () => {
    const home = folder({});
    const options = { encoding: 'utf8', timeout: 60_000, env: ownEnvironment(home.path) } as const;
    const cases = join(import.meta.dirname, '..', '..', 'testdata', 'cases', 'listener-sets');
    const { stdout } = spawnSync(BIN, ['check', join(cases, 'allowed', 'in.yaml')], options);
    home.remove();
    const [table = ''] = stdout.split('\n\n');
    assert.match(table, /^default\/\S+ +web\b/m);
    assert.match(table, /^default\/\S+ +[a-z]+\/[a-z-]+\/[a-z-]+ .* True$/m);
    assert.match(table, /False \(NotAllowed\)$/m);
  });
});
