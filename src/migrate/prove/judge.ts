// One request, asked of both: the same, different in a way that is known, lost with something that could
// not be said, or different for no reason we know.

import { decodeTarget, escapePath } from '../../lib/decoded-path.ts';
import { hostMatches, normalizeHost } from '../../lib/hostname.ts';
import { splitTarget } from '../../lib/http-path.ts';
import type { RequestFate, RequestProbe } from '../../model/answer.ts';
import { corsHeadersChanges } from '../../model/trace-cors.ts';
import type { Action, EntryPoint, Model, Origin } from '../../model/model.ts';
import { traceRequest } from '../../model/trace.ts';
import { planPaths } from '../paths.ts';
import { writtenHost } from '../routes.ts';
import type { Loss } from '../types.ts';
import { focusOn } from './focus.ts';
import { TOLD } from './known.ts';
import type { KnownId } from './known.ts';
import { differingFields, outcomeOf } from './outcome.ts';
import type { Field, Outcome } from './outcome.ts';

/** One configuration: its model, and who answers for it. */
export interface Side {
  readonly model: Model;
  /** Makes what answers from a part of the model. */
  readonly answerer: (model: Model) => (probe: RequestProbe) => RequestFate;
}

interface Focused {
  readonly model: Model;
  /** Actions that answer by themselves, and add fields to it. */
  readonly answering: ReadonlyMap<string, Action>;
  readonly ask: (probe: RequestProbe) => RequestFate;
}

export interface Decider {
  /** `HTTPRoute shop/cart rule 1`; undefined when no rule took the request. */
  readonly rule: string | undefined;
  readonly origin: Origin | undefined;
}

export type Judgement =
  | { readonly verdict: 'same' }
  | {
      readonly verdict: 'known';
      readonly ids: readonly KnownId[];
      readonly losses: readonly Loss[];
    }
  | { readonly verdict: 'lost'; readonly losses: readonly Loss[]; readonly ids: readonly KnownId[] }
  | { readonly verdict: 'unexplained'; readonly fields: readonly Field[] };

/** Parts of models that are kept. */
const FOCUSED_MAX = 64;

/** How often a request is asked again in another form. */
const DEPTH_MAX = 3;

export class Judge {
  readonly before: Side;
  readonly after: Side;
  readonly #losses = new Map<string, Loss[]>();
  readonly #focused = new Map<string, Focused>();
  #wildcards: readonly string[] | undefined;
  readonly #prefixes = new Map<string, readonly string[]>();

  constructor(before: Side, after: Side, losses: readonly Loss[]) {
    this.before = before;
    this.after = after;
    for (const loss of losses)
      this.#losses.set(loss.rule, [...(this.#losses.get(loss.rule) ?? []), loss]);
  }

  outcome(side: Side, probe: RequestProbe): Outcome {
    const { model, ask, answering } = this.#focus(side, probe);
    const outcome = withoutTold(outcomeOf(model, entryPointOf(model, probe), ask(probe)));
    if (outcome.shares.length > 0 || answering.size === 0) return outcome;
    const action = answering.get(this.decider(side, probe).rule ?? '');
    if (action === undefined) return outcome;
    return {
      ...outcome,
      fields: [...new Set([...outcome.fields, ...addedFields(action, probe)])].toSorted(),
    };
  }

  judge(probe: RequestProbe, depth = 0): Judgement {
    const before = this.outcome(this.before, probe);
    const after = this.outcome(this.after, probe);
    const fields = new Set(differingFields(before, after));
    if (fields.size === 0) return { verdict: 'same' };
    const ids = new Set<KnownId>();
    const losses: Loss[] = [];
    this.#settleForms(probe, before, after, fields, ids);
    if (fields.size > 0) this.#settleLosses(probe, fields, losses);
    if (fields.size === 0) return settled(ids, losses);
    const other = depth < DEPTH_MAX ? this.#askOtherwise(probe, before, after, depth) : undefined;
    if (other !== undefined)
      return settled(new Set([...ids, ...other.ids]), [...losses, ...other.losses]);
    return { verdict: 'unexplained', fields: [...fields] };
  }

