// fairway migrate: Ingresses → Gateway API, with a report on each annotation, a plan of the move, and on
// request the proof that both answer alike.

import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { LocalCa } from '../certificates/local-ca.ts';
import { admit } from '../api/admit.ts';
import { Secret } from '../api/core/secret.ts';
import { Service } from '../api/core/service.ts';
import { INGRESS_CONTROLLERS } from '../api/fairway.ts';
import type { Kind, KubeObject } from '../api/kind.ts';
import { Ingress } from '../api/networking/ingress.ts';
import { FairwayError } from '../lib/errors.ts';
import { lower } from '../lower/view.ts';
import { migrate as migrateIngresses } from '../migrate/migrate.ts';
import { createGeneratedLocator, renderFiles } from '../migrate/render.ts';
import type { RenderedFile } from '../migrate/render.ts';
import type { Migration, MigrateOptions } from '../migrate/types.ts';
import { findMissing, generatedSnapshot, snapshotWith } from '../migrate/worlds.ts';
import type { MissingSecret } from '../migrate/worlds.ts';
import { prove } from '../migrate/prove/prove.ts';
import type { Proof } from '../migrate/prove/prove.ts';
import type { Side } from '../migrate/prove/judge.ts';
import { readRecorded } from '../migrate/prove/recorded.ts';
import { generateQuestions } from '../migrate/prove/requests.ts';
import type { Question } from '../migrate/prove/requests.ts';
import type { Model, Origin } from '../model/model.ts';
import type { Evaluation } from '../pipeline/evaluate.ts';
import { formatPosition } from '../pipeline/locate.ts';
import { createResolver } from '../resolve/resolve.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { compileProxy } from '../targets/proxy/compile.ts';
import { traceProxy } from '../targets/proxy/trace.ts';
import { evaluateFiles } from './explain.ts';
import { formatReport } from './migrate-report.ts';
import type { ReportFormat, ReportInput } from './migrate-report.ts';
import { loadSettings, networkFor, NODE_NAME } from './settings.ts';
import type { CommonFlags } from './settings.ts';
import { print } from './terminal.ts';
import { isUnusable } from './usable.ts';

export interface MigrateFlags extends CommonFlags {
  readonly out?: string;
  readonly force?: boolean;
  readonly gateway: string;
  readonly class: string;
  readonly standardOnly?: boolean;
  readonly prove?: boolean;
  readonly against?: string;
  readonly requests?: readonly string[];
  readonly report: ReportFormat;
}

/** In a folder of manifests: no name that kubectl apply -f would read. */
const REPORT_NAMES: Readonly<Record<ReportFormat, string>> = {
  text: 'REPORT.txt',
  json: 'REPORT.json.txt',
  html: 'REPORT.html',
};

/** Gives 0 when it is done (and proven), 1 when answers differ; throws when there is nothing to work with. */
export async function migrate(paths: readonly string[], flags: MigrateFlags): Promise<number> {
  checkFlags(flags);
  await checkOut(flags);
  const evaluation = await evaluateFiles(paths, flags);
  if (isUnusable(evaluation.snapshot, evaluation.findings)) {
    throw new FairwayError('FW_USAGE', 'no file can be used', { hint: 'see fairway check' });
  }
  const { gatewayCidr } = networkFor(0, await loadSettings(flags));
  const { snapshot, standIns, guesses } = await withStandIns(evaluation.snapshot);
  const resolve = (of: Snapshot) => createResolver({ gatewayCidr, adoptedClasses: ['*'] })(of);
  const resolution = resolve(snapshot);
  const options: MigrateOptions = {
    gateway: flags.gateway,
    gatewayClass: flags.class,
    standardOnly: flags.standardOnly === true,
  };
  const migration = migrateIngresses(snapshot, resolution.model, resolution.findings, options);
  if (migration.ingresses === 0) throw nothingToDo(evaluation.snapshot);
  const place = placeIn(evaluation);
  const files = renderFiles(migration.objects, place);
  const isProof = flags.prove === true || flags.against !== undefined;
  const proven = isProof
    ? await proveIt({ flags, snapshot, model: resolution.model, migration, files, resolve, place })
    : undefined;
  const input: ReportInput = {
    migration,
    place,
    standIns,
    guesses,
    files: files.map(({ name }) => name),
    ...(proven === undefined ? {} : { proven }),
  };
  const report = formatReport(input, flags.report);
  await give(flags, files, report, isProof);
  return proven === undefined || (proven.proof.isProven && proven.refused.length === 0) ? 0 : 1;
}

