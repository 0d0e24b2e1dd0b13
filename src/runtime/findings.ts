// Pods of a snapshot → what the user should know about running them here: what cannot run and why, what
// ended and will not stay up, what Fairway does not do. Pure; what only running processes show comes
// from live-findings.ts.

import type { ContainerStatus } from '../api/core/container-status.ts';
import type { Container } from '../api/core/containers.ts';
import { Pod } from '../api/core/pod.ts';
import type { Finding, ObjectRef } from '../api/finding.ts';
import type { Snapshot } from '../store/snapshot.ts';
import { containerVariables } from './env/variables.ts';
import type { VariableSources } from './env/variables.ts';
import { mountPathsInFiles } from './mount-findings.ts';
import { annotationFaults, commandAnnotation } from './plan/annotations.ts';
import { manifestDirectory } from './plan/directory.ts';
import { POD_IP_HINT } from './live-findings.ts';
import { planPod } from './plan/plan.ts';
import type { PlannedContainer } from './plan/plan.ts';
import { podSources } from './pod/sources.ts';
import type { ImageMapping, Locate } from './types.ts';
import { unsupportedFeatures } from './unsupported.ts';
import { volumeContent } from './volumes/content.ts';

export interface PodFindingsOptions {
  readonly images: readonly ImageMapping[];
  readonly locate: Locate;
  /** Folder of pods that were written in no file. */
  readonly workingDir: string;
  readonly isDirectory: (path: string) => boolean;
  /**
   * The object the user wrote a pod in, and the path of the pod's own fields there (`spec.template.`):
   * replicas then have one finding together. The pod itself when absent.
   */
  readonly writtenIn?: (pod: Pod) => { readonly object: ObjectRef; readonly prefix: string };
}

/** All findings about the pods of a snapshot that are not finished, in their order, each once. */
export function podFindings(snapshot: Snapshot, options: PodFindingsOptions): readonly Finding[] {
  const pods = snapshot
    .list(Pod)
    .filter(({ status }) => status.phase !== 'Succeeded' && status.phase !== 'Failed');
  const findings: Finding[] = [];
  for (const pod of pods) {
    const directory = manifestDirectory(pod, options.locate) ?? options.workingDir;
    const plan = planPod(pod, { ...options, directory });
    const about = describer(pod, options);
    findings.push(
      ...annotationFindings(pod, about),
      ...plan.flatMap((planned) => planFinding(pod, planned, about)),
      ...objectFindings(pod, plan, snapshot, about),
      ...statusFindings(pod, about),
    );
  }
  findings.push(...unsupportedFeatures(pods, (pod) => describer(pod, options)('').object));
  return unique(findings);
}

type Describe = (field: string) => { readonly object: ObjectRef; readonly field: string };

function describer(pod: Pod, options: PodFindingsOptions): Describe {
  const { namespace = '', name = '' } = pod.metadata;
  const own = { object: { kind: 'Pod', namespace, name }, prefix: '' };
  const { object, prefix } = options.writtenIn?.(pod) ?? own;
  return (field) => ({ object, field: field === '' ? field : prefix + field });
}

function annotationFindings(pod: Pod, about: Describe): readonly Finding[] {
  return annotationFaults(pod).map(({ annotation, message }) => ({
    severity: 'error',
    reason: 'InvalidAnnotation',
    message: `annotation ${annotation} ${message}`,
    origin: about(`metadata.annotations[${annotation}]`),
  }));
}

function planFinding(pod: Pod, planned: PlannedContainer, about: Describe): readonly Finding[] {
  const { container, plan } = planned;
  if (plan.kind !== 'unavailable') return [];
  const isImage = plan.reason === 'ErrImageNeverPull';
  return [
    {
      severity: 'error',
      reason: isImage ? 'UnknownImage' : 'CannotRun',
      message: `container ${container.name} cannot run: ${plan.message}`,
      hint: plan.hint,
      origin: about(fieldOf(pod, container, isImage ? 'image' : '')),
    },
  ];
}

/** Secrets, ConfigMaps and keys that are not there, as of now; nothing has to have been started. */
function objectFindings(
  pod: Pod,
  plan: readonly PlannedContainer[],
  snapshot: Snapshot,
  about: Describe,
): readonly Finding[] {
  const findings: Finding[] = [];
  const placement = { podIp: '', hostIp: '', cpus: 1, memoryBytes: 1 };
  const sources = podSources(pod, snapshot, placement);
  for (const [i, volume] of (pod.spec.volumes ?? []).entries()) {
    const content = volumeContent(volume, sources);
    if (content === undefined || content.ok) continue;
    findings.push({
      severity: 'error',
      reason: 'FailedMount',
      message: `the pod waits: ${content.message}`,
      hint: 'It starts by itself as soon as what it names is there.',
      origin: about(`spec.volumes[${i}]`),
    });
  }
  for (const planned of plan) {
    const { container } = planned;
    findings.push(...pathFindings(pod, planned, sources, about));
    const found = containerVariables(container, sources);
    if (found.ok) continue;
    findings.push({
      severity: 'error',
      reason: 'CreateContainerConfigError',
      message: `container ${container.name} waits: ${found.message}`,
      hint: 'It starts by itself as soon as what it names is there.',
      origin: about(fieldOf(pod, container, 'env')),
    });
  }
  return findings;
}

