// Changes of objects → what happened to them, told by the difference alone: whoever made the change need
// not say so as well. Pure; called for every change there is, so kinds without news cost a look-up.

import { Deployment } from '../../api/apps/deployment.ts';
import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { Namespace } from '../../api/core/namespace.ts';
import { Pod } from '../../api/core/pod.ts';
import { Service } from '../../api/core/service.ts';
import type { Kind, KubeObject } from '../../api/kind.ts';
import type { Change } from '../../store/store.ts';
import { controllerOf, isTerminating } from '../shared/metadata.ts';
import { regarding } from './happening.ts';
import type { Happening, Objects } from './happening.ts';
import { conditionHappenings } from './of-conditions.ts';
import { podHappenings } from './of-pods.ts';

type Teller = (change: Change, objects: Objects) => readonly Happening[];

const DEPLOYMENT = Deployment as unknown as Kind;

const TELLERS: ReadonlyMap<string, Teller> = new Map<string, Teller>([
  [Pod.kind, podHappenings],
  [ReplicaSet.kind, scaled],
  [Service.kind, balanced],
  [Namespace.kind, ended],
]);

/** Groups whose objects say by conditions how they are. */
const CONDITION_GROUPS: ReadonlySet<string> = new Set([
  'gateway.networking.k8s.io',
  'gateway.networking.x-k8s.io',
  'apiextensions.k8s.io',
]);

/** `objects` are as they are after all of the changes. */
export function happeningsOf(changes: readonly Change[], objects: Objects): readonly Happening[] {
  return changes.flatMap((change) => {
    const { kind, before, after } = change;
    if (CONDITION_GROUPS.has(kind.group)) {
      return after === undefined ? [] : conditionHappenings(kind, before, after);
    }
    return TELLERS.get(kind.kind)?.(change, objects) ?? [];
  });
}

/** The Deployment of a ReplicaSet has given it another number of pods. */
function scaled({ before, after }: Change, objects: Objects): readonly Happening[] {
  if (after === undefined) return [];
  const [was, now] = [before as ReplicaSet | undefined, after as ReplicaSet];
  const [from, to] = [was?.spec.replicas ?? 0, now.spec.replicas];
  const owner = controllerOf(now);
  if (from === to || owner?.kind !== Deployment.kind) return [];
  const { namespace = '', name = '' } = now.metadata;
  const deployment = objects.get(DEPLOYMENT, namespace, owner.name);
  if (deployment === undefined || deployment.metadata.uid !== owner.uid) return [];
  const direction = to > from ? 'up' : 'down';
  return [
    {
      regarding: regarding(DEPLOYMENT, deployment),
      type: 'Normal',
      reason: 'ScalingReplicaSet',
      message: `Scaled ${direction} replica set ${name} from ${from} to ${to}`,
      component: 'deployment-controller',
    },
  ];
}

/** A Service has been given the address of a load balancer. */
function balanced({ before, after }: Change): readonly Happening[] {
  const addresses = (object: KubeObject | undefined): string =>
    ((object as Service | undefined)?.status?.loadBalancer?.ingress ?? [])
      .map(({ ip = '', hostname = '' }) => (ip === '' ? hostname : ip))
      .join(', ');
  const now = addresses(after);
  if (after === undefined || now === '' || now === addresses(before)) return [];
  return [
    {
      regarding: regarding(Service as unknown as Kind, after),
      type: 'Normal',
      reason: 'EnsuredLoadBalancer',
      message: `Ensured load balancer: its address is ${now}`,
      component: 'service-controller',
    },
  ];
}

function ended({ before, after }: Change): readonly Happening[] {
  const namespace = (after ?? before) as Namespace;
  const say = (reason: string, message: string): readonly Happening[] => [
    {
      regarding: regarding(Namespace as unknown as Kind, namespace),
      type: 'Normal',
      reason,
      message,
      component: 'namespace-controller',
    },
  ];
  if (after === undefined) return say('Deleted', 'The namespace and all that was in it are gone');
  if (!isTerminating(namespace) || (before !== undefined && isTerminating(before))) return [];
  return say('Terminating', 'Everything in the namespace is being deleted');
}
