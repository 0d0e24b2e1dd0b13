// What is odd about where pods are to run.

import { Deployment } from '../../api/apps/deployment.ts';
import { ReplicaSet } from '../../api/apps/replica-set.ts';
import { StatefulSet } from '../../api/apps/stateful-set.ts';
import { Node } from '../../api/core/node.ts';
import { Pod } from '../../api/core/pod.ts';
import type { Finding } from '../../api/finding.ts';
import type { KubeObject } from '../../api/kind.ts';
import type { Snapshot } from '../../store/snapshot.ts';
import { refOf } from '../shared/findings.ts';
import { controllerOf } from '../shared/metadata.ts';
import { suits } from './scheduler.ts';

/** Pods whose wishes for a node nobody fulfils, told of the object that somebody wrote. */
export function placementFindings(snapshot: Snapshot): readonly Finding[] {
  const nodes = snapshot.list(Node);
  if (nodes.length === 0) return [];
  const names = new Set(nodes.map(({ metadata }) => metadata.name));
  return podSpecs(snapshot).flatMap(({ object, spec, path }): readonly Finding[] => {
    const { nodeName = '', nodeSelector } = spec;
    const of = (field: string) => ({ object: refOf(object), field: `${path}.${field}` });
    if (nodeName !== '' && !names.has(nodeName)) {
      return [
        {
          severity: 'warning',
          reason: 'NodeNotFound',
          message: `node ${nodeName} is not there: the pod gets no traffic`,
          hint: 'Leave nodeName out; the scheduler fills it in.',
          origin: of('nodeName'),
        },
      ];
    }
    if (nodeSelector === undefined || nodes.some((node) => suits(node, { spec }))) return [];
    return [
      {
        severity: 'info',
        reason: 'NodeSelectorIgnored',
        message: 'no node has the labels of nodeSelector: the pod runs on any node',
        origin: of('nodeSelector'),
      },
    ];
  });
}

interface Specified {
  readonly object: KubeObject;
  readonly spec: Pod['spec'];
  /** Of the specification in the object. */
  readonly path: string;
}

function podSpecs(snapshot: Snapshot): readonly Specified[] {
  const isWritten = (object: KubeObject): boolean => controllerOf(object) === undefined;
  const workloads = [
    ...snapshot.list(Deployment),
    ...snapshot.list(ReplicaSet),
    ...snapshot.list(StatefulSet),
  ].filter(isWritten);
  const pods = snapshot.list(Pod).filter(isWritten);
  return [
    ...workloads.map((object) => ({
      object,
      spec: object.spec.template.spec,
      path: 'spec.template.spec',
    })),
    ...pods.map((object) => ({ object, spec: object.spec, path: 'spec' })),
  ];
}
