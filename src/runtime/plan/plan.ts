// Pod → what would run for each of its containers. Pure but for one question to the file system (is
// this a folder), which the caller answers. The order of the ways is the order of intent: what the
// user wrote for Fairway in the pod, in the configuration, what Fairway brings along, and only then
// the manifest's own command, which was written for a container.

import { resolve } from 'node:path';
import { echoProgram } from '../echo/image.ts';
import type { Container } from '../../api/core/containers.ts';
import type { Pod } from '../../api/core/pod.ts';
import type { ImageMapping } from '../types.ts';
import {
  commandAnnotation,
  parseCommand,
  workingDirAnnotation,
  WORKING_DIR_ANNOTATION,
} from './annotations.ts';
import type { WrittenCommand } from './annotations.ts';
import { mappingFor } from './image.ts';

export interface PlanOptions {
  /** The configuration's mappings; the first that takes the image counts. */
  readonly images: readonly ImageMapping[];
  /** Folder of the pod's manifest, absolute; where Fairway was started when it has none. */
  readonly directory: string;
  readonly isDirectory: (path: string) => boolean;
}

export type ContainerPlan =
  | {
      readonly kind: 'process';
      /** Program and arguments, with `$(NAME)` and mount paths as written. */
      readonly argv: readonly string[];
      /** False for a shell line: `$(date)` is the shell's to expand. */
      readonly expand: boolean;
      readonly cwd: string;
      /** Where the command comes from. */
      readonly from: 'annotation' | 'configuration' | 'manifest';
    }
  | { readonly kind: 'echo'; readonly args: readonly string[] }
  | {
      readonly kind: 'unavailable';
      /** The waiting reason of the container: ErrImageNeverPull, or a mistake in an annotation. */
      readonly reason: 'ErrImageNeverPull' | 'CreateContainerConfigError';
      readonly message: string;
      readonly hint: string;
    };

/** init: runs to its end before the next starts. sidecar: an init container that goes on running. */
export type ContainerRole = 'init' | 'sidecar' | 'main';

export interface PlannedContainer {
  readonly container: Container;
  readonly role: ContainerRole;
  readonly plan: ContainerPlan;
}

/** What runs for each container, init containers first, in the order of the manifest. */
export function planPod(pod: Pod, options: PlanOptions): readonly PlannedContainer[] {
  const { initContainers = [], containers } = pod.spec;
  const plan = (container: Container, role: ContainerRole): PlannedContainer => ({
    container,
    role,
    plan: planContainer(pod, container, options),
  });
  return [
    ...initContainers.map((each) =>
      plan(each, each.restartPolicy === 'Always' ? 'sidecar' : 'init'),
    ),
    ...containers.map((each) => plan(each, 'main')),
  ];
}

function planContainer(pod: Pod, container: Container, options: PlanOptions): ContainerPlan {
  const annotated = commandAnnotation(pod, container);
  if (annotated !== undefined) {
    const command = parseCommand(annotated.text);
    if (command === undefined) return badAnnotation(annotated.annotation);
    return start(pod, container, options, { command, args: [], from: 'annotation' });
  }
  const image = container.image ?? '';
  const mapping = mappingFor(image, options.images);
  if (mapping !== undefined) {
    return start(pod, container, options, {
      command: mapping.command,
      args: container.args ?? [],
      from: 'configuration',
      workingDir: mapping.workingDir,
    });
  }
  const { command = [], args = [] } = container;
  if (echoProgram(image) !== undefined)
    return { kind: 'echo', args: [...command.slice(1), ...args] };
  if (command.length === 0) return unknownImage(container.name, image);
  return start(pod, container, options, {
    command,
    args,
    from: 'manifest',
    // A path inside the image as a rule; taken when this machine happens to have it too.
    workingDir: existing(container.workingDir, options),
  });
}

interface Start {
  readonly command: WrittenCommand;
  readonly args: readonly string[];
  readonly from: 'annotation' | 'configuration' | 'manifest';
  readonly workingDir?: string | undefined;
}

function start(pod: Pod, container: Container, options: PlanOptions, what: Start): ContainerPlan {
  const annotated = workingDirAnnotation(pod, container);
  const cwd = resolve(options.directory, annotated ?? what.workingDir ?? '.');
  if (!options.isDirectory(cwd)) return missingFolder(cwd, annotated !== undefined);
  const shell = typeof what.command === 'string';
  const argv = shell
    ? // The name after the line is the shell's $0; the arguments are its "$@".
      ['/bin/sh', '-c', what.command, container.name, ...what.args]
    : [...what.command, ...what.args];
  return { kind: 'process', argv, expand: !shell, cwd, from: what.from };
}

function existing(path: string | undefined, options: PlanOptions): string | undefined {
  return path !== undefined && path !== '' && options.isDirectory(path) ? path : undefined;
}

function unknownImage(name: string, image: string): ContainerPlan {
  return {
    kind: 'unavailable',
    reason: 'ErrImageNeverPull',
    message:
      `Fairway runs no containers and does not know what image "${image}" would run for container ` +
      `${name}. Use a built-in echo image, or say with the pod annotation fairway.dev/command what ` +
      `to run instead, or with the Service annotation fairway.dev/address where it already runs`,
    hint:
      'Annotate the pod with fairway.dev/command: "node server.js" (its folder is that of the manifest), ' +
      'or the Service with fairway.dev/address: "localhost:3000", or use an image Fairway has built in, ' +
      'as registry.k8s.io/gateway-api/echo-basic.',
  };
}

function badAnnotation(annotation: string): ContainerPlan {
  return {
    kind: 'unavailable',
    reason: 'CreateContainerConfigError',
    message: `annotation ${annotation} is neither a JSON array of texts nor a shell line`,
    hint: 'Write it as ["node", "server.js"] or as node server.js.',
  };
}

function missingFolder(cwd: string, annotated: boolean): ContainerPlan {
  return {
    kind: 'unavailable',
    reason: 'CreateContainerConfigError',
    message: `folder ${cwd} to run in does not exist`,
    hint: annotated
      ? `Correct the annotation ${WORKING_DIR_ANNOTATION}: it is relative to the manifest's folder.`
      : 'Create the folder, or name another one.',
  };
}
