import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { certify, ingress, worldOf } from './testing/world.ts';

const REWRITE = { 'rewrite-target': '/$2' };

describe('what converters get wrong', () => {
  it('B1: the captures of rewrite-target: /$2', () => {
    for (const standardOnly of [false, true]) {
      const world = worldOf(
        [ingress({ host: 'a.example', annotations: REWRITE, paths: { '~ /app(/|$)(.*)': 's' } })],
        { standardOnly },
      );
      assert.equal(
        world.ask('GET http://a.example/app/x/y?q=1'),
        'to default/s:80 as GET /x/y?q=1 for host a.example',
      );
      assert.equal(
        world.ask('GET http://a.example/app'),
        'to default/s:80 as GET / for host a.example',
      );
      assert.equal(world.ask('GET http://a.example/apple'), '404');
      assert.equal(world.prove().isProven, true);
      assert.deepEqual(
        world.migration.objects.filter((o) => o.kind === 'PathRewrite'),
        [],
        'the standard can say it',
      );
    }
  });

  it('B1: captures the standard cannot say are a filter of ours, or closed', () => {
    const written = [
      ingress({
        host: 'a.example',
        annotations: { 'rewrite-target': '/$2/$1' },
        paths: { '~ /(\\w+)/(\\w+)': 's' },
      }),
    ];
    assert.equal(
      worldOf(written).ask('GET http://a.example/one/two'),
      'to default/s:80 as GET /two/one for host a.example',
    );
    const standard = worldOf(written, { standardOnly: true });
    assert.equal(standard.ask('GET http://a.example/one/two').endsWith('| 500'), true);
    assert.equal(standard.verdict('GET http://a.example/one/two'), 'lost');
    assert.equal(standard.migration.annotations[0]?.grade, 'lost');
    assert.equal(standard.prove().isProven, false);
  });

  it('B2: path / with rewrite-target / rewrites nothing', () => {
    const world = worldOf([
      ingress({ host: 'a.example', annotations: { 'rewrite-target': '/' }, paths: { '/': 's' } }),
    ]);
    assert.equal(
      world.ask('GET http://a.example/x/y'),
      'to default/s:80 as GET /x/y for host a.example',
    );
  });

  it('B3: a total of weights below 100 counts as 100', () => {
    const world = worldOf([
      ingress({ host: 'a.example', paths: { '/': 's' } }),
      ingress({
        name: 'canary',
        host: 'a.example',
        annotations: { canary: 'true', 'canary-weight': '5', 'canary-weight-total': '10' },
        paths: { '/': 't' },
      }),
    ]);
    assert.match(
      world.ask('GET http://a.example/'),
      /^95 % to default\/s:80 .*, 5 % to default\/t:80 [^|]*$/,
    );
  });

  it('B4: www redirects keep the method, with 308', () => {
    const world = worldOf([
      ingress({
        host: 'a.example',
        annotations: { 'from-to-www-redirect': 'true' },
        paths: { '/': 's' },
      }),
    ]);
    assert.equal(
      world.ask('POST http://www.a.example/x?q=1', { method: 'POST' }),
      '308 to http://a.example/x?q=1',
    );
    assert.equal(
      world.migration.annotations.find((a) => a.annotation.endsWith('www-redirect'))?.grade,
      'approximate',
    );
  });

  it('B5, B6: one expression makes expressions of all paths, hosts without a name included', () => {
    const world = worldOf([
      ingress({ name: 'one', annotations: { 'use-regex': 'true' }, paths: { '~ /v[0-9]+': 's' } }),
      ingress({ name: 'two', paths: { '/plain': 't' } }),
    ]);
    assert.equal(
      world.ask('GET http://any.example/PLAINer'),
      'to default/t:80 as GET /PLAINer for host any.example',
    );
    assert.equal(
      world.ask('GET http://any.example/v12/x'),
      'to default/s:80 as GET /v12/x for host any.example',
    );
    assert.equal(world.prove().total.unexplained, 0);
  });

  it('B7: the default backend of an Ingress with rules is for its hosts', () => {
    const world = worldOf([
      ingress({ host: 'a.example', defaultBackend: 'd', paths: { '/x': 's' } }),
    ]);
    assert.equal(
      world.ask('GET http://a.example/y'),
      'to default/d:80 as GET /y for host a.example',
    );
    assert.equal(world.ask('GET http://b.example/y'), '404');
  });

  it('B8: paths nobody has inherit what the oldest Ingress of the host says', () => {
    const world = worldOf([
      ingress({
        host: 'a.example',
        annotations: { 'permanent-redirect': 'https://new.example/there' },
        paths: { '/x': 's' },
      }),
    ]);
    assert.equal(world.ask('GET http://a.example/nobody'), '301 to https://new.example/there');
  });

  it('B9: a wildcard takes one label, and what takes more is a known difference', () => {
    const world = worldOf([ingress({ host: '*.a.example', paths: { '/': 's' } })]);
    assert.equal(world.verdict('GET http://x.a.example/'), 'same');
    assert.equal(world.verdict('GET http://x.y.a.example/'), 'known');
  });

  it('B10: one Gateway for all namespaces, routes beside their Services', () => {
    const world = worldOf([
      ingress({ namespace: 'one', host: 'a.example', paths: { '/x': 's' } }),
      ingress({ namespace: 'two', host: 'a.example', paths: { '/y': 's' } }),
    ]);
    assert.equal(world.migration.objects.filter(({ kind }) => kind === 'Gateway').length, 1);
    assert.deepEqual(
      world.routes().map(({ namespace }) => namespace),
      ['one', 'two'],
    );
    assert.equal(world.ask('GET http://a.example/y'), 'to two/s:80 as GET /y for host a.example');
    assert.equal(world.prove().isProven, true);
  });

  it('B11: each host is shown the Secret that is for it', async () => {
    const world = worldOf(
      [
        ingress({ name: 'one', host: 'a.example', tls: 'a-tls', paths: { '/': 's' } }),
        ingress({ name: 'two', host: 'b.example', tls: 'b-tls', paths: { '/': 's' } }),
      ],
      {},
      await certify(['a.example', 'b.example']),
    );
    assert.match(world.ask('GET https://a.example/x'), /^to default\/s:80/);
    assert.equal(world.prove().isProven, true);
    const gateway = world.migration.objects.find(({ kind }) => kind === 'Gateway');
    const listeners = gateway?.spec['listeners'] as unknown as {
      hostname?: string;
      tls?: { certificateRefs: { name: string }[] };
    }[];
    assert.deepEqual(
      listeners
        .filter((l) => l.tls !== undefined)
        .map((l) => [l.hostname, l.tls?.certificateRefs[0]?.name]),
      [
        ['a.example', 'a-tls'],
        ['b.example', 'b-tls'],
      ],
    );
  });

  it('B12: more rules and matches than a route may have are several routes', () => {
    const many = Object.fromEntries(Array.from({ length: 40 }, (_, i) => [`/p${i}`, `s${i}`]));
    const world = worldOf([ingress({ host: 'a.example', paths: many })]);
    assert.equal(world.routes().length, 3);
    const same = Object.fromEntries(Array.from({ length: 200 }, (_, i) => [`/p${i}`, 's']));
    const alike = worldOf([ingress({ host: 'a.example', paths: same })]);
    for (const { spec } of alike.routes()) {
      const rules = spec['rules'] as unknown as { matches: unknown[] }[];
      assert.ok(rules.length <= 16 && rules.every(({ matches }) => matches.length <= 64));
      assert.ok(rules.reduce((sum, { matches }) => sum + matches.length, 0) <= 128);
    }
    assert.equal(alike.prove().isProven, true);
  });

  it('B13: dots and brackets of expressions stay what they are', () => {
    const world = worldOf([
      ingress({
        host: 'a.example',
        annotations: { 'use-regex': 'true' },
        paths: { '~ /v1.0': 's', '~ /a|/b': 't' },
      }),
    ]);
    assert.equal(
      world.ask('GET http://a.example/v1x0'),
      'to default/s:80 as GET /v1x0 for host a.example',
    );
    assert.equal(
      world.ask('GET http://a.example/x/b'),
      'to default/t:80 as GET /x/b for host a.example',
    );
  });

  it('B14: who may not ask is not let in: by a policy of ours, or not at all', () => {
    const written = [
      ingress({
        host: 'a.example',
        annotations: { 'whitelist-source-range': '10.0.0.0/8' },
        paths: { '/': 's' },
      }),
    ];
    const own = worldOf(written);
    assert.equal(own.ask('GET http://a.example/', { client: '192.0.2.7' }), '403');
    assert.equal(own.verdict('GET http://a.example/', { client: '10.1.1.1' }), 'same');
    const standard = worldOf(written, { standardOnly: true });
    assert.match(standard.ask('GET http://a.example/', { client: '10.1.1.1' }), /\| 500$/);
    assert.equal(standard.migration.annotations[0]?.grade, 'lost');
  });

  it('B15: force-ssl-redirect without a certificate', () => {
    const world = worldOf([
      ingress({
        host: 'a.example',
        annotations: { 'force-ssl-redirect': 'true' },
        paths: { '/': 's' },
      }),
    ]);
    assert.equal(world.ask('GET http://a.example/x?q=1'), '308 to https://a.example/x?q=1');
    assert.equal(world.verdict('GET http://a.example/x/'), 'known');
  });

  it('B16, B17: limits and times that ingress-nginx has by itself', () => {
    const written = [ingress({ host: 'a.example', paths: { '/': 's' } })];
    const policy = worldOf(written).migration.objects.find(({ kind }) => kind === 'TrafficPolicy');
    assert.equal(policy?.spec['bodyBytesMax'], 1024 ** 2);
    assert.deepEqual(policy?.spec['timeouts'], { connect: '5s', idle: '60s' });
    const standard = worldOf(written, { standardOnly: true });
    assert.deepEqual(
      standard.migration.objects.filter(({ apiVersion }) => apiVersion.startsWith('fairway.dev')),
      [],
    );
    assert.ok(standard.migration.notes.some((note) => note.includes('1 MiB')));
  });
});

