// Findings on the terminal: what, where, what to do.

import { formatRef } from '../api/finding.ts';
import type { Finding } from '../api/finding.ts';
import { printable } from '../lib/printable.ts';
import { formatPosition } from '../pipeline/locate.ts';
import type { Locator } from '../pipeline/locate.ts';
import { styled } from './terminal.ts';

/** Findings shown one by one; more are counted. */
const SHOWN_MAX = 50;

/** Lines for findings, errors first. */
export function formatFindings(findings: readonly Finding[], locate: Locator): readonly string[] {
  const sorted = findings.toSorted((a, b) => rank(a) - rank(b));
  const lines = sorted.slice(0, SHOWN_MAX).flatMap((finding) => formatFinding(finding, locate));
  const more = sorted.length - SHOWN_MAX;
  return more > 0 ? [...lines, `… and ${more} more (all of them: fairway check -o json)`] : lines;
}

function rank({ severity }: Finding): number {
  return ['error', 'warning', 'info'].indexOf(severity);
}

function formatFinding(finding: Finding, locate: Locator): readonly string[] {
  const { severity, message, hint, origin } = finding;
  const position = locate(origin);
  const where = position === undefined ? '' : `${formatPosition(position)}: `;
  const ref = origin.object === undefined ? '' : formatRef(origin.object);
  const object = ref === '' || message.startsWith(ref) ? '' : `${ref}: `;
  return [
    `${printable(where)}${mark(severity)}: ${printable(object + message)}`,
    ...(hint === undefined ? [] : [`    ${printable(hint)}`]),
  ];
}

function mark(severity: Finding['severity']): string {
  switch (severity) {
    case 'error':
      return styled('red', 'error');
    case 'warning':
      return styled('yellow', 'warning');
    case 'info':
      return styled('cyan', 'info');
  }
}

/** `2 errors, 1 warning` */
export function countFindings(findings: readonly Finding[]): string {
  const counts = (['error', 'warning', 'info'] as const)
    .map((severity) => [severity, findings.filter((f) => f.severity === severity).length] as const)
    .filter(([, count]) => count > 0)
    .map(([severity, count]) => {
      const plural = severity === 'info' || count === 1 ? '' : 's';
      return `${count} ${severity}${plural}`;
    });
  return counts.length === 0 ? 'no findings' : counts.join(', ');
}
