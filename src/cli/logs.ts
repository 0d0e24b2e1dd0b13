// fairway logs: what a pod has written. Read from files, so it works from any terminal of the user, and
// after Fairway has ended.

import { readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { BLOCKS } from '../config/network.ts';
import { blockDirectory, pathsFrom } from '../config/paths.ts';
import { FairwayError } from '../lib/errors.ts';
import { nearest } from '../lib/nearest.ts';
import { podLogDirectory } from '../runtime/logs/paths.ts';
import { readLog } from '../runtime/logs/read-log.ts';
import { ownerLives } from '../runtime/process/marker.ts';
import { print } from './terminal.ts';

interface LogsFlags {
  readonly container?: string;
  readonly namespace?: string;
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly timestamps?: boolean;
  readonly tail?: string;
  readonly since?: string;
}

interface PodLogs {
  readonly stateDir: string;
  readonly namespace: string;
  readonly pod: string;
  /** When anything was written last. */
  readonly changedMs: number;
  /** It has written something since the Fairway that runs now was started. */
  readonly isCurrent: boolean;
}

export async function logs(pod: string, flags: LogsFlags): Promise<number> {
  const place = await findPod(pod, flags.namespace);
  const container = flags.container ?? (await firstContainer(place));
  const stop = new AbortController();
  process.once('SIGINT', () => stop.abort());
  process.once('SIGTERM', () => stop.abort());
  // Nobody reads any more.
  process.stdout.once('error', () => stop.abort());
  const lines = readLog(
    {
      stateDir: place.stateDir,
      namespace: place.namespace,
      pod: place.pod,
      container,
      ...(flags.tail === undefined ? {} : { tail: wholeNumber('--tail', flags.tail) }),
      ...(flags.since === undefined ? {} : { sinceSeconds: seconds(flags.since) }),
      follow: flags.follow === true,
      previous: flags.previous === true,
      timestamps: flags.timestamps === true,
    },
    stop.signal,
  );
  for await (const line of lines) print(line);
  return 0;
}

/** What kubectl writes before a name, of what has pods here. */
const KIND_PREFIX =
  /^(?:po|pods?|deploy|deployments?|sts|statefulsets?|rs|replicasets?)(?:\.apps)?\//;

/** Whether a pod is the one that is asked for, or one that a workload of that name has made. */
function isOf(pod: string, name: string): boolean {
  if (pod === name) return true;
  const rest = pod.startsWith(`${name}-`) ? pod.slice(name.length + 1) : '';
  return /^(?:[0-9]+|[a-z0-9]{5}|[a-z0-9]{6,10}-[a-z0-9]{5})$/.test(rest);
}

/**
 * The logs of a pod: `name` in any namespace, or `namespace/name`; or of a pod of the workload of that
 * name, `books` or `deploy/books`. Those of now come before those of earlier, then the newest.
 */
async function findPod(asked: string, namespaceFlag: string | undefined): Promise<PodLogs> {
  const plain = asked.replace(KIND_PREFIX, '');
  const slash = plain.indexOf('/');
  const name = plain.slice(slash + 1);
  const namespace = slash === -1 ? namespaceFlag : plain.slice(0, slash);
  const all = (await allPods()).filter((p) => namespace === undefined || p.namespace === namespace);
  const found = all
    .filter((p) => isOf(p.pod, name))
    .toSorted(
      (a, b) =>
        Number(b.pod === name) - Number(a.pod === name) ||
        Number(b.isCurrent) - Number(a.isCurrent) ||
        b.changedMs - a.changedMs,
    );
  const [first] = found;
  if (first === undefined) throw unknownPod(asked, name, all);
  const others = new Set(found.map((p) => p.namespace));
  if (others.size > 1) {
    throw new FairwayError('FW_AMBIGUOUS_POD', `there are pods ${name} in several namespaces`, {
      hint: `name one: ${[...others].map((n) => `${n}/${name}`).join(', ')}`,
    });
  }
  return first;
}

function unknownPod(asked: string, name: string, all: readonly PodLogs[]): FairwayError {
  const current = all.filter((p) => p.isCurrent);
  const names = (current.length > 0 ? current : all).map((p) => p.pod);
  const close = nearest(name, names);
  const known = [...new Set(names)].slice(0, 8).join(', ');
  return new FairwayError('FW_POD_NOT_FOUND', `no pod ${asked} has written anything`, {
    hint:
      close === undefined
        ? `${current.length > 0 ? 'running pods' : 'pods with logs'}: ${known || 'none'}`
        : `did you mean ${close}?`,
  });
}

async function allPods(): Promise<readonly PodLogs[]> {
  const paths = pathsFrom(process.env);
  const pods: PodLogs[] = [];
  for (let block = 0; block < BLOCKS; block++) {
    const stateDir = blockDirectory(paths, block);
    const sinceMs = await runningSinceMs(stateDir);
    for (const namespace of await list(join(stateDir, 'logs'))) {
      for (const pod of await list(join(stateDir, 'logs', namespace))) {
        const directory = podLogDirectory({ stateDir, namespace, pod });
        const changedMs = await newestMs(directory);
        pods.push({ stateDir, namespace, pod, changedMs, isCurrent: changedMs >= sinceMs });
      }
    }
  }
  return pods;
}

/** When the Fairway of that folder was started; never, when it does not run. */
async function runningSinceMs(stateDir: string): Promise<number> {
  const file = join(stateDir, 'pods', 'owner');
  const owner = await readFile(file, 'utf8').catch(() => '');
  if (!(await ownerLives(owner))) return Infinity;
  return (await stat(file)).mtimeMs;
}

async function newestMs(directory: string): Promise<number> {
  const files = (await list(directory)).map((name) => join(directory, name));
  const all = await Promise.all(files.map((file) => stat(file).catch(() => undefined)));
  return Math.max(0, ...all.map((stats) => stats?.mtimeMs ?? 0));
}

async function firstContainer(place: PodLogs): Promise<string> {
  const files = (await list(podLogDirectory(place))).filter((file) => /^[^.]+\.log$/.test(file));
  const containers = files.map((file) => file.slice(0, -'.log'.length));
  const [first] = containers;
  if (containers.length > 1) {
    throw new FairwayError('FW_AMBIGUOUS_CONTAINER', `pod ${place.pod} has several containers`, {
      hint: `name one with -c: ${containers.join(', ')}`,
    });
  }
  if (first === undefined) {
    throw new FairwayError('FW_POD_NOT_FOUND', `pod ${place.pod} has written nothing`);
  }
  return first;
}

async function list(directory: string): Promise<readonly string[]> {
  const names: readonly string[] = await readdir(directory).catch(() => []);
  return names.toSorted();
}

function wholeNumber(flag: string, text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new FairwayError('FW_USAGE', `${flag} ${text} is not a number`);
}

const UNITS: Readonly<Record<string, number>> = { s: 1, m: 60, h: 3600 };

function seconds(text: string): number {
  const match = /^(\d+)([smh])$/.exec(text);
  if (match === null) {
    throw new FairwayError('FW_USAGE', `--since ${text} is not a duration`, {
      hint: 'as in 30s, 5m, 2h',
    });
  }
  return Number(match[1]) * (UNITS[match[2] ?? 's'] ?? 1);
}
