// The `fairway.dev/…` annotations of a pod that say what to run in place of an image. A suffix names
// the container (`fairway.dev/command.web`); without one, a command is for the pod's only container.

import { nearest } from '../../lib/nearest.ts';
import type { Container } from '../../api/core/containers.ts';
import type { Pod } from '../../api/core/pod.ts';

const COMMAND_ANNOTATION = 'fairway.dev/command';
export const WORKING_DIR_ANNOTATION = 'fairway.dev/working-dir';

/** What to run, as written: a list is run as it is, a text by a shell. */
export type WrittenCommand = string | readonly string[];

/** A fault in an annotation, as a sentence. */
export interface AnnotationFault {
  readonly annotation: string;
  readonly message: string;
}

/** The text of a container's command annotation and the annotation's full name. */
export function commandAnnotation(
  pod: Pod,
  container: Container,
): { readonly annotation: string; readonly text: string } | undefined {
  const annotations = pod.metadata.annotations ?? {};
  const own = `${COMMAND_ANNOTATION}.${container.name}`;
  if (annotations[own] !== undefined) return { annotation: own, text: annotations[own] };
  const containers = pod.spec.containers ?? [];
  const shared = annotations[COMMAND_ANNOTATION];
  const isOnly = containers.length === 1 && containers[0]?.name === container.name;
  return shared !== undefined && isOnly
    ? { annotation: COMMAND_ANNOTATION, text: shared }
    : undefined;
}

/** The folder an annotation wants a container's process to start in, as written. */
export function workingDirAnnotation(pod: Pod, container: Container): string | undefined {
  const annotations = pod.metadata.annotations ?? {};
  return (
    annotations[`${WORKING_DIR_ANNOTATION}.${container.name}`] ??
    annotations[WORKING_DIR_ANNOTATION]
  );
}

/**
 * Reads a command: a JSON array of texts, else a shell line. Undefined when it is empty or an array of
 * something else.
 */
export function parseCommand(text: string): WrittenCommand | undefined {
  if (text.trim() === '') return undefined;
  if (!text.trimStart().startsWith('[')) return text;
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    // `[ -f server.js ] && node server.js` is a shell line too.
    return text;
  }
  if (!Array.isArray(value) || value.length === 0 || value[0] === '') return undefined;
  return value.every((item) => typeof item === 'string') ? (value as string[]) : undefined;
}

/** What is wrong with a pod's annotations: they name no container, or cannot be read. */
export function annotationFaults(pod: Pod): readonly AnnotationFault[] {
  const names = containerNames(pod);
  const faults: AnnotationFault[] = [];
  for (const [annotation, text] of Object.entries(pod.metadata.annotations ?? {})) {
    const base = [COMMAND_ANNOTATION, WORKING_DIR_ANNOTATION].find(
      (name) => annotation === name || annotation.startsWith(`${name}.`),
    );
    if (base === undefined) continue;
    const message = faultOf(annotation.slice(base.length + 1), base, names, pod);
    if (message !== undefined) faults.push({ annotation, message });
    else if (base === COMMAND_ANNOTATION && parseCommand(text) === undefined) {
      faults.push({ annotation, message: 'is neither a JSON array of texts nor a shell line' });
    }
  }
  return faults;
}

function faultOf(
  suffix: string,
  base: string,
  names: readonly string[],
  pod: Pod,
): string | undefined {
  if (suffix === '') {
    const count = pod.spec.containers.length ?? 0;
    if (base === WORKING_DIR_ANNOTATION || count === 1) return undefined;
    const named = names.map((name) => `${base}.${name}`).join(' or ');
    return `does not say which of the pod's ${count} containers it is for: write ${named}`;
  }
  if (names.includes(suffix)) return undefined;
  const near = nearest(suffix, names);
  return near === undefined
    ? `names no container of the pod, which has ${names.join(', ')}`
    : `names no container of the pod; did you mean ${base}.${near}?`;
}

function containerNames(pod: Pod): readonly string[] {
  const { initContainers = [], containers } = pod.spec;
  return [...initContainers, ...containers].map((container) => container.name);
}
