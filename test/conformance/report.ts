// The suite's report → a table for people.

interface Part {
  readonly result: string;
  readonly statistics: {
    readonly Passed: number;
    readonly Failed: number;
    readonly Skipped: number;
  };
  readonly failedTests?: readonly string[];
  readonly supportedFeatures?: readonly string[];
  readonly unsupportedFeatures?: readonly string[];
}

export interface ConformanceReport {
  readonly profiles: readonly {
    readonly name: string;
    readonly core: Part;
    readonly extended?: Part;
  }[];
  readonly succeededProvisionalTests?: readonly string[];
  readonly failedProvisionalTests?: readonly string[];
}

export interface Run {
  readonly suiteVersion: string;
  readonly exitCode: number;
  readonly seconds: number;
  readonly upMs: number;
  /** From a start to all base Gateways programmed. */
  readonly cold: { readonly gateways: number; readonly milliseconds: number };
}

/** Extended features no profile claims. */
export function isUnsupported({ profiles }: ConformanceReport): readonly string[] {
  return namesOf(profiles.flatMap(({ extended }) => extended?.unsupportedFeatures ?? []));
}

export function tableOf(report: ConformanceReport, run: Run): string {
  const rows = report.profiles
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .map(({ name, core, extended }) => `| ${name} | ${countsOf(core)} | ${countsOf(extended)} |`);
  const supported = namesOf(report.profiles.flatMap((p) => p.extended?.supportedFeatures ?? []));
  const unsupported = isUnsupported(report);
  const failed = namesOf([
    ...report.profiles.flatMap((p) => [
      ...(p.core.failedTests ?? []),
      ...(p.extended?.failedTests ?? []),
    ]),
    ...(report.failedProvisionalTests ?? []),
  ]);
  return `# Conformance

Written by \`npm run conformance\`: the official suite ${run.suiteVersion}, unmodified, asked of \`fairway up\` with no cluster. It ended
with exit code ${run.exitCode}.

| figure | |
|---|---|
| wall time of the whole suite | ${run.seconds.toFixed(0)} s |
| cold \`fairway up\` to all ${run.cold.gateways} base Gateways Programmed, pods and all, as its API shows them | ${run.cold.milliseconds.toFixed(0)} ms |
| cold \`fairway up\` without objects to its API served | ${run.upMs.toFixed(0)} ms |

| profile | core | extended |
|---|---|---|
${rows.join('\n')}

Provisional tests: ${(report.succeededProvisionalTests ?? []).length} passed, ${(report.failedProvisionalTests ?? []).length} failed.

Extended features supported (${supported.length}): ${supported.join(', ')}.

Not supported: ${unsupported.length === 0 ? 'none' : unsupported.join(', ')}.

Failed tests: ${failed.length === 0 ? 'none' : failed.join(', ')}.
`;
}

function countsOf(part: Part | undefined): string {
  if (part === undefined) return '-';
  const { Passed, Failed, Skipped } = part.statistics;
  return `${part.result}: ${Passed} passed, ${Failed} failed, ${Skipped} skipped`;
}

function namesOf(names: readonly string[]): readonly string[] {
  return [...new Set(names)].toSorted((a, b) => (a < b ? -1 : 1));
}
