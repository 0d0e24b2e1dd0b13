// What a configuration is asked, made from the configuration itself: every host and path it has, and what
// lies around them, where two readings of the same rule part.

import { escapePath } from '../../lib/decoded-path.ts';
import type { RequestProbe } from '../../model/answer.ts';
import type { EntryPoint, Model, Rule } from '../../model/model.ts';
import { writtenHost } from '../routes.ts';
import { samplesOf } from './sample.ts';

/** A request, and what sort of a question it is. */
export interface Question {
  readonly probe: RequestProbe;
  /** As `under the path`. */
  readonly form: string;
}

/** Questions about one host in all. */
const HOST_QUESTIONS_MAX = 200_000;

/** Questions for every host of both models, those of a host together; `onCut` hears of hosts with too many. */
export function* generateQuestions(
  models: readonly Model[],
  onCut: (host: string) => void = () => {},
): Generator<Question> {
  const hosts = collectHosts(models);
  for (const [pattern, rules] of hosts) {
    let count = 0;
    const seen = new Set<string>();
    for (const question of questionsAbout(pattern, rules, isSecured(models, pattern))) {
      const key = JSON.stringify(question.probe);
      if (seen.has(key)) continue;
      seen.add(key);
      if (++count > HOST_QUESTIONS_MAX) {
        onCut(pattern);
        break;
      }
      yield question;
    }
  }
}

/** Patterns of hosts, sorted, each with all rules that speak of it. Hosts nobody knows are the empty one. */
function collectHosts(models: readonly Model[]): readonly (readonly [string, readonly Rule[]])[] {
  const hosts = new Map<string, Set<Rule>>([['', new Set()]]);
  for (const listener of models
    .flatMap((m) => m.entryPoints)
    .flatMap((e: EntryPoint) => e.listeners)) {
    for (const host of listener.hosts) {
      const pattern = writtenHost(host.hostname);
      const known = hosts.get(pattern) ?? new Set();
      hosts.set(pattern, known);
      for (const rule of host.rules) known.add(rule);
    }
  }
  return Array.from(hosts, ([pattern, rules]) => [pattern, [...rules]] as const).toSorted(
    ([a], [b]) => (a < b ? -1 : 1),
  );
}

/** Whether one of the models has a certificate for the host. */
function isSecured(models: readonly Model[], pattern: string): boolean {
  return models.some((model) => securedHosts(model).has(pattern));
}

const secured = new WeakMap<Model, ReadonlySet<string>>();

function securedHosts(model: Model): ReadonlySet<string> {
  let known = secured.get(model);
  if (known === undefined) {
    const listeners = model.entryPoints
      .filter(({ protocol }) => protocol !== 'http')
      .flatMap((e) => e.listeners);
    const names = listeners.flatMap(({ named = [], hostname, hosts }) => [
      ...named.map((n) => n.hostname),
      ...(hostname === '' ? [] : [hostname, ...hosts.map((h) => h.hostname)]),
    ]);
    known = new Set(names.map(writtenHost));
    secured.set(model, known);
  }
  return known;
}

function* questionsAbout(
  pattern: string,
  rules: readonly Rule[],
  hasTls: boolean,
): Generator<Question> {
  const [host, ...others] = sampleHosts(pattern);
  const main = host?.name ?? '';
  const bases = new Set<string>();
  for (const rule of rules) for (const base of basesOf(rule)) bases.add(base);
  const isKnown = pattern !== '';
  for (const scheme of ['http', 'https'] as const) {
    if (scheme === 'https' && !hasTls) {
      // Whether it answers at all is all there is to see.
      const probe = { scheme, port: 443, method: 'GET', host: main, target: '/', headers: [] };
      yield { form: 'HTTPS without a certificate', probe };
      continue;
    }
    const ask = (form: string, target: string, more: Partial<RequestProbe> = {}): Question => ({
      form: isKnown ? form : `unknown host: ${form}`,
      probe: {
        scheme,
        port: scheme === 'http' ? 80 : 443,
        method: 'GET',
        host: main,
        target,
        headers: [],
        ...more,
      },
    });
    yield ask('the root', '/');
    yield ask('no path of any rule', '/nobody-has-this/path');
    yield ask('challenge of ACME', '/.well-known/acme-challenge/token');
    for (const base of bases) yield* around(base, ask);
    for (const { name, form } of others) {
      for (const base of ['/', ...firstOf(bases, 3)]) yield ask(form, base, { host: name });
    }
    const [first = '/'] = bases;
    yield ask('header with an underscore', first, { headers: [['x_custom', '1']] });
    yield ask('header of a client', first, { headers: [['x-custom', '1']] });
    for (const value of ['http', 'https']) {
      yield ask('headers of a proxy', first, {
        headers: [
          ['x-forwarded-proto', value],
          ['x-forwarded-for', '203.0.113.9'],
          ['x-forwarded-host', 'other.example'],
        ],
      });
    }
    yield ask('large body', first, { method: 'POST', headers: [['content-length', '2097152']] });
    for (const rule of rules) yield* conditionsOf(rule, ask);
  }
}

function firstOf<T>(items: Iterable<T>, count: number): readonly T[] {
  return [...items].slice(0, count);
}

type Ask = (form: string, target: string, more?: Partial<RequestProbe>) => Question;