  /** The rule that decides, by the reference. */
  decider(side: Side, probe: RequestProbe): Decider {
    const { steps } = traceRequest(this.#focus(side, probe).model, probe);
    const step = steps.findLast(({ stage, verdict }) => stage === 'rule' && verdict === 'taken');
    return { rule: step?.what, origin: step?.origin };
  }

  /** Differences of form in what both give to the same backend, or to the same place. */
  #settleForms(
    probe: RequestProbe,
    before: Outcome,
    after: Outcome,
    fields: Set<Field>,
    ids: Set<KnownId>,
  ): void {
    if (fields.has('headers') && probe.headers.some(([name]) => name.includes('_'))) {
      const plain = (o: Outcome): string =>
        JSON.stringify(o.shares.map((s) => s.headers.filter((h) => !/^[^:]*_/.test(h))));
      if (plain(before) === plain(after)) {
        fields.delete('headers');
        ids.add('underscores');
      }
    }
    if (fields.has('path')) {
      const pairs = before.shares.map(
        (share, i) => [share.target, after.shares[i]?.target ?? ''] as const,
      );
      const isNormal = ([a, b]: readonly [string, string]): boolean => {
        const split = splitTarget(a);
        return a === b || (split !== null && split.path + split.query === b);
      };
      const isEscaped = ([a, b]: readonly [string, string]): boolean =>
        JSON.stringify(decodeTarget(a)) === JSON.stringify(decodeTarget(b));
      if (pairs.every(isNormal)) {
        fields.delete('path');
        ids.add('normalized');
      } else if (pairs.every(isEscaped)) {
        fields.delete('path');
        ids.add('escapes');
      }
    }
    if (fields.has('location') && probe.host !== normalizeHost(probe.host)) {
      const plain = (text: string | undefined): string =>
        (text ?? '').replace(
          /^(https?:\/\/)([^/?]*)/,
          (_, scheme: string, host: string) => scheme + normalizeHost(host),
        );
      if (plain(before.location) === plain(after.location)) {
        fields.delete('location');
        ids.add('host-forms');
      }
    }
  }

  #settleLosses(probe: RequestProbe, fields: Set<Field>, found: Loss[]): void {
    const { rule } = this.decider(this.before, probe);
    if (rule === undefined) return;
    for (const loss of this.#losses.get(rule) ?? []) {
      if (loss.touches !== 'all' && !loss.touches.some((field) => fields.has(field))) continue;
      found.push(loss);
      if (loss.touches === 'all') fields.clear();
      else for (const field of loss.touches) fields.delete(field);
      if (fields.size === 0) return;
    }
  }

  /** Explanations that hold if the request, put in another way, has no other difference. */
  #askOtherwise(
    probe: RequestProbe,
    before: Outcome,
    after: Outcome,
    depth: number,
  ): { readonly ids: readonly KnownId[]; readonly losses: readonly Loss[] } | undefined {
    const host = normalizeHost(probe.host);
    const plainly = (id: KnownId) => ({ ids: [id], losses: [] });
    const asked = (id: KnownId, other: Partial<RequestProbe>) => {
      const judged = this.judge({ ...probe, ...other }, depth + 1);
      switch (judged.verdict) {
        case 'same':
          return plainly(id);
        case 'known':
        case 'lost':
          return { ids: [id, ...judged.ids], losses: judged.losses };
        case 'unexplained':
          return undefined;
      }
    };
    if (
      probe.scheme === 'https' &&
      after.status === 0 &&
      !hasListener(this.#focus(this.after, probe).model, host)
    ) {
      return plainly('no-certificate');
    }
    if (this.#isBelowWildcard(host)) return plainly('wildcard-labels');
    if (before.status === 413 && after.status !== 413) return plainly('body-size');
    if (after.status === 413 && before.location !== undefined) return plainly('large-redirect');
    const decoded = decodeTarget(probe.target);
    const canonical = decoded === null ? undefined : escapePath(decoded.path) + decoded.query;
    if (splitTarget(probe.target) === null && (after.status === 400 || before.status === 400)) {
      if (before.status >= 400 || canonical === undefined || canonical === probe.target)
        return plainly('path-forms');
    }
    if (canonical !== undefined && canonical !== probe.target) {
      const judged = asked('path-forms', { target: canonical });
      if (judged !== undefined) return judged;
    }
    if (probe.headers.some(([name]) => name.includes('_'))) {
      const judged = asked('underscores', {
        headers: probe.headers.filter(([name]) => !name.includes('_')),
      });
      if (judged !== undefined) return judged;
    }
    if (entryPointOf(this.before.model, probe)?.conduct?.trustedProxies !== undefined) {
      const headers = probe.headers.filter(([name]) => !/^x-forwarded-/i.test(name));
      const judged =
        headers.length < probe.headers.length ? asked('trusted-proxies', { headers }) : undefined;
      if (judged !== undefined) return judged;
    }
    return this.#askPrefix(probe, host, asked, plainly);
  }

  #askPrefix<T>(
    probe: RequestProbe,
    host: string,
    asked: (id: KnownId, other: Partial<RequestProbe>) => T | undefined,
    plainly: (id: KnownId) => T,
  ): T | undefined {
    const mark = probe.target.indexOf('?');
    const path = mark === -1 ? probe.target : probe.target.slice(0, mark);
    const lower = path.toLowerCase();
    for (const prefix of this.#prefixesOf(probe, host)) {
      if (!lower.startsWith(prefix.toLowerCase())) continue;
      const rest = path.slice(prefix.length);
      if (!rest.startsWith('/') || rest === '/') return plainly('segments');
      if (path.startsWith(prefix)) continue;
      const judged = asked('case', { target: prefix + probe.target.slice(prefix.length) });
      if (judged !== undefined) return judged;
    }
    return undefined;
  }

  /** Whether a wildcard that took one label would take the host if it took more. */
  #isBelowWildcard(host: string): boolean {
    this.#wildcards ??= this.before.model.entryPoints.flatMap((e) =>
      e.listeners.flatMap((l) =>
        l.hosts.map((h) => h.hostname).filter((name) => name.startsWith('?.')),
      ),
    );
    return this.#wildcards.some((w) => !hostMatches(w, host) && hostMatches(writtenHost(w), host));
  }

  /** Prefixes that stand for expressions on the host, the longest first. */
  #prefixesOf(probe: RequestProbe, host: string): readonly string[] {
    const key = `${probe.scheme} ${host}`;
    let known = this.#prefixes.get(key);
    if (known === undefined) {
      const listeners = entryPointOf(this.#focus(this.before, probe).model, probe)?.listeners ?? [];
      const own = listeners.flatMap((l) => l.hosts).find((h) => hostMatches(h.hostname, host));
      const { plans, isPrefixed } = planPaths(own?.rules ?? []);
      known = isPrefixed
        ? plans
            .flatMap((plan) =>
              'type' in plan && plan.type === 'PathPrefix' && plan.value !== '/'
                ? [plan.value]
                : [],
            )
            .toSorted((a, b) => b.length - a.length)
        : [];
      this.#prefixes.set(key, known);
    }
    return known;
  }

  #focus(side: Side, probe: RequestProbe): Focused {
    const host = normalizeHost(probe.host);
    const key = `${side === this.before ? 'before' : 'after'} ${probe.port} ${host}`;
    let known = this.#focused.get(key);
    if (known === undefined) {
      const model = focusOn(side.model, host, probe.port);
      known = { model, ask: side.answerer(model), answering: answeringOf(model) };
      this.#focused.set(key, known);
      // Questions about a host come together.
      if (this.#focused.size > FOCUSED_MAX) {
        const [oldest = ''] = this.#focused.keys();
        this.#focused.delete(oldest);
      }
    }
    return known;
  }
}

