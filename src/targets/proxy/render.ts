// ProxyProgram → text for people: ports, the rules behind each host in the order they are asked, and
// the endpoints of each backend.

import type { Guard } from '../../model/guard.ts';
import { printableBasic } from '../../model/print.ts';
import { describeTemplate } from '../../model/template.ts';
import type { BackendTls } from '../../model/model.ts';
import type { RenderedFile } from '../target.ts';
import type {
  ActionProgram,
  BackendProgram,
  FilterProgram,
  PathGroup,
  ProxyProgram,
  RuleProgram,
  SocketProgram,
  StreamProgram,
  TableProgram,
  WeightedProgram,
} from './program.ts';
import { tableKey } from './program.ts';

/** Renders a program as one file, `proxy.txt`. Keys of certificates are not in it. */
export function renderProxy(program: ProxyProgram): readonly RenderedFile[] {
  const lines = [
    ...program.sockets.flatMap((socket) => renderSocket(socket, program)),
    ...[...program.backends.values()].flatMap((backend) => [
      `backend ${backend.key} (${backend.protocol})`,
      ...(backend.balance === undefined ? [] : [`  balanced by ${backend.balance}`]),
      ...(backend.tls === null ? [] : renderTls(backend.tls)),
      ...renderPolicies(backend),
      ...(backend.endpoints.length === 0 && backend.host === undefined
        ? ['  no endpoint: 503']
        : []),
      ...backend.endpoints.map((e) => `  ${e.address}:${e.port}`),
      ...backend.draining.map((e) => `  ${e.address}:${e.port} (draining)`),
      '',
    ]),
    ...program.relays.flatMap((relay) => [
      `relay ${relay.protocol} ${relay.address || 'node'}:${relay.port} for Service ${relay.service}`,
      ...(relay.affinitySeconds > 0 ? [`  clients stay for ${relay.affinitySeconds} s`] : []),
      ...relay.endpoints.map((e) => `  ${e.address}:${e.port}`),
      '',
    ]),
  ];
  return [{ path: 'proxy.txt', text: lines.join('\n').trimEnd() }];
}

function renderSocket(socket: SocketProgram, { hosts, tables }: ProxyProgram): readonly string[] {
  const { id, addresses, port, protocol, listeners } = socket;
  return [
    `port ${port} of Gateway ${id.slice(0, id.lastIndexOf(':'))} on ${addresses.join(', ')} (${protocol})`,
    ...(socket.clientValidation === null
      ? []
      : [
          socket.clientValidation.isRequired
            ? '  clients must show a certificate'
            : '  clients are asked for a certificate',
        ]),
    ...(socket.settings === null ? [] : [`  settings ${JSON.stringify(socket.settings)}`]),
    ...(socket.backendCertificate === null
      ? []
      : [`  shows backends certificate ${socket.backendCertificate}`]),
    ...listeners.flatMap((listener) => [
      `  listener ${listener.id} for ${listener.hostname || 'every host'}`,
      ...(listener.asks === undefined || listener.asks === null
        ? []
        : [`    clients are asked for a certificate of ${listener.asks.id}`]),
      ...listener.certificates.map((key) => `    certificate ${key}`),
      ...listener.named.map((n) => `    certificate ${n.certificate} for ${n.hostname}`),
      ...(hosts.get(listener.id) ?? []).flatMap(({ hostname }) => [
        `    host ${hostname || 'every other'}`,
        ...renderTable(tables.get(tableKey(listener.id, hostname))),
      ]),
      ...(listener.stream === null ? [] : renderStream(listener.stream)),
    ]),
    '',
  ];
}

function renderPolicies({ host, retryBudget, session }: BackendProgram): readonly string[] {
  return [
    ...(host === undefined ? [] : [`  looked up: ${host.name}:${host.port}`]),
    ...(retryBudget === undefined ? [] : [`  retry budget ${JSON.stringify(retryBudget)}`]),
    ...(session === undefined ? [] : [`  session ${JSON.stringify(session)}`]),
  ];
}

function renderTls({ serverName, authorities, names, certificate }: BackendTls): readonly string[] {
  const from = authorities === 'system' ? 'the system knows' : `${authorities.length} given`;
  return [
    `  in TLS as ${serverName}, by authorities ${from}`,
    ...names.map(({ kind, value }) => `  certificate for ${kind} ${value}`),
    ...(certificate === undefined ? [] : [`  is shown certificate ${certificate}`]),
  ];
}

function renderStream({ mode, hosts }: StreamProgram): readonly string[] {
  return [
    `    ${mode}${hosts.length === 0 ? ': no route, every connection is reset' : ''}`,
    ...hosts.flatMap(({ hostname, rule }) => [
      `    host ${hostname || 'every other'}`,
      `      # ${rule.id}`,
      ...rule.backends.map(({ backend, weight, reason }) =>
        backend === null
          ? `      weight ${weight}: reset: ${reason}`
          : `      weight ${weight}: ${backend}`,
      ),
    ]),
  ];
}

