// The kind Deployment.

import { canonical } from '../core/canonical.ts';
import { changed, isObject } from '../core/defaulting.ts';
import { checked, flag, int32, int64, keyed, text, time } from '../core/fields.ts';
import { podTemplateDefaults } from '../core/pod-defaults.ts';
import { PodTemplateSpec } from '../core/pod-template.ts';
import { defineKind } from '../kind.ts';
import type { Column } from '../kind.ts';
import { LabelSelector, ObjectMeta, typeMeta } from '../meta.ts';
import { def, described, intOrString, object, oneOf, opt, requiredDef } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { checkDeployment } from './deployment-check.ts';
import { containersColumn, formatSelector, imagesColumn } from './workload-columns.ts';

const RollingUpdate = object({
  maxUnavailable: def(
    intOrString({ doc: 'How many pods may be missing during an update: a number or a share.' }),
    '25%',
  ),
  maxSurge: def(
    intOrString({ doc: 'How many pods there may be too many: a number or a share.' }),
    '25%',
  ),
});

const DeploymentStrategy = object({
  type: def(
    oneOf(['Recreate', 'RollingUpdate'], {
      doc: 'Whether old pods are ended first or replaced little by little.',
    }),
    'RollingUpdate',
  ),
  rollingUpdate: opt(described(RollingUpdate, 'How fast, for RollingUpdate.')),
});

const DeploymentSpec = object({
  replicas: def(int32('How many pods there are to be.'), 1),
  selector: described(LabelSelector, 'The pods that belong to it; cannot be changed.'),
  template: requiredDef(described(PodTemplateSpec, 'What the pods are made from.'), {}),
  strategy: def(described(DeploymentStrategy, 'How old pods are replaced by new ones.'), {}),
  minReadySeconds: opt(int32('Seconds a pod has to be ready before it counts.')),
  revisionHistoryLimit: def(int32('How many old ReplicaSets are kept to go back to.'), 10),
  paused: opt(flag('Changes of the template have no effect for now.')),
  progressDeadlineSeconds: def(int32('Seconds without progress after which it has failed.'), 600),
});

const DeploymentCondition = object({
  type: opt(text('What the condition is about.')),
  status: opt(text('Whether it holds: True, False or Unknown.')),
  lastUpdateTime: opt(time('When it was last looked at.')),
  lastTransitionTime: opt(time('When status last changed.')),
  reason: opt(text('Why, in one word for programs.')),
  message: opt(text('Why, in a sentence for people.')),
});

const DeploymentStatus = object({
  observedGeneration: opt(int64('The metadata.generation the status was made for.')),
  replicas: opt(int32('How many pods there are.')),
  updatedReplicas: opt(int32('How many of them are of the newest template.')),
  readyReplicas: opt(int32('How many of them are ready.')),
  availableReplicas: opt(int32('How many of them are ready for long enough.')),
  unavailableReplicas: opt(int32('How many are still missing.')),
  terminatingReplicas: opt(int32('How many are about to end.')),
  conditions: opt(
    keyed(DeploymentCondition, { keys: ['type'], doc: 'What is known of the Deployment.' }),
  ),
  collisionCount: opt(int32('How often a name for a ReplicaSet was taken already.')),
});

const shape = object({
  ...typeMeta,
  metadata: def(ObjectMeta, {}),
  spec: def(described(DeploymentSpec, 'The pods there are to be.'), {}),
  status: def(described(DeploymentStatus, 'The pods there are.'), {}),
});
export type Deployment = Infer<typeof shape>;

function deploymentDefaults(deployment: Deployment): Deployment {
  const { spec } = deployment;
  if (!isObject(spec)) return deployment;
  const { strategy } = spec;
  const rolls =
    isObject(strategy) && strategy.type === 'RollingUpdate' && strategy.rollingUpdate === undefined;
  const rollingUpdate = { maxUnavailable: '25%', maxSurge: '25%' };
  return changed(deployment, {
    spec: changed(spec, {
      template: podTemplateDefaults(spec.template),
      strategy: rolls ? { ...strategy, rollingUpdate } : strategy,
    }),
  });
}

const columns: readonly Column[] = [
  {
    name: 'Ready',
    type: 'string',
    value: ({ spec, status }: Deployment) => `${status.readyReplicas ?? 0}/${spec.replicas}`,
  },
  {
    name: 'Up-to-date',
    type: 'string',
    value: ({ status }: Deployment) => status.updatedReplicas ?? 0,
  },
  {
    name: 'Available',
    type: 'string',
    value: ({ status }: Deployment) => status.availableReplicas ?? 0,
  },
  containersColumn,
  imagesColumn,
  {
    name: 'Selector',
    type: 'string',
    priority: 1,
    value: ({ spec }: Deployment) => formatSelector(spec.selector) ?? '',
  },
];

export const Deployment = defineKind<Deployment>({
  group: 'apps',
  version: 'v1',
  kind: 'Deployment',
  plural: 'deployments',
  shortNames: ['deploy'],
  categories: ['all'],
  namespaced: true,
  doc: 'Pods made from one template, replaced little by little when the template changes.',
  schema: checked(shape, checkDeployment),
  hasStatus: true,
  hasGeneration: true,
  columns,
  setDefaults: (deployment) => deploymentDefaults(canonical(shape, deployment)),
});