function checkFlags({ gateway, requests, prove: isProof, against }: MigrateFlags): void {
  if (!/^[a-z0-9]([-a-z0-9]*[a-z0-9])?\/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/.test(gateway)) {
    throw new FairwayError('FW_USAGE', `--gateway ${gateway} is not of the form namespace/name`);
  }
  if (requests !== undefined && isProof !== true && against === undefined) {
    throw new FairwayError('FW_USAGE', '--requests is for --prove', { hint: 'add --prove' });
  }
}

async function checkOut({ out, force }: MigrateFlags): Promise<void> {
  if (out === undefined || force === true) return;
  const entries = await readdir(out).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw new FairwayError('FW_USAGE', `--out ${out} cannot be used: ${error.message}`, {
      cause: error,
    });
  });
  if (entries.length === 0) return;
  throw new FairwayError('FW_USAGE', `--out ${out} is not empty`, {
    hint: 'name another folder, or overwrite with --force',
  });
}

function nothingToDo(snapshot: Snapshot): FairwayError {
  const count = snapshot.list(Ingress).length;
  const what =
    count === 0
      ? 'there is no Ingress in it'
      : `none of its ${count} Ingresses belongs to a controller that is known`;
  return new FairwayError('FW_USAGE', `nothing to migrate: ${what}`, {
    hint: `classes of ${INGRESS_CONTROLLERS.join(' and ')} are migrated; fairway check says whose the others are`,
  });
}

/** Fields of one object that are looked up: finding one takes as long as the object is. */
const FIELDS_FOUND_MAX = 500;

/** Beyond so many fields of one object, the place is that of the object. */
function placeIn({ locate }: Evaluation): (origin: Origin) => string | undefined {
  const known = new Map<string, string | undefined>();
  const counts = new Map<string, number>();
  return ({ kind, namespace, name, field }) => {
    const object = `${kind} ${namespace}/${name}`;
    const count = counts.get(object) ?? 0;
    const looked = count < FIELDS_FOUND_MAX || known.has(`${object} ${field}`) ? field : '';
    const key = `${object} ${looked}`;
    if (!known.has(key)) {
      counts.set(object, count + 1);
      const position = locate({ object: { kind, namespace, name }, field: looked });
      known.set(key, position === undefined ? undefined : `${position.file}:${position.line}`);
    }
    return known.get(key);
  };
}

/** The objects, and such as stand for what the files do not have. */
async function withStandIns(before: Snapshot): Promise<{
  readonly snapshot: Snapshot;
  readonly standIns: readonly string[];
  readonly guesses: readonly string[];
}> {
  const { services, secrets, guesses } = findMissing(before);
  if (services.length + secrets.length === 0) return { snapshot: before, standIns: [], guesses };
  const added: { kind: Kind; object: KubeObject }[] = services.map((object) => ({
    kind: Service,
    object,
  }));
  for (const object of await makeSecrets(before, secrets)) added.push({ kind: Secret, object });
  return {
    snapshot: snapshotWith(before, [], added),
    standIns: [
      ...services.map(
        ({ metadata }) => `Service ${metadata.namespace ?? ''}/${metadata.name ?? ''}`,
      ),
      ...secrets.map(({ namespace, name }) => `Secret ${namespace}/${name}`),
    ].toSorted(),
    guesses,
  };
}

