// fairway explain: where a request would go, and why, with the file and line of each decision.

import { Gateway } from '../api/gateway/gateway.ts';
import { FairwayError } from '../lib/errors.ts';
import { splitTarget } from '../lib/http-path.ts';
import { printable } from '../lib/printable.ts';
import type {
  ConnectionAnswer,
  RequestAnswer,
  RequestFate,
  RequestProbe,
  Share,
  Step,
} from '../model/answer.ts';
import type { Model } from '../model/model.ts';
import { traceConnection } from '../model/trace-connection.ts';
import { entryPointOf, traceRequest } from '../model/trace.ts';
import { nearMisses } from '../model/near-misses.ts';
import { evaluate } from '../pipeline/evaluate.ts';
import type { Evaluation } from '../pipeline/evaluate.ts';
import { formatPosition } from '../pipeline/locate.ts';
import type { Limits } from '../targets/proxy/datapath/limits.ts';
import { refusalOf } from '../targets/proxy/head-check.ts';
import { describeConnection, isConnection, parseConnection } from './explain-connection.ts';
import { noFiles, parseRequest, probeFor } from './request.ts';
import type { AskedRequest } from './request.ts';
import {
  controllersFor,
  filesSource,
  limitsOf,
  loadSettings,
  networkFor,
  podFindingsOptions,
} from './settings.ts';
import type { CommonFlags } from './settings.ts';
import { print } from './terminal.ts';

interface ExplainFlags extends CommonFlags {
  readonly header?: readonly string[];
  readonly gateway?: string;
  readonly output?: 'text' | 'json';
}

/** Candidates that lost and are shown; the others are counted. */
const LOST_SHOWN_MAX = 12;

/** Answers, and gives 0 when some backend would take the request, 1 when none would. */
export async function explain(args: readonly string[], flags: ExplainFlags): Promise<number> {
  const [first = '', ...paths] = args;
  if (isConnection(first)) return explainConnection(first, paths, flags);
  const request = parseRequest(args, flags.header ?? []);
  const evaluation = await evaluateFiles(request.paths, flags);
  checkGateway(evaluation.snapshot.list(Gateway), flags.gateway);
  const model = restrict(evaluation.resolution.model, flags.gateway);
  const { probe, notes } = probeFor(request, model.entryPoints);
  const limits = limitsOf(await loadSettings(flags));
  const answer = answerTo(request, model, probe, limits);
  const hints = hintsFor(answer, model, probe);
  if (flags.output === 'json') print(JSON.stringify(toJson(answer, hints, evaluation), null, 2));
  else printAnswer(request, answer, { notes, hints, evaluation });
  return answer.fate.kind === 'forward' || answer.fate.kind === 'redirect' ? 0 : 1;
}

async function explainConnection(
  asked: string,
  paths: readonly string[],
  flags: ExplainFlags,
): Promise<number> {
  if (paths.length === 0) throw noFiles();
  const evaluation = await evaluateFiles(paths, flags);
  const model = restrict(evaluation.resolution.model, flags.gateway);
  const answer = traceConnection(model, parseConnection(asked, model));
  if (flags.output === 'json') print(JSON.stringify(toJson(answer, [], evaluation), null, 2));
  else {
    print(asked);
    print('');
    for (const step of answer.steps) printStep(step, evaluation.locate);
    print('');
    for (const line of describeConnection(answer.fate)) print(line);
  }
  return answer.fate.kind === 'relay' || answer.fate.kind === 'http' ? 0 : 1;
}

/** A request that is refused for its head has met a Gateway, and nothing after that. */
function answerTo(
  request: AskedRequest,
  model: Model,
  probe: RequestProbe,
  limits: Limits,
): RequestAnswer {
  const answer = traceRequest(model, probe);
  if (answer.fate.kind === 'refused') return answer;
  const hosts = request.headers.filter(([name]) => name.toLowerCase() === 'host');
  const refusal = refusalOf(
    probe,
    hosts.map(([, value]) => value),
    { ...limits, ...entryPointOf(model, probe)?.settings?.limits },
  );
  if (refusal === undefined) return answer;
  return { fate: refusal, steps: answer.steps.filter((step) => step.stage === 'entry point') };
}

/** What would have to change for a rule to take the request, where rules are what it failed at. */
function hintsFor(
  { fate, steps }: RequestAnswer,
  model: Model,
  probe: RequestProbe,
): readonly string[] {
  if (fate.kind === 'forward') return [];
  const metRules = fate.kind !== 'respond' || steps.some((step) => step.stage === 'rule');
  if (metRules || fate.statusCode === 404) return nearMisses(model, probe);
  return fate.statusCode === 400 && splitTarget(probe.target) === null
    ? ['send a path without escaped slashes, broken escapes, or dots that climb above the root']
    : [];
}