describe('a migration', () => {
  it('is the same, whatever the order of the files', () => {
    const written = [
      ingress({
        name: 'one',
        host: 'a.example',
        annotations: REWRITE,
        paths: { '~ /a(/|$)(.*)': 's' },
      }),
      ingress({ name: 'two', host: 'b.example', paths: { '/': 't', '/x': 's' } }),
    ];
    assert.deepEqual(
      worldOf(written).migration.objects,
      worldOf(written.toReversed()).migration.objects,
    );
  });

  it('keeps hosts apart that do not fall back to a wildcard', () => {
    const world = worldOf([
      ingress({ name: 'one', host: 'x.a.example', paths: { '/only': 's' } }),
      ingress({ name: 'two', host: '*.a.example', paths: { '/': 't' } }),
    ]);
    assert.equal(world.ask('GET http://x.a.example/other'), '404');
    assert.equal(
      world.ask('GET http://y.a.example/other'),
      'to default/t:80 as GET /other for host y.a.example',
    );
  });

  it('puts listeners a Gateway has no room for into ListenerSets', async () => {
    const written = Array.from({ length: 70 }, (_, i) =>
      ingress({
        name: `i${i}`,
        namespace: 'shop',
        host: `h${i}.example`,
        tls: `t${i}`,
        paths: { '/': 's' },
      }),
    );
    const world = worldOf(written, {}, await certify(written.map((_, i) => `h${i}.example`)));
    const { migration } = world;
    assert.match(world.ask('GET https://h69.example/x'), /^to shop\/s:80 [^|]*$/);
    const sets = migration.objects.filter(({ kind }) => kind === 'ListenerSet');
    assert.deepEqual(
      sets.map(({ spec }) => (spec['listeners'] as readonly unknown[]).length),
      [64, 6],
    );
  });

  it('reuses a Gateway that is there', async () => {
    const gateway = {
      apiVersion: 'gateway.networking.k8s.io/v1',
      kind: 'Gateway',
      metadata: { name: 'shared', namespace: 'infra' },
      spec: {
        gatewayClassName: 'other',
        allowedListeners: { namespaces: { from: 'All' } },
        listeners: [
          {
            name: 'web',
            port: 80,
            protocol: 'HTTP',
            allowedRoutes: { namespaces: { from: 'All' } },
          },
        ],
      },
    };
    const world = worldOf(
      [gateway, ingress({ host: 'a.example', tls: 't', paths: { '/': 's' } })],
      { gateway: 'infra/shared' },
      await certify(['a.example']),
    );
    assert.deepEqual(
      world.migration.objects.filter(({ kind }) => kind === 'Gateway'),
      [],
    );
    assert.equal(world.migration.objects.filter(({ kind }) => kind === 'ListenerSet').length, 1);
    assert.match(world.ask('GET http://a.example/x'), /^308 to https:\/\/a\.example\/x$/);
  });

  it('lets TLS through to backends by a TLSRoute', async () => {
    const world = worldOf(
      [
        ingress({ name: 'one', host: 'a.example', tls: 't', paths: { '/': 's' } }),
        ingress({
          name: 'two',
          host: 'b.example',
          annotations: { 'ssl-passthrough': 'true' },
          paths: { '/': 'u' },
        }),
      ],
      {},
      await certify(['a.example']),
    );
    const route = world.migration.objects.find(({ kind }) => kind === 'TLSRoute');
    assert.deepEqual(route?.spec['hostnames'], ['b.example']);
    assert.deepEqual(route?.spec['rules'], [{ backendRefs: [{ name: 'u', port: 80 }] }]);
  });

  it('takes Ingresses of the specification alone', () => {
    const plain = { ...ingress({ host: 'a.example', paths: { '/x': 's', '= /y': 't' } }) } as {
      spec: object;
    };
    const of = {
      apiVersion: 'networking.k8s.io/v1',
      kind: 'IngressClass',
      metadata: { name: 'fairway' },
      spec: { controller: 'fairway.dev/ingress' },
    };
    const world = worldOf(
      [of, { ...plain, spec: { ...plain.spec, ingressClassName: 'fairway' } }],
      { standardOnly: true },
    );
    assert.match(world.ask('GET http://a.example/x/z'), /^to default\/s:80 [^|]*$/);
    assert.equal(world.ask('GET http://a.example/y/z'), '404');
    assert.equal(world.prove().isProven, true);
  });

  it('asks for cookies by the header that holds them', () => {
    const world = worldOf([
      ingress({ host: 'a.example', paths: { '/': 's' } }),
      ingress({
        name: 'canary',
        host: 'a.example',
        annotations: { canary: 'true', 'canary-by-cookie': 'beta' },
        paths: { '/': 't' },
      }),
    ]);
    assert.match(
      world.ask('GET http://a.example/', { headers: [['cookie', 'a=1; beta=always']] }),
      /^to default\/t:80/,
    );
    assert.match(
      world.ask('GET http://a.example/', { headers: [['cookie', 'xbeta=always']] }),
      /^to default\/s:80/,
    );
    assert.equal(world.prove().total.unexplained, 0);
  });

  it('says of every annotation what became of it', () => {
    const world = worldOf(
      [
        ingress({
          host: 'a.example',
          annotations: {
            'limit-rps': '5',
            'proxy-buffering': 'on',
            'enable-modsecurity': 'true',
            'no-such-thing': 'x',
            'canary-weight': '5',
            'upstream-vhost': 'in.example',
          },
          paths: { '/': 's' },
        }),
      ],
      { standardOnly: true },
    );
    const grades = Object.fromEntries(
      world.migration.annotations.map(({ annotation, grade }) => [annotation.split('/')[1], grade]),
    );
    assert.deepEqual(grades, {
      'canary-weight': 'done',
      'enable-modsecurity': 'lost',
      'limit-rps': 'lost',
      'no-such-thing': 'done',
      'proxy-buffering': 'approximate',
      'upstream-vhost': 'done',
    });
  });

  it('leaves alone what it does not understand, and serves the others', () => {
    const world = worldOf([
      ingress({
        name: 'bad',
        host: 'a.example',
        annotations: { 'use-regex': 'true' },
        paths: { '~ /(?=x)': 's', '~ /good': 't' },
      }),
      ingress({
        name: 'lua',
        host: 'b.example',
        annotations: { 'configuration-snippet': 'content_by_lua_block { ngx.say("x") }' },
        paths: { '/': 's' },
      }),
    ]);
    assert.match(world.ask('GET http://a.example/good'), /^to default\/t:80/);
    assert.equal(world.ask('GET http://b.example/').includes('|'), false);
    assert.equal(world.prove().total.unexplained, 0);
  });

  it('plans the move: DNS, challenges, and the way back', () => {
    const { migration } = worldOf([
      ingress({
        host: 'a.example',
        annotations: {
          'external-dns.alpha.kubernetes.io/hostname': 'a.example',
          'cert-manager.io/cluster-issuer': 'x',
        },
        tls: 't',
        paths: { '/': 's' },
      }),
    ]);
    const text = migration.plan.flatMap(({ title, lines }) => [title, ...lines]).join('\n');
    assert.match(text, /ExternalDNS: default\/web/);
    assert.match(text, /HTTP-01/);
    assert.match(text, /sectionName http/);
    assert.match(text, /Back:/);
  });
});