/** One certificate for all names is enough to see which host is shown which Secret. */
async function makeSecrets(
  snapshot: Snapshot,
  missing: readonly MissingSecret[],
): Promise<readonly Secret[]> {
  if (missing.length === 0) return [];
  const hosts = [...new Set(missing.flatMap((m) => m.hosts))].toSorted();
  const asking = admit(Ingress, {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'Ingress',
    metadata: {
      namespace: 'default',
      name: 'stand-in',
      annotations: { 'fairway.dev/issuer': 'local' },
    },
    spec: {
      tls: [{ hosts: hosts.length === 0 ? ['localhost'] : hosts, secretName: 'stand-in' }],
      rules: [{}],
    },
  }).object;
  const asked = snapshotWith(snapshot, [Ingress], [{ kind: Ingress, object: asking }]);
  const writes = await new LocalCa({ directory: null }).issueMissing(asked);
  const made = writes.flatMap((write) =>
    write.op === 'put' && write.object.metadata.name === 'stand-in' ? [write.object as Secret] : [],
  )[0];
  if (made === undefined) return [];
  // What a certificate is used for is remembered by its data.
  return missing.map(({ namespace, name }): Secret => ({
    ...made,
    data: { ...made.data },
    metadata: { namespace, name },
  }));
}

interface ProofInput {
  readonly flags: MigrateFlags;
  readonly snapshot: Snapshot;
  readonly model: Model;
  readonly migration: Migration;
  readonly files: readonly RenderedFile[];
  readonly resolve: (snapshot: Snapshot) => { readonly model: Model };
  readonly place: (origin: Origin) => string | undefined;
}

export interface Proven {
  readonly proof: Proof;
  readonly seconds: number;
  readonly recorded: number;
  /** Hosts of which not all was asked that there is to ask. */
  readonly cut: readonly string[];
  /** Lines of recordings that cannot be read. */
  readonly troubles: readonly string[];
  /** Generated objects that no API server would take. */
  readonly refused: readonly string[];
  readonly placeAfter: (origin: Origin) => string | undefined;
}