function checkGateway(gateways: readonly Gateway[], asked: string | undefined): void {
  const names = gateways.map(
    ({ metadata }) => `${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
  );
  if (asked === undefined || names.includes(asked)) return;
  throw new FairwayError('FW_USAGE', `--gateway ${asked}: there is no such Gateway`, {
    hint: names.length === 0 ? 'there is none at all' : `there are: ${names.join(', ')}`,
  });
}

/**
 * Evaluates files as `fairway up` would serve them first on this machine; with the addresses of `serviceCidr` for
 * Services where that is given.
 */
export async function evaluateFiles(
  paths: readonly string[],
  flags: CommonFlags,
  serviceCidr?: string,
): Promise<Evaluation> {
  const configuration = await loadSettings(flags);
  const own = networkFor(0, configuration);
  const network = serviceCidr === undefined ? own : { ...own, serviceCidr };
  return evaluate({
    sources: [filesSource(paths, flags, false)],
    controllers: controllersFor(network),
    podCidr: network.podCidr,
    gatewayCidr: network.gatewayCidr,
    adoptedClasses: configuration.gatewayClasses,
    externalNames: configuration.externalBackends.externalNameServices,
    pods: (snapshot) => podFindingsOptions(snapshot, configuration),
    now: new Date(),
  });
}

function restrict(model: Model, gateway: string | undefined): Model {
  if (gateway === undefined) return model;
  return { ...model, entryPoints: model.entryPoints.filter((e) => e.gateway === gateway) };
}

function toJson(
  { fate, steps }: RequestAnswer | ConnectionAnswer,
  hints: readonly string[],
  { locate }: Evaluation,
): object {
  return {
    fate,
    steps: steps.map((step) => ({ ...step, ...positionOf(step, locate) })),
    ...(hints.length === 0 ? {} : { hints }),
  };
}

function positionOf(
  { origin }: Step,
  locate: Evaluation['locate'],
): { readonly position?: string } {
  if (origin === undefined) return {};
  const { kind, namespace, name, field } = origin;
  const position = locate({ object: { kind, namespace, name }, field });
  return position === undefined ? {} : { position: formatPosition(position) };
}

/** One line, in which names of others cannot command the terminal. */
function say(line: string): void {
  print(printable(line));
}

interface Context {
  readonly notes: readonly string[];
  readonly hints: readonly string[];
  readonly evaluation: Evaluation;
}

function printAnswer(
  request: AskedRequest,
  { fate, steps }: RequestAnswer,
  { notes, hints, evaluation }: Context,
): void {
  const { locate } = evaluation;
  say(`${request.method} ${request.url.origin}${request.target}`);
  for (const note of notes) say(`  (${note})`);
  say('');
  for (const step of steps.filter((s) => s.verdict === 'taken')) printStep(step, locate);
  say('');
  for (const line of describeFate(fate)) say(line);
  const lost = steps.filter((s) => s.verdict === 'lost');
  if (lost.length > 0) {
    say('');
    say('Not taken:');
    for (const step of lost.slice(0, LOST_SHOWN_MAX)) printStep(step, locate, '  ');
    if (lost.length > LOST_SHOWN_MAX) {
      say(`  … and ${lost.length - LOST_SHOWN_MAX} more (all of them with -o json)`);
    }
  }
  if (hints.length > 0) {
    say('');
    say('What would have to change:');
    for (const hint of hints) say(`  ${hint}`);
  }
}

const STAGE_CHARS = 13;

function printStep(step: Step, locate: Evaluation['locate'], indent = ''): void {
  const { position } = positionOf(step, locate);
  const at = position === undefined ? '' : `   ${position}`;
  say(`${indent}${step.stage.padEnd(STAGE_CHARS)}${step.what}: ${step.because}${at}`);
}

function describeFate(fate: RequestFate): readonly string[] {
  switch (fate.kind) {
    case 'refused':
      return [`refused: ${fate.reason}`];
    case 'respond':
      return [`answered by Fairway with ${fate.statusCode}: ${fate.reason}`];
    case 'redirect':
      return [`redirected with ${fate.statusCode} to ${fate.location}`];
    case 'forward':
      return fate.shares.flatMap((share) => describeShare(share, totalWeight(fate.shares)));
  }
}

function totalWeight(shares: readonly Share[]): number {
  return shares.reduce((sum, share) => sum + share.weight, 0);
}

function describeShare({ weight, to, endpoints, request }: Share, total: number): string[] {
  const percent = total === weight ? '' : `${Math.round((weight * 1000) / total) / 10} %: `;
  if (typeof to !== 'string') return [`${percent}answered with ${to.statusCode}: ${to.reason}`];
  const where = endpoints.length === 0 ? '503, as no endpoint is ready' : endpoints.join(', ');
  return [
    `${percent}sent to ${to} (${where})`,
    `  as ${request.method} ${request.target} with host ${request.host}`,
  ];
}
