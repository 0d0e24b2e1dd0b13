// Every case of testdata/cases: its goldens are as they were, and its probes get the answers written
// down for them, from the reference and from every target alike.

import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import type { ConnectionFate, Mirrored, RequestFate } from '../src/model/answer.ts';
import { traceConnection } from '../src/model/trace-connection.ts';
import { traceRequest } from '../src/model/trace.ts';
import { traceProxyConnection } from '../src/targets/proxy/trace-connection.ts';
import { traceProxy } from '../src/targets/proxy/trace.ts';
import {
  describeConnection,
  describeFate,
  isCall,
  listCases,
  runCase,
  toConnectionProbe,
  toProbe,
} from './support/cases.ts';
import type { WrittenProbe } from './support/cases.ts';

const cases = listCases();

it('there are cases', () => assert.ok(cases.length > 0));

for (const testCase of cases) {
  await describe(testCase.name, async () => {
    const { evaluation, program, goldens } = await runCase(testCase);

    for (const [file, text] of goldens) {
      it(`comes to ${file}`, () => {
        const path = join(testCase.directory, file);
        const golden = existsSync(path) ? readFileSync(path, 'utf8') : '';
        assert.equal(text, golden, `npm run golden -- ${testCase.name} writes ${file} anew`);
      });
    }

    for (const probe of testCase.probes) {
      if (probe.connect !== undefined) {
        const connection = toConnectionProbe(probe);
        it(`${probe.name}: the model agrees`, () =>
          checkConnection(probe, traceConnection(evaluation.resolution.model, connection).fate));
        it(`${probe.name}: the proxy agrees`, () =>
          checkConnection(probe, traceProxyConnection(program, connection)));
        continue;
      }
      it(`${probe.name}: the model agrees`, () =>
        check(probe, traceRequest(evaluation.resolution.model, toProbe(probe)).fate));
      it(`${probe.name}: the proxy agrees`, () =>
        check(probe, traceProxy(program, toProbe(probe))));
    }
  });
}

function checkConnection(probe: WrittenProbe, fate: ConnectionFate): void {
  assert.deepEqual(describeConnection(fate), probe.fate);
  if (probe.sees?.tls !== undefined) {
    const inTls =
      fate.kind === 'relay' &&
      (fate.mode === 'passthrough' || fate.shares.every((share) => share.secured === true));
    assert.equal(inTls, probe.sees.tls);
  }
}

function check(probe: WrittenProbe, fate: RequestFate): void {
  assert.deepEqual(describeFate(fate, isCall(probe)), probe.fate);
  const shares = fate.kind === 'forward' ? fate.shares : [];
  if (probe.answer !== undefined) {
    const headers = fate.kind === 'respond' ? (fate.headers ?? []) : [];
    for (const [name, value] of Object.entries(probe.answer)) {
      const found = headers.filter(([n]) => n === name).map(([, v]) => v);
      assert.equal(found.length === 0 ? null : found.join(','), value, name);
    }
  }
  if (probe.endpoints !== undefined) {
    assert.deepEqual(
      shares.map((share) => share.endpoints),
      [probe.endpoints],
    );
  }
  if (probe.sees !== undefined || probe.response !== undefined) {
    assert.notEqual(shares.length, 0, 'there is no backend that sees anything');
  }
  for (const { request, responseHeaders, mirrors, serverName } of shares) {
    if (probe.sees?.tls !== undefined) assert.equal(serverName !== undefined, probe.sees.tls);
    if (probe.sees?.serverName !== undefined) assert.equal(serverName, probe.sees.serverName);
    if (probe.mirrors !== undefined) assert.deepEqual(mirrors.map(describeMirror), probe.mirrors);
    if (probe.sees?.host !== undefined) assert.equal(request.host, probe.sees.host);
    if (probe.sees?.path !== undefined) assert.equal(request.target, probe.sees.path);
    for (const [name, value] of Object.entries(probe.sees?.headers ?? {})) {
      const found = request.headers.filter(([n]) => n === name).map(([, v]) => v);
      assert.equal(found.length === 0 ? null : found.join(','), value, name);
    }
    if (probe.response === undefined) continue;
    const changes = responseHeaders.map(({ change, name, value }) =>
      change === 'remove' ? `remove ${name}` : `${change} ${name}: ${value}`,
    );
    assert.deepEqual(changes, probe.response);
  }
}

function describeMirror({ to, numerator, denominator }: Mirrored): string {
  const name = to.replace('Service ', '');
  return numerator === denominator ? name : `${name} ${numerator}/${denominator}`;
}