async function proveIt(input: ProofInput): Promise<Proven> {
  const { flags, snapshot, model, migration, files, resolve, place } = input;
  const before = sideOf(model, (gateway) => INGRESS_CONTROLLERS.includes(gateway));
  const made = generatedSnapshot(snapshot, migration.objects);
  const isOurs = (gateway: string): boolean =>
    gateway === flags.gateway || gateway === `${flags.gateway}-plain`;
  const generated = sideOf(resolve(made.snapshot).model, isOurs);
  const locateMade = createGeneratedLocator(files);
  let after = generated;
  let placeAfter = (origin: Origin): string | undefined => {
    const { kind, namespace, name, field } = origin;
    const position = locateMade({ object: { kind, namespace, name }, field });
    return position === undefined ? place(origin) : formatPosition(position).replace(/:\d+$/, '');
  };
  if (flags.against !== undefined) {
    const other = await evaluateFiles([flags.against], flags);
    const all = otherObjects(snapshot, other.snapshot);
    const { model: otherModel } = resolve(all);
    const gateways = new Set(otherModel.entryPoints.map((e) => e.gateway));
    const chosen = gateways.has(flags.gateway)
      ? isOurs
      : (g: string) => !INGRESS_CONTROLLERS.includes(g);
    after = sideOf(otherModel, chosen);
    if (after.model.entryPoints.length === 0) {
      throw new FairwayError(
        'FW_USAGE',
        `--against ${flags.against}: there is no Gateway in it that takes requests`,
        { hint: 'see fairway check' },
      );
    }
    placeAfter = placeIn(other);
  }
  const hosts = hostsOf(before.model);
  const recorded: Question[] = [];
  const troubles: string[] = [];
  for (const file of flags.requests ?? []) {
    const text = await readFile(file, 'utf8').catch((error: unknown) => {
      throw new FairwayError(
        'FW_USAGE',
        `--requests ${file} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
        { cause: error },
      );
    });
    const read = readRecorded(file, text, hosts);
    if (read.questions.length === 0) {
      throw new FairwayError(
        'FW_USAGE',
        `--requests ${file}: no request can be read${read.troubles.length === 0 ? '' : `\n${read.troubles.join('\n')}`}`,
        {
          hint: 'a HAR file, or an access log: common, combined, or JSON by line',
        },
      );
    }
    recorded.push(...read.questions);
    troubles.push(...read.troubles);
  }
  const cut: string[] = [];
  const started = process.hrtime.bigint();
  const proof = prove({
    before,
    after,
    ...(flags.against === undefined ? {} : { generated }),
    losses: migration.losses,
    questions: both(
      generateQuestions([before.model, after.model], (host) => cut.push(host)),
      recorded,
    ),
    onProgress: createProgress(),
  });
  return {
    proof,
    seconds: Number(process.hrtime.bigint() - started) / 1e9,
    recorded: recorded.length,
    cut,
    troubles,
    refused: made.refused.map(
      ({ object, why }) => `${object.kind} ${object.namespace}/${object.name}: ${why}`,
    ),
    placeAfter,
  };
}

function* both(generated: Iterable<Question>, recorded: readonly Question[]): Generator<Question> {
  yield* recorded;
  yield* generated;
}

/** The side with the entry points alone that are asked, as the proxy would answer it. */
function sideOf(model: Model, isAsked: (gateway: string) => boolean): Side {
  const own = {
    ...model,
    entryPoints: model.entryPoints.filter(({ gateway }) => isAsked(gateway)),
  };
  return {
    model: own,
    answerer: (part) => {
      const program = compileProxy(lower(part, NODE_NAME));
      return (probe) => traceProxy(program, probe);
    },
  };
}

/** What Ingresses lead to, with the objects of another configuration in place of the Ingresses. */
function otherObjects(before: Snapshot, other: Snapshot): Snapshot {
  return snapshotWith(
    other,
    [Ingress],
    [Service, Secret].flatMap((kind) =>
      before
        .list(kind as Kind)
        .filter(
          ({ metadata }) =>
            other.get(kind as Kind, metadata.namespace ?? '', metadata.name ?? '') === undefined,
        )
        .map((object) => ({ kind: kind as Kind, object })),
    ),
  );
}

function hostsOf({ entryPoints }: Model): readonly string[] {
  const names = entryPoints
    .flatMap((e) => e.listeners)
    .flatMap((l) => l.hosts)
    .map((h) => h.hostname);
  return [...new Set(names)].filter((name) => name !== '' && !/^[?*]/.test(name));
}

/** A line on a terminal that says how far it is. */
function createProgress(): (asked: number) => void {
  if (!process.stderr.isTTY) return () => {};
  const started = process.hrtime.bigint();
  return (asked) => {
    const seconds = Number(process.hrtime.bigint() - started) / 1e9;
    process.stderr.write(
      `\r${asked.toLocaleString('en')} requests asked, ${Math.round(asked / seconds).toLocaleString('en')} a second\u001b[K`,
    );
    if (asked === 0) process.stderr.write('\n');
  };
}

async function give(
  { out, report: format }: MigrateFlags,
  files: readonly RenderedFile[],
  report: string,
  isProof: boolean,
): Promise<void> {
  if (process.stderr.isTTY && isProof) process.stderr.write('\r\u001b[K');
  if (out === undefined) {
    if (isProof) {
      print(report);
      return;
    }
    for (const { text } of files) process.stdout.write(`---\n${text}`);
    process.stderr.write(`${report}\n`);
    return;
  }
  const all = [...files, { name: REPORT_NAMES[format], text: `${report}\n` }];
  try {
    await mkdir(out, { recursive: true });
    for (const { name, text } of all) await writeFile(join(out, name), text);
  } catch (error) {
    throw new FairwayError(
      'FW_USAGE',
      `--out ${out} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
  if (format === 'text') print(report);
  print(`Written to ${out}: ${all.map(({ name }) => name).join(', ')}`);
}
