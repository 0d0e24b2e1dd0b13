// The report of a migration: what became of each annotation, what was proven, and the plan of the move; as
// text, JSON or HTML.

import type { Finding } from '../api/finding.ts';
import { printable } from '../lib/printable.ts';
import { renderRule } from '../migrate/render.ts';
import type { Loss, Migration } from '../migrate/types.ts';
import { EVERYWHERE } from '../migrate/prove/known.ts';
import type { Decider } from '../migrate/prove/judge.ts';
import type { Unexplained } from '../migrate/prove/prove.ts';
import type { Origin } from '../model/model.ts';
import type { Proven } from './migrate.ts';

export type ReportFormat = 'text' | 'json' | 'html';

export interface ReportInput {
  readonly migration: Migration;
  readonly place: (origin: Origin) => string | undefined;
  /** Objects that stand for what the files do not have. */
  readonly standIns: readonly string[];
  /** Numbers of ports that had to be made up. */
  readonly guesses: readonly string[];
  /** Names of the files that were generated. */
  readonly files: readonly string[];
  readonly proven?: Proven;
}

interface Section {
  readonly title: string;
  readonly lines: readonly string[];
}

export function formatReport(input: ReportInput, format: ReportFormat): string {
  switch (format) {
    case 'json':
      return JSON.stringify(toJson(input), null, 2);
    case 'html':
      return toHtml(sectionsOf(input));
    case 'text':
      return sectionsOf(input)
        .map(({ title, lines }) =>
          [title, ...lines.map((line) => `  ${printable(line)}`)].join('\n'),
        )
        .join('\n\n');
  }
}

function sectionsOf({
  migration,
  place,
  standIns,
  guesses,
  proven,
}: ReportInput): readonly Section[] {
  const { objects, ingresses, notes, annotations, plan, findings } = migration;
  const kinds = new Map<string, number>();
  for (const { kind } of objects) kinds.set(kind, (kinds.get(kind) ?? 0) + 1);
  const counts = [...kinds].map(([kind, count]) =>
    `${count} ${kind}${count === 1 ? '' : kind.endsWith('y') ? '' : 's'}`.replace(
      /(\d+) (\w+Polic)y$/,
      (_, n: string, k: string) => `${n} ${k}${n === '1' ? 'y' : 'ies'}`,
    ),
  );
  const errors = findings.filter(
    ({ severity, reason }) =>
      severity === 'error' || reason === 'IngressClassNotOurs' || reason === 'Overruled',
  );
  return [
    {
      title: 'Migration',
      lines: [
        `${ingresses} Ingress${ingresses === 1 ? '' : 'es'} → ${counts.join(', ')}`,
        ...notes,
      ],
    },
    ...(guesses.length === 0 ? [] : [{ title: 'To be put right by you', lines: guesses }]),
    ...(standIns.length === 0
      ? []
      : [
          {
            title: 'Not among the files, and taken to be there',
            lines: [
              standIns.slice(0, 10).join(', ') +
                (standIns.length > 10 ? ` and ${standIns.length - 10} more` : ''),
            ],
          },
        ]),
    {
      title: 'Annotations',
      lines:
        annotations.length === 0
          ? ['none']
          : groupAnnotations(migration).map(
              ({ grade, name, reason, count, at }) =>
                `${grade.padEnd(12)}${name}${count === 1 ? '' : ` (${count} Ingresses)`}${reason === '' ? '' : `: ${reason}`}${at === undefined ? '' : `   ${at}`}`,
            ),
    },
    ...lossSection(
      'Without an annotation',
      migration.losses.filter((l) => l.annotations.length === 0),
      place,
    ),
    ...(errors.length === 0
      ? []
      : [
          {
            title: 'Wrong with the Ingresses',
            lines: errors.slice(0, FINDINGS_MAX).map((finding) => describeFinding(finding, place)),
          },
        ]),
    ...(proven === undefined ? [] : proofSections(proven, place, migration)),
    {
      title: 'The move',
      lines: plan.flatMap(({ title, lines }, i) => [
        `${i + 1}. ${title}`,
        ...lines.map((line) => `   ${line}`),
      ]),
    },
  ];

  function groupAnnotations({ annotations: all }: Migration) {
    const groups = new Map<
      string,
      { grade: string; name: string; reason: string; count: number; at: string | undefined }
    >();
    for (const { annotation, grade, reason, origin } of all) {
      const name = annotation.slice(annotation.indexOf('/') + 1);
      const key = `${grade}|${name}|${reason}`;
      const known = groups.get(key);
      if (known === undefined)
        groups.set(key, { grade, name, reason, count: 1, at: place(origin) });
      else known.count++;
    }
    const rank = ['lost', 'approximate', 'done'];
    return [...groups.values()].toSorted((a, b) => rank.indexOf(a.grade) - rank.indexOf(b.grade));
  }
}

/** Findings that are shown; fairway check shows all. */
const FINDINGS_MAX = 20;

function describeFinding(
  { message, origin: { object, field = '' } }: Finding,
  place: ReportInput['place'],
): string {
  if (object === undefined) return message;
  const at = place({ ...object, field });
  return `Ingress ${object.namespace}/${object.name}: ${message}${at === undefined ? '' : `   ${at}`}`;
}

function lossSection(
  title: string,
  losses: readonly Loss[],
  place: ReportInput['place'],
): readonly Section[] {
  if (losses.length === 0) return [];
  const groups = new Map<string, { loss: Loss; count: number }>();
  for (const loss of losses) {
    const key = `${loss.grade}|${loss.reason}`;
    const known = groups.get(key);
    if (known === undefined) groups.set(key, { loss, count: 1 });
    else known.count++;
  }
  return [
    {
      title,
      lines: [...groups.values()].map(({ loss, count }) => {
        const at = place(loss.origin);
        return `${loss.grade.padEnd(12)}${loss.reason}${count === 1 ? '' : ` (${count} rules)`}${at === undefined ? '' : `   ${at}`}`;
      }),
    },
  ];
}