function pathFindings(
  pod: Pod,
  planned: PlannedContainer,
  sources: VariableSources,
  about: Describe,
): readonly Finding[] {
  return mountPathsInFiles(pod, planned, sources).map(({ container, volume, file, path }) => ({
    severity: 'warning',
    reason: 'MountPathInFile',
    message:
      `file ${file} names ${path}, where container ${container} has a mount: ` +
      'that path is replaced in commands and variables, not inside of files',
    hint:
      'The mount is below the folder in the variable FAIRWAY_ROOT. Let the program take the path from ' +
      'an argument or a variable, or write it relative to the file.',
    origin: about(`spec.volumes[${volume}]`),
  }));
}

function statusFindings(pod: Pod, about: Describe): readonly Finding[] {
  const { initContainerStatuses = [], containerStatuses = [] } = pod.status;
  const findings: Finding[] = [];
  for (const status of [...initContainerStatuses, ...containerStatuses]) {
    const finding = crashFinding(pod, status, about);
    if (finding !== undefined) findings.push(finding);
  }
  return findings;
}

function crashFinding(pod: Pod, status: ContainerStatus, about: Describe): Finding | undefined {
  const { waiting } = status.state;
  const { terminated } = status.lastState;
  const container = [...(pod.spec.initContainers ?? []), ...pod.spec.containers].find(
    (each) => each.name === status.name,
  );
  if (container === undefined || terminated === undefined) return undefined;
  if (waiting?.reason === 'RunContainerError') {
    return {
      severity: 'error',
      reason: 'CommandNotFound',
      message: `container ${status.name} cannot start: ${waiting.message ?? terminated.message ?? ''}`,
      hint: startHint(pod, container, waiting.message ?? terminated.message ?? ''),
      origin: about(commandField(pod, container)),
    };
  }
  if (waiting?.reason !== 'CrashLoopBackOff') return undefined;
  const words = lastLine(terminated.message ?? '');
  return {
    severity: 'error',
    reason: 'CrashLooping',
    message:
      `container ${status.name} ended ${status.restartCount + 1} times, last with ${howItEnded(terminated)}` +
      (words === '' ? '' : `: ${words}`),
    hint: `${ADDRESS_IN_USE.test(words) ? `${POD_IP_HINT} ` : ''}Its log says more: fairway logs ${pod.metadata.name} -c ${status.name} -n ${pod.metadata.namespace} --previous`,
    origin: about(fieldOf(pod, container, '')),
  };
}

/** What to do about a command that did not start: its program is missing, or is there and does not run. */
function startHint(pod: Pod, container: Container, message: string): string {
  const written = commandAnnotation(pod, container);
  if (message.includes('permission denied')) {
    return 'The file is there and is no program this user may run: chmod +x makes it one, if it is.';
  }
  if (written !== undefined) {
    return `The annotation ${written.annotation} names the command: correct it, or install the program on this machine.`;
  }
  return container.command === undefined
    ? 'The command comes from pods.images of the configuration: correct it there, or install the program on this machine.'
    : 'The command of the manifest runs on this machine, not in the image. Install the program, or ' +
        'say with the pod annotation fairway.dev/command what to run instead.';
}

/** Where the command is written, as far as the pod says so. */
function commandField(pod: Pod, container: Container): string {
  const written = commandAnnotation(pod, container);
  if (written !== undefined) return `metadata.annotations[${written.annotation}]`;
  return fieldOf(pod, container, container.command === undefined ? 'image' : 'command');
}

/** As Node.js, Python, Go and the C library say it. */
const ADDRESS_IN_USE = /EADDRINUSE|address (?:is )?already in use/i;

function howItEnded({ exitCode, signal }: { exitCode: number; signal?: number }): string {
  return signal === undefined ? `exit code ${exitCode}` : `signal ${signal}`;
}

const LINE_CHARS_MAX = 200;

/** Below the stack of an error nobody caught, Node.js writes its version; the error stands above. */
const NODE_VERSION = /^Node\.js v\d/;
const ERROR_LINE = /^(?:\w*(?:Error|Exception)\b|Uncaught )/;

function lastLine(text: string): string {
  const lines = text.trimEnd().split('\n');
  const last = lines.at(-1) ?? '';
  const above = lines.slice(0, -1).filter((each) => each.trim() !== '');
  const line = NODE_VERSION.test(last)
    ? (above.findLast((each) => ERROR_LINE.test(each)) ?? above.at(-1) ?? last)
    : last;
  return line.length > LINE_CHARS_MAX ? `${line.slice(0, LINE_CHARS_MAX)}…` : line;
}

function fieldOf(pod: Pod, container: Container, field: string): string {
  const dot = field === '' ? '' : `.${field}`;
  const init = pod.spec.initContainers?.indexOf(container) ?? -1;
  if (init !== -1) return `spec.initContainers[${init}]${dot}`;
  return `spec.containers[${pod.spec.containers.indexOf(container)}]${dot}`;
}

/** Replicas say the same of the object they were all made from. */
function unique(findings: readonly Finding[]): readonly Finding[] {
  return [...new Map(findings.map((finding) => [JSON.stringify(finding), finding])).values()];
}
