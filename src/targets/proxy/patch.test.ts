// A table that is changed is the table that would have been made anew.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { lower } from '../../lower/view.ts';
import { compareMatches } from '../../model/match.ts';
import type { Match } from '../../model/match.ts';
import type { Model, Rule } from '../../model/model.ts';
import { compileProxy } from './compile.ts';
import { RouteTable } from './datapath/router.ts';
import type { TableRule } from './datapath/router.ts';
import { diffPrograms } from './patch.ts';
import type { ProxyProgram, TableProgram } from './program.ts';

const ORIGIN = { kind: 'HTTPRoute', namespace: 'n', name: 'r', field: '' };
const PATHS = ['/', '/a', '/a/b', '/a/b/c', '/b'];

const match: fc.Arbitrary<Match> = fc.record({
  path: fc.record({
    kind: fc.constantFrom('exact', 'regex', 'prefix'),
    value: fc.constantFrom(...PATHS),
  }),
  headers: fc.constant([]),
  queryParams: fc.constant([]),
});

const rule = fc.tuple(match, fc.nat(3)).map(([asked, id]): Rule => ({
  match: asked,
  action: {
    id: String(id),
    filters: [],
    result: { kind: 'respond', statusCode: 200 + id, reason: '' },
    origin: ORIGIN,
  },
  origin: ORIGIN,
}));

function programOf(rules: readonly Rule[]): ProxyProgram {
  const listener = { id: 'l', name: 'l', hostname: '', certificates: [], origin: ORIGIN };
  const sorted = rules.toSorted((a, b) => compareMatches(a.match, b.match));
  const hosts = rules.length === 0 ? [] : [{ hostname: '', rules: sorted }];
  const model: Model = {
    entryPoints: [
      {
        id: 'n/g:80',
        gateway: 'n/g',
        addresses: ['127.0.0.1'],
        port: 80,
        protocol: 'http',
        listeners: [{ ...listener, hosts }],
      },
    ],
    backends: new Map(),
    certificates: new Map(),
    services: [],
  };
  return compileProxy(lower(model, 'node'));
}

function answers(table: RouteTable<string>): readonly (string | undefined)[] {
  const fields: readonly never[] = [];
  const ask = (path: string): TableRule<string> | null =>
    table.lookup({ method: 'GET', path, query: '', fields: fields as never });
  return [...PATHS, '/a/x', '/a/b/x', '/x'].map((path) => ask(path)?.action);
}

const nameOf = ({ id }: { readonly id: string }): string => id;
const tableOf = (program: ProxyProgram): TableProgram => [...program.tables.values()][0]!;

describe('a table that is changed', () => {
  it('answers as one that is made anew', () => {
    const rules = fc.array(rule, { minLength: 1, maxLength: 6 });
    fc.assert(
      fc.property(rules, rules, fc.nat(6), (first, second, kept) => {
        const [before, after] = [first, [...first.slice(0, kept), ...second]].map(programOf) as [
          ProxyProgram,
          ProxyProgram,
        ];
        const table = new RouteTable(tableOf(before), nameOf);
        const { tables, changedTables } = diffPrograms(before, after);
        assert.deepEqual(tables, { set: [], removed: [] });
        for (const delta of changedTables) table.change(structuredClone(delta), nameOf);
        assert.deepEqual(answers(table), answers(new RouteTable(tableOf(after), nameOf)));
      }),
    );
  });

  it('is sent what changed of it, however many rules it has', () => {
    const at = (path: string, id = '0'): Rule => ({
      match: { path: { kind: 'prefix', value: path }, headers: [], queryParams: [] },
      action: {
        id,
        filters: [],
        result: { kind: 'respond', statusCode: 200, reason: '' },
        origin: ORIGIN,
      },
      origin: ORIGIN,
    });
    const rules = Array.from({ length: 100 }, (_, i) => at(`/p${i}`));
    const changed = rules.with(50, at('/p50', '1')).concat(at('/new')).toSpliced(7, 1);
    const { changedTables } = diffPrograms(programOf(rules), programOf(changed));
    const [delta] = changedTables;
    assert.deepEqual(delta?.prefix.set.map(([path]) => path).toSorted(), ['/new', '/p50']);
    assert.deepEqual(delta?.prefix.removed, ['/p7']);
  });
});
