// A kind → its paths of an OpenAPI document, with the verbs that work there. kubectl finds the kind of a
// resource by them, and what the server can do with a patch.

import type { Kind } from '../../api/kind.ts';
import type { OpenApiSchema } from '../../api/schema/openapi.ts';
import { isBuiltInGroup } from '../discovery/groups.ts';
import { subresourcesOf } from '../discovery/subresources.ts';
import type { GroupVersionKind } from '../discovery/subresources.ts';
import { componentName, refTo } from './components.ts';
import { DELETE_OPTIONS, PATCH, SCALE, STATUS } from './meta-schemas.ts';
import { PARAMETERS, PRETTY, inPath } from './parameters.ts';
import type { Action } from './parameters.ts';

export type Paths = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

interface Target {
  /** What is read and written. */
  readonly type: GroupVersionKind;
  readonly component: string;
  /** Ends operationId: `AppsV1NamespacedDeploymentStatus`. */
  readonly name: string;
  readonly tag: string;
  readonly strategic: boolean;
}

const METHODS: Readonly<Record<Action, string>> = {
  list: 'get',
  get: 'get',
  post: 'post',
  put: 'put',
  patch: 'patch',
  delete: 'delete',
  deletecollection: 'delete',
};

const SENTENCES: Readonly<Record<Action, (kind: string) => string>> = {
  list: (kind) => `List objects of the kind ${kind}, or watch them.`,
  get: (kind) => `Read one ${kind}.`,
  post: (kind) => `Create a ${kind}.`,
  put: (kind) => `Replace one ${kind}.`,
  patch: (kind) => `Change some fields of one ${kind}.`,
  delete: (kind) => `Delete one ${kind}.`,
  deletecollection: (kind) => `Delete all objects of the kind ${kind} that are selected.`,
};

/** `/api/v1` or `/apis/apps/v1` */
export function rootOf(group: string, version: string): string {
  return group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
}

/** All paths of a kind in one of its versions. */
export function kindPaths(kind: Kind, version: string): Paths {
  const { group, plural, namespaced } = kind;
  const root = rootOf(group, version);
  const inside = namespaced ? `${root}/namespaces/{namespace}` : root;
  const own = targetOf(kind, version);
  const around = namespaced ? [inPath('namespace', kind.kind), PRETTY] : [PRETTY];
  const named = [inPath('name', kind.kind), ...around];
  const one = `${inside}/${plural}/{name}`;
  const all: Action[] = isNamespace(kind) ? ['list', 'post'] : ['list', 'post', 'deletecollection'];
  return {
    ...(namespaced
      ? { [`${root}/${plural}`]: pathItem(['list'], forAllNamespaces(own), [PRETTY]) }
      : {}),
    [`${inside}/${plural}`]: pathItem(all, own, around),
    [one]: pathItem(['get', 'put', 'patch', 'delete'], own, named),
    ...(kind.hasStatus
      ? { [`${one}/status`]: pathItem(['get', 'put', 'patch'], below(own, 'Status'), named) }
      : {}),
    ...(subresourcesOf(kind, version).some(({ name }) => name === 'scale')
      ? { [`${one}/scale`]: pathItem(['get', 'put', 'patch'], scaleOf(own), named) }
      : {}),
  };
}

function isNamespace({ group, kind }: Kind): boolean {
  return group === '' && kind === 'Namespace';
}

function targetOf(kind: Kind, version: string): Target {
  const { group, kind: name, namespaced } = kind;
  const tag = `${group === '' ? 'core' : group.split('.')[0]}_${version}`;
  return {
    type: { group, version, kind: name },
    component: componentName(group, version, name),
    name: `${tag.split('_').map(capital).join('')}${namespaced ? 'Namespaced' : ''}${name}`,
    tag,
    strategic: isBuiltInGroup(group),
  };
}

function forAllNamespaces(own: Target): Target {
  return { ...own, name: `${own.name.replace('Namespaced', '')}ForAllNamespaces` };
}

function below(own: Target, subresource: string): Target {
  return { ...own, name: `${own.name}${subresource}` };
}

function scaleOf(own: Target): Target {
  const type = { group: 'autoscaling', version: 'v1', kind: 'Scale' };
  return { ...below(own, 'Scale'), type, component: SCALE };
}

function pathItem(
  actions: readonly Action[],
  target: Target,
  parameters: readonly unknown[],
): Readonly<Record<string, unknown>> {
  const operations = actions.map((action) => [METHODS[action], operation(action, target)]);
  return { ...Object.fromEntries(operations), parameters };
}

function operation(action: Action, target: Target): Readonly<Record<string, unknown>> {
  const { type, component, name, tag } = target;
  const body = bodyOf(action, target);
  const answer = answerOf(action, component);
  const ok = { description: 'OK', content: jsonAndYaml(answer) };
  return {
    tags: [tag],
    description: SENTENCES[action](type.kind),
    operationId: `${action === 'put' ? 'replace' : action === 'get' ? 'read' : action}${name}`,
    parameters: PARAMETERS[action],
    ...(body === undefined ? {} : { requestBody: body }),
    responses: {
      200: ok,
      ...(action === 'post' || action === 'put' || action === 'patch'
        ? { 201: { ...ok, description: 'Created' } }
        : {}),
    },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': type,
  };
}

function answerOf(action: Action, component: string): OpenApiSchema {
  if (action === 'delete' || action === 'deletecollection') return refTo(STATUS);
  return refTo(action === 'list' ? `${component}List` : component);
}

function jsonAndYaml(schema: OpenApiSchema): Readonly<Record<string, unknown>> {
  return { 'application/json': { schema }, 'application/yaml': { schema } };
}

function bodyOf(
  action: Action,
  { component, strategic }: Target,
): Readonly<Record<string, unknown>> | undefined {
  switch (action) {
    case 'list':
    case 'get':
      return undefined;
    case 'post':
    case 'put':
      return { required: true, content: jsonAndYaml(refTo(component)) };
    case 'patch':
      return { required: true, content: patchContent(strategic) };
    case 'delete':
    case 'deletecollection':
      return { content: jsonAndYaml(refTo(DELETE_OPTIONS)) };
  }
}

function patchContent(strategic: boolean): Readonly<Record<string, unknown>> {
  const types = [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
    ...(strategic ? ['application/strategic-merge-patch+json'] : []),
  ];
  return Object.fromEntries(types.map((type) => [type, { schema: refTo(PATCH) }]));
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}