/** A path and all that lies around it. */
function* around(base: string, ask: Ask): Generator<Question> {
  const trimmed = base.length > 1 && base.endsWith('/') ? base.slice(0, -1) : base;
  const below = trimmed === '/' ? '' : trimmed;
  yield ask('the path', base);
  yield ask('slash at the end', `${below}/`);
  if (trimmed !== base) yield ask('no slash at the end', trimmed);
  yield ask('under the path', `${below}/x/y`);
  yield ask('under the path, slash at the end', `${below}/x/`);
  if (below !== '') {
    yield ask('begins with the path', `${below}x`);
    yield ask('begins with the path', `${below}.html`);
    yield ask('path parameter', `${below};v=1`);
    yield ask('above the path', below.slice(0, below.lastIndexOf('/')) || '/');
  }
  yield ask('query', `${base}?a=1&b=%2F`);
  yield ask('upper and lower case', swapCase(base));
  yield ask('doubled slash', `/${base}`);
  yield ask('doubled slash', `${below}//x`);
  yield ask('dots', `${below}/./x`);
  yield ask('dots', `${below}/x/../y`);
  yield ask('dots', `/up/..${base}`);
  yield ask('escaped letter', escapeLetter(base));
  yield ask('escaped slash', `${below}%2Fx`);
  yield ask('escaped space', `${below}/a%20b`);
  yield ask('escaped umlaut', `${below}/%C3%A4`);
  yield ask('method POST', base, { method: 'POST' });
  yield ask('method HEAD', base, { method: 'HEAD' });
  yield ask('method OPTIONS', base, { method: 'OPTIONS' });
  yield ask('preflight of a browser', base, {
    method: 'OPTIONS',
    headers: [
      ['origin', 'https://app.example'],
      ['access-control-request-method', 'PUT'],
    ],
  });
  yield ask('from another origin', base, { headers: [['origin', 'https://app.example']] });
}

function swapCase(text: string): string {
  return text.replaceAll(/%[0-9A-Fa-f]{2}|[a-zA-Z]/g, (c) =>
    c.length > 1 ? c : c === c.toUpperCase() ? c.toLowerCase() : c.toUpperCase(),
  );
}

function escapeLetter(path: string): string {
  const at = path.search(/[a-zA-Z](?![0-9A-Fa-f]?%)/);
  if (at === -1) return path;
  return `${path.slice(0, at)}%${path.charCodeAt(at).toString(16)}${path.slice(at + 1)}`;
}

/** Paths that a rule takes. */
function basesOf({ match: { path } }: Rule): readonly string[] {
  if (path.kind === 'exact' || path.kind === 'prefix') return [escapePath(path.value)];
  return samplesOf(path.value).map(pathOf);
}

function pathOf(sample: string): string {
  const escaped = escapePath(sample).replaceAll('%25', '%');
  return escaped.startsWith('/') ? escaped : `/${escaped}`;
}

/** Headers, cookies, clients and passwords that a rule asks for, and such as it does not take. */
function* conditionsOf(rule: Rule, ask: Ask): Generator<Question> {
  const { match, action } = rule;
  const [base = '/'] = basesOf(rule);
  const target = base;
  for (const { name, value, regex } of match.headers) {
    const values = regex === true ? samplesOf(value, 2) : [value];
    for (const own of values) yield ask(`header ${name}`, target, { headers: [[name, own]] });
    yield ask(`header ${name}`, target, { headers: [[name, 'something-else']] });
  }
  for (const { name, value } of match.cookies ?? []) {
    for (const cookie of [
      `${name}=${value}`,
      `other=1; ${name}=${value}; more=2`,
      `${name}=something-else`,
      `x${name}=${value}`,
    ]) {
      yield ask(`cookie ${name}`, target, { headers: [['cookie', cookie]] });
    }
    for (const header of match.headers) {
      yield ask(`header ${header.name} and cookie ${name}`, target, {
        headers: [
          [header.name, header.value],
          ['cookie', `${name}=${value}`],
        ],
      });
    }
  }
  const { clients, basic } = action.guard ?? {};
  for (const network of [...firstOf(clients?.deny ?? [], 3), ...firstOf(clients?.allow ?? [], 3)]) {
    yield ask('address of the client', target, { client: network.split('/')[0] ?? network });
  }
  if (clients !== undefined)
    yield ask('address of the client', target, { client: '198.51.100.77' });
  if (basic !== undefined) {
    yield ask('password', target, {
      headers: [['authorization', `Basic ${btoa('nobody:nothing')}`]],
    });
    const [user] = basic.users;
    if (user !== undefined)
      yield ask('password', target, {
        headers: [['authorization', `Basic ${btoa(`${user[0]}:wrong`)}`]],
      });
  }
}

interface SampleHost {
  readonly name: string;
  readonly form: string;
}

/** The first one is the host itself. */
function sampleHosts(pattern: string): readonly SampleHost[] {
  if (pattern === '')
    return [
      { name: 'nobody-knows.example', form: 'unknown host' },
      { name: '192.0.2.80', form: 'host is an address' },
    ];
  if (pattern.startsWith('*.')) {
    const suffix = pattern.slice(2);
    return [
      { name: `one.${suffix}`, form: 'the host' },
      { name: `two.one.${suffix}`, form: 'two labels for a wildcard' },
      { name: suffix, form: 'no label for a wildcard' },
    ];
  }
  return [
    { name: pattern, form: 'the host' },
    { name: pattern.toUpperCase(), form: 'host in upper case' },
    { name: `${pattern}:80`, form: 'host with a port' },
    { name: `${pattern}.`, form: 'host with a final dot' },
    { name: `sub.${pattern}`, form: 'host below the host' },
    {
      name: pattern.startsWith('www.') ? pattern.slice(4) : `www.${pattern}`,
      form: 'with and without www',
    },
  ];
}
