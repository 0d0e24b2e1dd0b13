// What a rule does, in the form the exchange runs: backends by reference instead of by key, weights
// with the state that spreads requests evenly.
//
// Budget: 0.1 µs to choose among backends. Allocates nothing for a request; the rest is made when a
// program changes. Guarded by bench/proxy.ts.

import type { HeaderValue } from '../../../model/filter.ts';
import type { Session } from '../../../model/policy.ts';
import type { TextTemplate } from '../../../model/template.ts';
import type {
  ActionProgram,
  FilterProgram,
  RedirectProgram,
  ResultProgram,
  WeightedProgram,
} from '../program.ts';
import type { Policy } from './attempts.ts';
import type { AuthChoice } from './auth/guard.ts';
import type { Backend } from './backend.ts';
import { Cors } from './cors.ts';
import type { CrossOrigin } from './cors.ts';
import { CorsHeaders } from './cors-headers.ts';
import { Gate } from './gate.ts';
import type { Endpoint } from './endpoint.ts';

export interface Action extends Extras {
  readonly id: string;
  readonly filters: readonly FilterProgram[];
  readonly result: Exclude<ResultProgram, { kind: 'forward' }> | Forward;
  /** Null: nothing is asked beyond one attempt without a limit of time. */
  readonly policy: Policy | null;
  readonly session: Session | null;
  /** Null: every request may pass. */
  readonly gate: Gate | null;
  /** The expression groups of templates are of; null for none. */
  readonly groupsOf: string | null;
  /** What an endpoint is chosen by instead of the client's address; null for nothing else. */
  readonly hashBy: TextTemplate | null;
  readonly errorPages: RunningErrorPages | null;
  /** Whether anything of it is text with parts of the request in it. */
  readonly fillsTemplates: boolean;
}

/** Whose word replaces that of the backends. */
export interface RunningErrorPages {
  readonly statuses: ReadonlySet<number>;
  readonly backend: Backend;
  readonly headers: readonly HeaderValue[];
}

/** What filters do besides changing messages. */
export interface Extras {
  readonly cors: CrossOrigin | null;
  /** Null for none. */
  readonly mirrors: readonly MirrorChoice[] | null;
  /** Services that are asked before the request goes on; null for none. */
  readonly auths: readonly AuthChoice[] | null;
}

export interface MirrorChoice {
  readonly backend: Backend;
  /** Of a copy: from 0 to 1. */
  readonly chance: number;
}

export interface Weighted extends Extras {
  /** Null: answer `statusCode`. */
  readonly backend: Backend | null;
  readonly statusCode: number;
  readonly reason: string;
  /** Not null: redirects, in place of `statusCode`. */
  readonly redirect: RedirectProgram | null;
  readonly filters: readonly FilterProgram[];
  readonly weight: number;
  /** How far ahead of its share it is. */
  current: number;
}

/**
 * Chooses among backends by weight, evenly: of ten requests at 90 and 10, exactly one goes to the
 * second, and not in a row (the smooth weighted round robin that nginx made known).
 */
export class Forward {
  readonly kind = 'forward';
  readonly #choices: readonly Weighted[];
  /** Those a session may lead to. */
  readonly #held: readonly Weighted[];
  readonly #total: number;

  constructor(backends: readonly WeightedProgram[], find: (key: string) => Backend, holds = false) {
    const choices = backends.filter((b) => b.weight > 0);
    this.#total = choices.reduce((sum, b) => sum + b.weight, 0);
    const activated = (holds ? backends : choices).map((b) => ({
      backend: b.backend === null ? null : find(b.backend),
      statusCode: b.statusCode,
      reason: b.reason,
      redirect: b.redirect,
      filters: b.filters,
      ...extrasOf(b.filters, find),
      weight: b.weight,
      // Several workers, or several rules, must not all begin with the same backend.
      current: choices.length === 1 ? 0 : Math.random() * b.weight,
    }));
    this.#held = activated;
    this.#choices = activated.filter((b) => b.weight > 0);
  }

  /** Nothing has a weight: there is nothing to choose. */
  get isEmpty(): boolean {
    return this.#choices.length === 0;
  }

  /** Whether some choice may end at that address. */
  leadsTo({ address, port }: { readonly address: string; readonly port: number }): boolean {
    return this.#choices.some((choice) =>
      choice.backend?.endpoints.some((e) => e.address === address && e.port === port),
    );
  }

  /** Where a session's token leads; null when it leads nowhere any more. */
  find(token: string): { readonly weighted: Weighted; readonly endpoint: Endpoint } | null {
    for (const weighted of this.#held) {
      const endpoint = weighted.backend?.withToken(token);
      if (endpoint !== undefined) return { weighted, endpoint };
    }
    return null;
  }

  choose(): Weighted {
    const choices = this.#choices;
    let best = choices[0]!;
    if (choices.length === 1) return best;
    for (const choice of choices) {
      choice.current += choice.weight;
      if (choice.current > best.current) best = choice;
    }
    best.current -= this.#total;
    return best;
  }
}

/** Makes an action runnable. */
export function activate(program: ActionProgram, find: (key: string) => Backend): Action {
  const { id, filters, result, timeouts, retry, session } = program;
  return {
    id,
    filters,
    result: result.kind === 'forward' ? new Forward(result.backends, find, session?.holds) : result,
    ...extrasOf(filters, find),
    policy: timeouts === null && retry === null ? null : { timeouts, retry },
    session,
    gate: program.guard === null ? null : new Gate(program.guard),
    groupsOf: program.groupsOf,
    hashBy: program.hashBy,
    fillsTemplates: program.hashBy !== null || fillsTemplates(program),
    errorPages:
      program.errorPages === null
        ? null
        : {
            statuses: new Set(program.errorPages.statuses),
            backend: find(program.errorPages.backend),
            headers: program.errorPages.headers,
          },
  };
}

function fillsTemplates({ filters, result }: ActionProgram): boolean {
  const own = result.kind === 'forward' ? result.backends.flatMap((b) => b.filters) : [];
  return [...filters, ...own].some(
    ({ kind }) => kind === 'templateHeaders' || kind === 'rewriteFields',
  );
}

function extrasOf(filters: readonly FilterProgram[], find: (key: string) => Backend): Extras {
  const cors = filters.find((filter) => filter.kind === 'cors');
  const open = filters.find((filter) => filter.kind === 'corsHeaders');
  const mirrors = filters
    .filter((filter) => filter.kind === 'mirror')
    .map(({ backend, numerator, denominator }) => ({
      backend: find(backend),
      chance: numerator / denominator,
    }));
  const auths = filters
    .filter((filter) => filter.kind === 'auth')
    .map((program) => ({ backend: find(program.backend), program }));
  return {
    cors: open !== undefined ? new CorsHeaders(open) : cors === undefined ? null : new Cors(cors),
    mirrors: mirrors.length === 0 ? null : mirrors,
    auths: auths.length === 0 ? null : auths,
  };
}
