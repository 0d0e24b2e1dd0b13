// Mounted files that name mount paths themselves, as a web server's configuration names its certificate.
// Without a mount namespace such a path leads nowhere, and the program's own error does not say why.
// Pure.

import type { Pod } from '../api/core/pod.ts';
import type { VariableSources } from './env/variables.ts';
import type { PlannedContainer } from './plan/plan.ts';
import { volumeContent } from './volumes/content.ts';
import { mountRewriter, normalizeMountPath } from './volumes/mounts.ts';

export interface PathInFile {
  readonly container: string;
  /** Place of the volume in the pod, and the file in it. */
  readonly volume: number;
  readonly file: string;
  /** The mount path that is named there. */
  readonly path: string;
}

/** Every file a container mounts in which one of its mount paths is named; one path for each file. */
export function mountPathsInFiles(
  pod: Pod,
  planned: PlannedContainer,
  sources: VariableSources,
): readonly PathInFile[] {
  if (planned.plan.kind !== 'process') return [];
  const { name, volumeMounts = [] } = planned.container;
  const paths = volumeMounts.map((mount) => normalizeMountPath(mount.mountPath));
  const found: PathInFile[] = [];
  for (const [i, volume] of (pod.spec.volumes ?? []).entries()) {
    if (!volumeMounts.some((mount) => mount.name === volume.name)) continue;
    const content = volumeContent(volume, sources);
    if (content?.ok !== true) continue;
    for (const file of content.files) {
      const text = file.data.toString('latin1');
      const path = paths.find((each) => names(text, each));
      if (path !== undefined) found.push({ container: name, volume: i, file: file.path, path });
    }
  }
  return found;
}

function names(text: string, containerPath: string): boolean {
  return mountRewriter([{ containerPath, path: '' }])(text) !== text;
}
