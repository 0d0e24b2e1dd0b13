// fairway migrate as people run it: what it writes, what it proves, and what it says of bad input.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';

const root = join(import.meta.dirname, '..', '..');
const folder = mkdtempSync(join(tmpdir(), 'fairway-migrate-'));
after(() => rmSync(folder, { recursive: true, force: true }));

function fairway(...args: readonly string[]): { code: number | null; out: string; error: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'src/cli/main.ts'), ...args],
    {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, FAIRWAY_HOME: join(folder, 'home') },
      timeout: 60_000,
    },
  );
  return { code: status, out: stdout, error: stderr };
}

function file(name: string, text: string): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}

function ingress(annotations: string, path = '/', more = ''): string {
  return `apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: web
  annotations: {${annotations}}
spec:
  ingressClassName: nginx
  rules:
    - host: a.example
      http:
        paths: [{ path: '${path}', pathType: ImplementationSpecific, backend: { service: { name: s, port: { number: 80 } } } }]
${more}`;
}

const EXAMPLE = 'examples/ingress-nginx';
const NGINX = 'nginx.ingress.kubernetes.io';

describe('fairway migrate', () => {
  it('writes a folder, the same each time, with the lines things come from', () => {
    const out = join(folder, 'out');
    const first = fairway('migrate', EXAMPLE, '--out', out);
    assert.equal(first.code, 0, first.error);
    assert.deepEqual(readdirSync(out).toSorted(), [
      '00-gateway.yaml',
      'REPORT.txt',
      'routes-default.yaml',
      'routes-office.yaml',
      'routes-shop.yaml',
    ]);
    const routes = readFileSync(join(out, 'routes-shop.yaml'), 'utf8');
    assert.match(
      routes,
      /# Ingress shop\/shop spec\.rules\[0\]\.http\.paths\[0\] \(examples\/ingress-nginx\/shop\.yaml:\d+\)/,
    );
    const again = fairway('migrate', EXAMPLE, '--out', out);
    assert.equal(again.code, 2);
    assert.match(again.error, /is not empty/);
    assert.equal(fairway('migrate', EXAMPLE, '--out', out, '--force').code, 0);
    assert.equal(readFileSync(join(out, 'routes-shop.yaml'), 'utf8'), routes);
  });

  it('proves what it wrote, and what somebody else wrote', () => {
    const proven = fairway('migrate', EXAMPLE, '--prove');
    assert.equal(proven.code, 0, proven.out);
    assert.match(proven.out, /Proof: both answer alike/);
    const out = join(folder, 'against');
    fairway('migrate', EXAMPLE, '--out', out);
    assert.equal(fairway('migrate', EXAMPLE, '--against', out).code, 0);
    const shop = join(out, 'routes-shop.yaml');
    writeFileSync(shop, readFileSync(shop, 'utf8').replace('value: /cart\n', 'value: /carts\n'));
    const broken = fairway('migrate', EXAMPLE, '--against', out);
    assert.equal(broken.code, 1);
    assert.match(broken.out, /by Ingress shop\/shop .*\(examples\/ingress-nginx\/shop\.yaml:\d+\)/);
    assert.match(broken.out, /by HTTPRoute shop\/.*routes-shop\.yaml:\d+\)/);
    assert.match(broken.out, /patch: with this rule[^]*value: \/cart\n/);
  });

  it('says in JSON and HTML what it says in text', () => {
    const { out, code } = fairway(
      'migrate',
      EXAMPLE,
      '--prove',
      '--standard-only',
      '--report',
      'json',
    );
    assert.equal(code, 1);
    const report = JSON.parse(out) as {
      annotations: { grade: string }[];
      proof: { isProven: boolean; total: { lost: number } };
    };
    assert.ok(report.annotations.some(({ grade }) => grade === 'lost'));
    assert.equal(report.proof.isProven, false);
    assert.ok(report.proof.total.lost > 0);
    const html = fairway('migrate', EXAMPLE, '--prove', '--report', 'html').out;
    assert.match(html, /^<!doctype html>/);
  });

  it('asks recorded requests, and names lines that are none', () => {
    const log = file('access.log', '10.1.2.3 - - [x] "GET /cart HTTP/1.1" 200 1\nnonsense\n');
    const { code, out } = fairway('migrate', EXAMPLE, '--prove', '--requests', log);
    assert.equal(code, 0);
    assert.match(out, /recorded /);
    assert.match(out, /access\.log:2: it is no line of an access log/);
    const none = fairway(
      'migrate',
      EXAMPLE,
      '--prove',
      '--requests',
      file('none.log', 'nonsense\n'),
    );
    assert.equal(none.code, 2);
    assert.match(none.error, /none\.log:1: /);
    assert.equal(
      fairway('migrate', EXAMPLE, '--prove', '--requests', join(folder, 'absent')).code,
      2,
    );
    assert.equal(fairway('migrate', EXAMPLE, '--requests', log).code, 2);
  });

  it('says when there is nothing to migrate', () => {
    const service = file(
      'service.yaml',
      'apiVersion: v1\nkind: Service\nmetadata: { name: s }\nspec: { ports: [{ port: 80 }] }\n',
    );
    const none = fairway('migrate', service);
    assert.equal(none.code, 2);
    assert.match(none.error, /nothing to migrate: there is no Ingress/);
    const foreign = fairway(
      'migrate',
      file('foreign.yaml', ingress('').replace('Name: nginx', 'Name: other')),
    );
    assert.equal(foreign.code, 2);
    assert.match(foreign.error, /none of its 1 Ingress/);
    assert.equal(fairway('migrate', file('broken.yaml', 'a: [')).code, 2);
    assert.equal(fairway('migrate', EXAMPLE, '--gateway', 'web').code, 2);
  });

  it('finds fault with what cannot be, and migrates the rest', () => {
    const rest = `---\n${ingress('', '/', '').replace('name: web', 'name: good').replaceAll('a.example', 'good.example')}`;
    const cases: readonly (readonly [string, RegExp])[] = [
      [
        ingress(
          `${NGINX}/temporal-redirect: 'https://x.example/', ${NGINX}/permanent-redirect: 'https://y.example/'`,
        ),
        /permanent-redirect has no effect beside temporal-redirect/,
      ],
      [ingress(`${NGINX}/use-regex: 'true'`, '/(?=look)'), /is not served|it is an expression/],
      [
        ingress(`${NGINX}/configuration-snippet: 'access_by_lua_block { os.exit() }'`),
        /configuration-snippet/,
      ],
      [ingress(`${NGINX}/app-root: "/x\\r\\nSet-Cookie: a=b"`), /app-root/],
      [ingress(`${NGINX}/use-regex: 'true'`, '/(a+)+$'), /Ingress/],
    ];
    for (const [text, expected] of cases) {
      const { code, out, error } = fairway(
        'migrate',
        file('case.yaml', `${text}${rest}`),
        '--prove',
      );
      assert.equal(code, 0, `${out}${error}`);
      assert.match(out, expected);
      assert.match(out, /2 Ingresses/);
    }
  });
});