function proofSections(
  { proof, seconds, recorded, cut, troubles, refused, placeAfter }: Proven,
  place: ReportInput['place'],
  migration: Migration,
): readonly Section[] {
  const { total, asked, known, approximate, lost, unexplained, more, forms, isProven } = proof;
  const percent = (n: number): string =>
    asked === 0 ? '0 %' : `${(Math.floor((n * 1000) / asked) / 10).toFixed(1)} %`;
  const number = (n: number): string => n.toLocaleString('en');
  return [
    {
      title:
        isProven && refused.length === 0
          ? 'Proof: both answer alike, but for what is known'
          : 'Proof: there are differences',
      lines: [
        `${number(asked)} requests${recorded > 0 ? `, ${number(recorded)} of them recorded` : ''}, in ${seconds.toFixed(1)} s (${number(Math.round(asked / Math.max(seconds, 0.001)))} a second)`,
        `same ${number(total.same)} (${percent(total.same)}), known difference ${number(total.known)} (${percent(total.known)}), lost ${number(total.lost)} (${percent(total.lost)}), unexplained ${number(total.unexplained)}`,
        ...cut.map((host) => `host ${host} has more paths than are asked: it is proven in part`),
        ...refused.map((r) => `not valid: ${r}`),
      ],
    },
    {
      title: 'By form of the request',
      lines: forms.map(
        (f) =>
          `${f.form.padEnd(44)} same ${f.same}${f.known > 0 ? `, known ${f.known}` : ''}${f.lost > 0 ? `, lost ${f.lost}` : ''}${f.unexplained > 0 ? `, unexplained ${f.unexplained}` : ''}`,
      ),
    },
    {
      title: 'Known differences',
      lines: [
        ...EVERYWHERE.map(({ text }) => `with every request: ${text}`),
        ...known.map(({ text, count, example }) => `${text} (${number(count)}; as ${example})`),
        ...approximate.map(
          ({ loss, count, example }) =>
            `${named(loss, place)}: ${loss.reason} (${number(count)}; as ${example})`,
        ),
      ],
    },
    ...(lost.length === 0
      ? []
      : [
          {
            title: 'Lost',
            lines: lost.map(
              ({ loss, count, example }) =>
                `${named(loss, place)}: ${loss.reason} (${number(count)}; as ${example})`,
            ),
          },
        ]),
    ...(unexplained.length === 0
      ? []
      : [
          {
            title: 'Unexplained',
            lines: [
              ...unexplained.flatMap((u) => describeUnexplained(u, place, placeAfter, migration)),
              ...(more > 0 ? [`… and ${number(more)} requests more`] : []),
            ],
          },
        ]),
    ...(troubles.length === 0 ? [] : [{ title: 'Lines that cannot be read', lines: troubles }]),
  ];
}

function named({ rule, origin }: Loss, place: ReportInput['place']): string {
  const at = place(origin);
  return `${rule}${at === undefined ? '' : ` (${at})`}`;
}

function describeUnexplained(
  u: Unexplained,
  place: ReportInput['place'],
  placeAfter: ReportInput['place'],
  { objects }: Migration,
): readonly string[] {
  const patch = u.patch?.origin === undefined ? undefined : renderRule(objects, u.patch.origin);
  const by = ({ rule, origin }: Decider, at: ReportInput['place']): string => {
    const where = origin === undefined ? undefined : at(origin);
    return `${rule ?? 'no rule'}${where === undefined ? '' : ` (${where})`}`;
  };
  return [
    u.request,
    `  before: ${u.before}`,
    `          by ${by(u.deciders.before, place)}`,
    `  after:  ${u.after}`,
    `          by ${by(u.deciders.after, placeAfter)}`,
    `  differs in ${u.fields.join(', ')}${u.count > 1 ? `, as ${u.count - 1} other requests do` : ''}`,
    ...(patch === undefined
      ? []
      : [
          `  patch: with this rule it is answered as before`,
          ...patch
            .trimEnd()
            .split('\n')
            .map((line) => `    ${line}`),
        ]),
  ];
}

function toJson({ migration, place, standIns, guesses, files, proven }: ReportInput): object {
  const positioned = <T extends { readonly origin: Origin }>(item: T): object => {
    const position = place(item.origin);
    return { ...item, ...(position === undefined ? {} : { position }) };
  };
  const { ingresses, notes, annotations, losses, plan, findings } = migration;
  return {
    ingresses,
    files,
    notes,
    standIns,
    guesses,
    annotations: annotations.map(positioned),
    losses: losses.map(positioned),
    findings,
    plan,
    ...(proven === undefined
      ? {}
      : {
          proof: {
            ...proven.proof,
            everywhere: EVERYWHERE,
            seconds: proven.seconds,
            recorded: proven.recorded,
            cut: proven.cut,
            unreadable: proven.troubles,
            refused: proven.refused,
          },
        }),
  };
}

function toHtml(sections: readonly Section[]): string {
  const safe = (text: string): string =>
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;');
  const body = sections
    .map(
      ({ title, lines }) =>
        `<h2>${safe(title)}</h2>\n<pre>${lines.map((l) => safe(printable(l))).join('\n')}</pre>`,
    )
    .join('\n');
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Fairway migration</title>
<style>body{font:15px/1.5 system-ui,sans-serif;max-width:72rem;margin:2rem auto;padding:0 1rem}pre{white-space:pre-wrap;background:#f6f6f4;padding:1rem;border-radius:6px}</style></head>
<body>
<h1>Fairway migration</h1>
${body}
</body></html>`;
}
