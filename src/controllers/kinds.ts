// The kinds whose objects controllers care for: all that are served, and one that only they know.

import { SERVED_KINDS } from '../api/kinds.ts';
import type { Kind } from '../api/kind.ts';
import { ControllerRevision } from './workloads/statefulset/controller-revision.ts';

export const CONTROLLED_KINDS: readonly Kind[] = [...SERVED_KINDS, ControllerRevision];
