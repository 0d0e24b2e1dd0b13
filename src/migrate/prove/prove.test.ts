import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { patternMatches } from '../../lib/regex.ts';
import { ingress, worldOf } from '../testing/world.ts';
import { prove } from './prove.ts';
import { readRecorded } from './recorded.ts';
import { generateQuestions } from './requests.ts';
import { samplesOf } from './sample.ts';
import { shrink } from './shrink.ts';

describe('samples of expressions', () => {
  const EXPRESSIONS = [
    '/a(/|$)(.*)',
    '/v[0-9]+/x',
    '/(one|two)?/three',
    '/[^/]+/q',
    '/\\w+\\.html',
    '(?i)/a.*',
    '/x{2,3}',
    '/(?:a|b)c*',
    '/(?P<n>\\d+)',
  ];
  it('are taken by the expression, one at least', () => {
    for (const expression of EXPRESSIONS) {
      assert.ok(
        samplesOf(expression).some((s) => patternMatches(expression, s)),
        expression,
      );
    }
  });

  it('end, whatever the expression', () => {
    fc.assert(fc.property(fc.string({ maxLength: 40 }), (text) => samplesOf(text).length <= 4));
  });
});

describe('a proof', () => {
  const one = worldOf([ingress({ host: 'a.example', paths: { '/x': 's', '/y/z': 't' } })]);
  const other = worldOf([ingress({ host: 'a.example', paths: { '/x': 's', '/y/z': 'u' } })]);

  it('shows the smallest request, both rules, and who answers it as before', () => {
    const proof = prove({
      before: one.judge.before,
      after: other.judge.after,
      generated: one.judge.after,
      losses: [],
      questions: generateQuestions([one.before, other.after]),
    });
    assert.equal(proof.isProven, false);
    const [found] = proof.unexplained;
    assert.equal(found?.request, 'GET http://a.example/y/z');
    assert.deepEqual(found?.fields, ['backend']);
    assert.equal(found?.deciders.before.rule, 'Ingress default/web = /y/z');
    assert.equal(found?.deciders.before.origin?.field, 'spec.rules[0].http.paths[1]');
    assert.equal(found?.deciders.after.origin?.kind, 'HTTPRoute');
    assert.match(found?.patch?.rule ?? '', /^HTTPRoute default\/a-example rule 0$/);
  });

  it('counts every question once', () => {
    const proof = one.prove();
    const { same, known, lost, unexplained } = proof.total;
    assert.equal(same + known + lost + unexplained, proof.asked);
    assert.equal(unexplained + lost, 0);
    assert.equal(
      proof.forms.reduce((n, f) => n + f.same, 0),
      same,
    );
  });

  it('asks the same questions each time', () => {
    const list = () => JSON.stringify([...generateQuestions([one.before, one.after])]);
    assert.equal(list(), list());
  });
});

describe('shrinking', () => {
  it('takes away what is not needed', () => {
    const least = shrink(
      {
        scheme: 'http',
        port: 80,
        method: 'POST',
        host: 'a',
        target: '/one/two/three?q=1',
        headers: [
          ['a', '1'],
          ['b', '2'],
        ],
      },
      ({ target, headers }) => target.includes('two') && headers.some(([name]) => name === 'b'),
    );
    assert.deepEqual(least, {
      scheme: 'http',
      port: 80,
      method: 'GET',
      host: 'a',
      target: '/two',
      headers: [['b', '2']],
    });
  });
});

describe('recorded requests', () => {
  const read = (text: string, hosts: readonly string[] = ['a.example']) =>
    readRecorded('log', text, hosts);
  const targets = (text: string): readonly string[] =>
    read(text).questions.map(
      ({ probe: { method, scheme, host, target } }) => `${method} ${scheme}://${host}${target}`,
    );

  it('come from common and combined logs, asked of every host where none is named', () => {
    const line =
      '203.0.113.9 - bob [10/Oct/2025:13:55:36 +0000] "GET /x?q=1 HTTP/1.1" 200 12 "-" "curl"';
    assert.deepEqual(targets(line), ['GET http://a.example/x?q=1', 'GET https://a.example/x?q=1']);
    assert.deepEqual(targets(`b.example:443 ${line}`), [
      'GET http://b.example/x?q=1',
      'GET https://b.example/x?q=1',
    ]);
    assert.equal(read(line).questions[0]?.probe.client, '203.0.113.9');
  });

  it('come from JSON by line', () => {
    assert.deepEqual(
      targets(
        '{"method":"POST","host":"b.example","uri":"/y","scheme":"https","remote_addr":"10.0.0.1"}',
      ),
      ['POST https://b.example/y'],
    );
    assert.deepEqual(targets('{"request":"GET /z HTTP/2.0","host":"b.example","scheme":"http"}'), [
      'GET http://b.example/z',
    ]);
  });

  it('come from HAR files, with headers', () => {
    const har = {
      log: {
        entries: [
          {
            request: {
              method: 'GET',
              url: 'https://b.example/h?x',
              headers: [
                { name: 'X-A', value: '1' },
                { name: ':path', value: '/' },
              ],
            },
          },
          { request: {} },
        ],
      },
    };
    const { questions, troubles } = read(JSON.stringify(har));
    assert.deepEqual(questions[0]?.probe.headers, [['x-a', '1']]);
    assert.deepEqual(troubles, ['log: entry 2: it has no url']);
  });

  it('name the lines that cannot be read', () => {
    const { questions, troubles } = read(
      'what\n{"method":1}\n{\n1.2.3.4 - - [x] "\\x16\\x03" 400 0\n',
    );
    assert.equal(questions.length, 0);
    assert.deepEqual(
      troubles.map((t) => t.split(':').slice(0, 2).join(':')),
      ['log:1', 'log:2', 'log:3', 'log:4'],
    );
  });

  it('never throw', () => {
    fc.assert(fc.property(fc.string(), (text) => read(text).questions.length >= 0));
  });
});
