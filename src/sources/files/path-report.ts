// What scans find out about the paths themselves → findings: a path that is not there, a folder that
// cannot be read, nothing to read, too much to read.

import type { Finding } from '../../api/finding.ts';
import { pathFinding } from './findings.ts';
import type { FilesLimits } from './limits.ts';
import type { PathProblem, Scan } from './scan.ts';
import { explainCode } from './stat.ts';

/** How long a path has to be missing before that is told: editors and tools put paths back. */
const MISSING_MS = 150;

interface Lost {
  readonly problem: PathProblem;
  readonly tellAtMs: number;
}

export class PathReport {
  readonly #paths: readonly string[];
  readonly #limits: FilesLimits;
  readonly #lost = new Map<number, Lost>();
  /** Paths that were there at some time. */
  readonly #met = new Set<number>();
  #scan: Scan | undefined;

  constructor(paths: readonly string[], limits: FilesLimits) {
    this.#paths = paths;
    this.#limits = limits;
  }

  /** Takes what a scan found out. */
  update(scan: Scan, nowMs: number): void {
    const tellAtMs = this.#scan === undefined ? nowMs : nowMs + MISSING_MS;
    this.#scan = scan;
    this.#paths.forEach((_path, root) => {
      const problem = scan.lost.get(root);
      if (problem === undefined) {
        this.#met.add(root);
        this.#lost.delete(root);
      } else {
        this.#lost.set(root, { problem, tellAtMs: this.#lost.get(root)?.tellAtMs ?? tellAtMs });
      }
    });
  }

  /** When the findings change though nothing else does; undefined for never. */
  dueMs(nowMs: number): number | undefined {
    const times = [...this.#lost.values()].map(({ tellAtMs }) => tellAtMs);
    const later = times.filter((timeMs) => timeMs > nowMs);
    return later.length === 0 ? undefined : Math.min(...later);
  }

  /** `objectsBelow` tells how many objects the path of a number still stands for. */
  findings(nowMs: number, objectsBelow: (root: number) => number): readonly Finding[] {
    const scan = this.#scan;
    if (scan === undefined) return [];
    const findings: Finding[] = [];
    for (const [root, { problem, tellAtMs }] of this.#lost) {
      if (tellAtMs > nowMs) continue;
      const objects = this.#met.has(root) ? objectsBelow(root) : 0;
      findings.push(lostFinding(problem, objects));
    }
    for (const root of scan.empty) findings.push(emptyFinding(this.#paths[root] ?? ''));
    for (const problem of scan.unreadable) findings.push(unreadableFinding(problem));
    for (const { path, why } of scan.skipped) findings.push(skippedFinding(path, why));
    if (scan.isCutOff) findings.push(this.#cutOffFinding());
    return findings;
  }

  #cutOffFinding(): Finding {
    const { filesMax } = this.#limits;
    return pathFinding(this.#paths.join(' '), {
      severity: 'error',
      reason: 'TooManyFiles',
      message: `there are more than ${filesMax} files (limit filesMax); the rest is not looked at`,
      hint: 'Give the folders with Kubernetes objects only.',
    });
  }
}

function lostFinding({ path, code }: PathProblem, objects: number): Finding {
  const kept = objects === 0 ? '' : `; its ${objects} objects stay as they were`;
  return pathFinding(path, {
    severity: 'error',
    reason: 'PathMissing',
    message: `${path}: ${explainCode(code)}${kept}`,
    hint: 'It is read as soon as it is there. To do without it, start again without this path.',
  });
}

function emptyFinding(path: string): Finding {
  return pathFinding(path, {
    severity: 'warning',
    reason: 'NothingFound',
    message: `${path}: no .yaml, .yml or .json file in this folder or below`,
  });
}

function skippedFinding(path: string, why: string): Finding {
  return pathFinding(path, {
    severity: 'warning',
    reason: 'Skipped',
    message: `${path} ${why}; it is left out`,
    hint: why.includes('link')
      ? 'Correct or remove the link.'
      : 'Give it as a path of its own, or remove it.',
  });
}

function unreadableFinding({ path, code }: PathProblem): Finding {
  return pathFinding(path, {
    severity: 'error',
    reason: 'PathUnreadable',
    message: `${path}: the folder cannot be read: ${explainCode(code)}`,
  });
}
