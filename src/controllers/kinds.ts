// The kinds whose objects controllers care for: all there are, and one that only they know.

import { ALL_KINDS } from '../api/all-kinds.ts';
import type { Kind } from '../api/kind.ts';
import { ControllerRevision } from './workloads/statefulset/controller-revision.ts';

export const CONTROLLED_KINDS: readonly Kind[] = [...ALL_KINDS, ControllerRevision];
