// Both configurations, asked the same questions one after another: what they agree on, what differs in a
// known way, and for all else the smallest request that shows it, with the two rules that decided.

import type { RequestProbe } from '../../model/answer.ts';
import type { Loss } from '../types.ts';
import { Judge } from './judge.ts';
import type { Decider, Side } from './judge.ts';
import { KNOWN } from './known.ts';
import type { KnownId } from './known.ts';
import { describeOutcome } from './outcome.ts';
import type { Field } from './outcome.ts';
import type { Question } from './requests.ts';
import { shrink } from './shrink.ts';

export interface ProveInput {
  readonly before: Side;
  readonly after: Side;
  /** What the generated configuration says, where another one is asked: patches come from it. */
  readonly generated?: Side;
  readonly losses: readonly Loss[];
  readonly questions: Iterable<Question>;
  /** Called now and then, with the number of questions asked. */
  readonly onProgress?: (asked: number) => void;
}

export interface Counts {
  same: number;
  known: number;
  lost: number;
  unexplained: number;
}

export interface KnownReport {
  readonly text: string;
  readonly count: number;
  /** A request that shows it. */
  readonly example: string;
}

export interface LostReport extends KnownReport {
  readonly loss: Loss;
}

export interface Unexplained {
  readonly probe: RequestProbe;
  readonly request: string;
  /** How many requests differ between these two rules. */
  readonly count: number;
  readonly fields: readonly Field[];
  readonly before: string;
  readonly after: string;
  readonly deciders: { readonly before: Decider; readonly after: Decider };
  /** The rule of the generated configuration that answers it as before. */
  readonly patch?: Decider;
}

export interface Proof {
  readonly asked: number;
  readonly total: Readonly<Counts>;
  /** By form of the request, in the order they came. */
  readonly forms: readonly (Readonly<Counts> & { readonly form: string })[];
  readonly known: readonly KnownReport[];
  readonly approximate: readonly LostReport[];
  readonly lost: readonly LostReport[];
  readonly unexplained: readonly Unexplained[];
  /** Differences beyond those listed one by one. */
  readonly more: number;
  /** Nothing is unexplained, and nothing lost shows in an answer. */
  readonly isProven: boolean;
}

/** Pairs of rules whose differences are shown one by one. */
const UNEXPLAINED_MAX = 50;
const PROGRESS_EVERY = 2000;

export function prove({
  before,
  after,
  generated,
  losses,
  questions,
  onProgress,
}: ProveInput): Proof {
  const judge = new Judge(before, after, losses);
  const tally = new Tally();
  const found = new Map<
    string,
    {
      probe: RequestProbe;
      fields: readonly Field[];
      count: number;
      deciders: Unexplained['deciders'];
    }
  >();
  let asked = 0;
  let more = 0;
  for (const { probe, form } of questions) {
    asked++;
    if (asked % PROGRESS_EVERY === 0) onProgress?.(asked);
    const judged = judge.judge(probe);
    tally.count(form, judged.verdict);
    switch (judged.verdict) {
      case 'same':
        break;
      case 'known':
      case 'lost':
        for (const id of judged.ids) tally.known(id, probe);
        for (const loss of judged.losses) tally.loss(loss, probe);
        break;
      case 'unexplained': {
        if (found.size >= UNEXPLAINED_MAX) {
          more++;
          break;
        }
        const deciders = {
          before: judge.decider(before, probe),
          after: judge.decider(after, probe),
        };
        const key = [
          probe.scheme,
          deciders.before.rule,
          deciders.after.rule,
          ...judged.fields,
        ].join('|');
        const known = found.get(key);
        if (known === undefined)
          found.set(key, { probe, fields: judged.fields, count: 1, deciders });
        else known.count++;
        break;
      }
    }
  }
  onProgress?.(asked);
  const repaired = generated === undefined ? undefined : new Judge(before, generated, losses);
  return {
    asked,
    ...tally.finish(),
    more,
    unexplained: [...found.values()].map(({ probe, fields, count, deciders }): Unexplained => {
      const least = shrink(probe, (smaller) => differsAlike(judge, smaller, deciders));
      const repair =
        repaired !== undefined && repaired.judge(least).verdict !== 'unexplained'
          ? repaired.decider(repaired.after, least)
          : undefined;
      return {
        probe: least,
        request: describeRequest(least),
        count,
        fields,
        before: describeOutcome(judge.outcome(before, least)),
        after: describeOutcome(judge.outcome(after, least)),
        deciders,
        ...(repair?.rule === undefined ? {} : { patch: repair }),
      };
    }),
  };
}

function differsAlike(
  judge: Judge,
  probe: RequestProbe,
  deciders: Unexplained['deciders'],
): boolean {
  return (
    judge.judge(probe).verdict === 'unexplained' &&
    judge.decider(judge.before, probe).rule === deciders.before.rule &&
    judge.decider(judge.after, probe).rule === deciders.after.rule
  );
}

/** `GET http://shop.example/cart -H 'X-User: me'` */
export function describeRequest({
  scheme,
  method,
  host,
  target,
  headers,
  client,
}: RequestProbe): string {
  const fields = headers.map(([name, value]) => ` -H '${name}: ${value}'`).join('');
  return `${method} ${scheme}://${host}${target}${fields}${client === undefined ? '' : ` from ${client}`}`;
}

class Tally {
  readonly #forms = new Map<string, Counts>();
  readonly #known = new Map<KnownId, { count: number; example: string }>();
  readonly #losses = new Map<Loss, { count: number; example: string }>();

  count(form: string, verdict: keyof Counts): void {
    const counts = this.#forms.get(form) ?? { same: 0, known: 0, lost: 0, unexplained: 0 };
    this.#forms.set(form, counts);
    counts[verdict]++;
  }

  known(id: KnownId, probe: RequestProbe): void {
    note(this.#known, id, probe);
  }

  loss(loss: Loss, probe: RequestProbe): void {
    note(this.#losses, loss, probe);
  }

  finish(): Pick<Proof, 'total' | 'forms' | 'known' | 'approximate' | 'lost' | 'isProven'> {
    const total: Counts = { same: 0, known: 0, lost: 0, unexplained: 0 };
    for (const counts of this.#forms.values()) {
      for (const name of ['same', 'known', 'lost', 'unexplained'] as const)
        total[name] += counts[name];
    }
    const losses = Array.from(this.#losses, ([loss, seen]) => ({
      loss,
      text: loss.reason,
      ...seen,
    }));
    return {
      total,
      forms: Array.from(this.#forms, ([form, counts]) => ({ form, ...counts })),
      known: Array.from(this.#known, ([id, seen]) => ({ text: KNOWN[id], ...seen })),
      approximate: losses.filter(({ loss }) => loss.grade === 'approximate'),
      lost: losses.filter(({ loss }) => loss.grade === 'lost'),
      isProven: total.unexplained === 0 && total.lost === 0,
    };
  }
}

function note<K>(
  map: Map<K, { count: number; example: string }>,
  key: K,
  probe: RequestProbe,
): void {
  const known = map.get(key);
  if (known === undefined) map.set(key, { count: 1, example: describeRequest(probe) });
  else known.count++;
}