function renderTable(table: TableProgram | undefined): readonly string[] {
  if (table === undefined) return [];
  const byLength = table.prefix.toSorted((a, b) => b.path.length - a.path.length);
  return [
    ...table.exact.flatMap((group) => renderGroup('=', group)),
    ...table.regex.flatMap((group) => renderGroup(group.searches === true ? '~~' : '~', group)),
    ...byLength.flatMap((group) => renderGroup('^', group)),
  ];
}

/** `= /path` takes that path, `~ expression` what it matches, `~~` what it is in, `^ /path` what is under it. */
function renderGroup(sign: string, { path, rules }: PathGroup): readonly string[] {
  return rules.flatMap((rule) => [
    `      ${sign} ${path}${renderConditions(rule)}`,
    ...renderAction(rule.action).map((line) => `          ${line}`),
  ]);
}

function renderConditions({ method, pattern, headers, queryParams, cookies }: RuleProgram): string {
  return [
    ...(method === null ? [] : [method]),
    ...(pattern === null ? [] : [`~ ${pattern}`]),
    ...headers.map((h) => `${h.name}${h.regex === true ? ' ~ ' : ': '}${h.value}`),
    ...cookies.map((c) => `cookie ${c.name}${c.regex === true ? ' ~ ' : '='}${c.value}`),
    ...queryParams.map((q) => `?${q.name}${q.regex === true ? ' ~ ' : '='}${q.value}`),
  ]
    .map((condition) => ` [${condition}]`)
    .join('');
}

function renderAction(action: ActionProgram): readonly string[] {
  const { id, filters, result } = action;
  const lines = [`# ${id}`, ...filters.flatMap(renderFilter), ...renderPolicy(action)];
  switch (result.kind) {
    case 'respond':
      return [...lines, `respond ${result.statusCode}: ${result.reason}`];
    case 'redirect': {
      const { kind: _kind, statusCode, ...to } = result;
      return [...lines, `redirect ${statusCode} ${JSON.stringify(to)}`];
    }
    case 'forward':
      return [
        ...lines,
        ...result.backends.flatMap(({ weight, filters: own, ...weighted }) => [
          `weight ${weight}: ${renderShare(weighted)}`,
          ...own.flatMap(renderFilter).map((line) => `  ${line}`),
        ]),
      ];
  }
}

function renderShare({
  backend,
  redirect,
  statusCode,
  reason,
}: Pick<WeightedProgram, 'backend' | 'redirect' | 'statusCode' | 'reason'>): string {
  if (redirect !== null) {
    const { kind: _kind, statusCode: code, ...to } = redirect;
    return `redirect ${code} ${JSON.stringify(to)}`;
  }
  return backend ?? `respond ${statusCode}: ${reason}`;
}

function renderPolicy(action: ActionProgram): readonly string[] {
  const { timeouts, retry, session, hashBy, errorPages } = action;
  const hash = hashBy === null ? null : describeTemplate(hashBy);
  const guard = action.guard === null ? null : printableGuard(action.guard);
  return Object.entries({ timeouts, retry, session, guard, hash, errorPages })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} ${JSON.stringify(value)}`);
}

function printableGuard({ basic, ...rest }: Guard): unknown {
  return basic === undefined ? rest : { ...rest, basic: printableBasic(basic) };
}

function renderFilter(filter: FilterProgram): readonly string[] {
  switch (filter.kind) {
    case 'requestHeaders':
    case 'responseHeaders': {
      const side = filter.kind === 'requestHeaders' ? 'request' : 'response';
      return [
        ...filter.set.map((h) => `set ${side} header ${h.name}: ${h.value}`),
        ...filter.add.map((h) => `add ${side} header ${h.name}: ${h.value}`),
        ...filter.remove.map((name) => `remove ${side} header ${name}`),
      ];
    }
    case 'rewrite': {
      const { kind: _kind, ...to } = filter;
      return [`rewrite ${JSON.stringify(to)}`];
    }
    case 'mirror': {
      const { numerator, denominator, backend } = filter;
      const part = numerator === denominator ? '' : ` ${numerator} of ${denominator} requests`;
      return [`mirror${part} to ${backend}`];
    }
    case 'auth': {
      const { kind: _kind, backend, ...how } = filter;
      return [`ask ${backend} ${JSON.stringify(how)}`];
    }
    case 'cors': {
      const { kind: _kind, ...rules } = filter;
      return [`cors ${JSON.stringify(rules)}`];
    }
    case 'corsHeaders': {
      const { kind: _kind, ...rules } = filter;
      return [`cors headers ${JSON.stringify(rules)}`];
    }
    case 'templateHeaders':
      return filter.set.map((h) => `set request header ${h.name}: ${describeTemplate(h.value)}`);
    case 'rewriteFields': {
      const { kind: _kind, ...changes } = filter;
      return [`rewrite fields ${JSON.stringify(changes)}`];
    }
  }
}