function answeringOf({ entryPoints }: Model): ReadonlyMap<string, Action> {
  const rules = entryPoints
    .flatMap((e) => e.listeners)
    .flatMap((l) => l.hosts)
    .flatMap((h) => h.rules);
  return new Map(
    rules
      .filter(({ action }) =>
        action.filters.some(({ kind }) => kind === 'corsHeaders' || kind === 'responseHeaders'),
      )
      .map(({ action }) => [action.id, action]),
  );
}

/** What filters add to an answer that no backend gave, but for what is said to differ everywhere. */
function addedFields({ filters }: Action, probe: RequestProbe): readonly string[] {
  const headers = probe.headers.map(([name, value]) => [name.toLowerCase(), value] as const);
  return filters.flatMap((filter) => {
    if (filter.kind === 'corsHeaders')
      return corsHeadersChanges(filter, headers).set.map(({ name, value }) => `${name}: ${value}`);
    if (filter.kind !== 'responseHeaders') return [];
    return [...filter.set, ...filter.add]
      .filter(({ name }) => name !== 'strict-transport-security')
      .map(({ name, value }) => `${name}: ${value}`);
  });
}

function settled(ids: ReadonlySet<KnownId>, losses: readonly Loss[]): Judgement {
  const isLost = losses.some(({ grade }) => grade === 'lost');
  const unique = [...new Set(losses)];
  return { verdict: isLost ? 'lost' : 'known', ids: [...ids], losses: unique };
}

function entryPointOf(model: Model, { port }: RequestProbe): EntryPoint | undefined {
  return model.entryPoints.find((e) => e.port === port);
}

function withoutTold(outcome: Outcome): Outcome {
  if (outcome.shares.length === 0) return outcome;
  return {
    ...outcome,
    shares: outcome.shares.map((share) => ({
      ...share,
      headers: share.headers.filter((h) => !TOLD.test(h)),
    })),
  };
}

function hasListener(model: Model, host: string): boolean {
  return model.entryPoints.some(
    ({ protocol, listeners }) =>
      protocol !== 'http' && listeners.some((l) => hostMatches(l.hostname, host)),
  );
}
