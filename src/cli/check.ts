// fairway check: everything but serving. What would be served, and what is wrong with it.

import { allStatuses } from '../resolve/resolution.ts';
import type { Finding } from '../api/finding.ts';
import { formatPosition } from '../pipeline/locate.ts';
import type { Evaluation } from '../pipeline/evaluate.ts';
import { evaluateFiles } from './explain.ts';
import { UNUSABLE } from './fail.ts';
import { countFindings, formatFindings } from './findings.ts';
import { formatOverview } from './overview.ts';
import type { CommonFlags } from './settings.ts';
import { print } from './terminal.ts';
import { isUnusable } from './usable.ts';

interface CheckFlags extends CommonFlags {
  readonly output?: 'table' | 'json' | 'yaml';
}

/** Gives 0 when nothing is wrong, 1 with a finding of severity error, 2 when no file can be used. */
export async function check(paths: readonly string[], flags: CheckFlags): Promise<number> {
  const evaluation = await evaluateFiles(paths, flags);
  const { findings, snapshot, resolution, locate } = evaluation;
  switch (flags.output) {
    case 'json':
      print(JSON.stringify(toPlain(evaluation), null, 2));
      break;
    case 'yaml': {
      const { stringify } = await import('yaml');
      print(stringify(toPlain(evaluation), { aliasDuplicateObjects: false }).trimEnd());
      break;
    }
    default:
      for (const line of formatOverview({ snapshot, model: resolution.model, bindings: [] })) {
        print(line);
      }
      for (const line of formatFindings(findings, locate)) print(line);
      print(countFindings(findings));
  }
  if (isUnusable(snapshot, findings)) return UNUSABLE;
  return findings.some((f) => f.severity === 'error') ? 1 : 0;
}

/** Statuses as they would be written, and findings with their positions. */
function toPlain({ snapshot, resolution, findings, locate }: Evaluation): object {
  return {
    statuses: allStatuses(resolution).map(({ kind, namespace, name }) => {
      const object = snapshot.get(kind, namespace, name) as { status?: unknown } | undefined;
      return { kind: kind.kind, namespace, name, status: object?.status };
    }),
    findings: findings.map((finding) => withPosition(finding, locate)),
  };
}

function withPosition(finding: Finding, locate: Evaluation['locate']): object {
  const position = locate(finding.origin);
  return position === undefined ? finding : { ...finding, position: formatPosition(position) };
}
