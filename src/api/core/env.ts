// Environment variables of containers, and the sources they take values from.

import { def, described, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { flag, quantity, requiredText, text } from './fields.ts';

export const ObjectFieldSelector = object(
  {
    apiVersion: def(text('API version the path is written for.'), 'v1'),
    fieldPath: requiredText('Path of the field in the pod, as status.podIP.'),
  },
  { atomic: true },
);

export const ResourceFieldSelector = object(
  {
    containerName: opt(text('The container; required in volumes, its own in env.')),
    resource: requiredText('The resource, as limits.cpu.'),
    divisor: def(quantity('Unit of the value; 1 when 0.'), '0'),
  },
  { atomic: true },
);

const ConfigMapKeySelector = object(
  {
    name: def(text('Name of the ConfigMap.'), ''),
    key: requiredText('The key whose value is taken.'),
    optional: opt(flag('The pod starts even when the ConfigMap or the key is missing.')),
  },
  { atomic: true },
);

const SecretKeySelector = object(
  {
    name: def(text('Name of the Secret.'), ''),
    key: requiredText('The key whose value is taken.'),
    optional: opt(flag('The pod starts even when the Secret or the key is missing.')),
  },
  { atomic: true },
);

const FileKeySelector = object(
  {
    volumeName: requiredText('The volume with the file of variables.'),
    path: requiredText('Path of the file in the volume.'),
    key: requiredText('Name of the variable in the file.'),
    optional: def(flag('The container starts even when the file or the key is missing.'), false),
  },
  { atomic: true },
);

const EnvVarSource = object({
  fieldRef: opt(described(ObjectFieldSelector, 'A field of the pod itself.')),
  resourceFieldRef: opt(described(ResourceFieldSelector, 'A limit or request of the container.')),
  configMapKeyRef: opt(described(ConfigMapKeySelector, 'A key of a ConfigMap.')),
  secretKeyRef: opt(described(SecretKeySelector, 'A key of a Secret.')),
  fileKeyRef: opt(described(FileKeySelector, 'A variable in a file of a volume.')),
});

export const EnvVar = object({
  name: requiredText('Name of the variable.'),
  value: opt(text('Its value; $(NAME) stands for a variable defined before.')),
  valueFrom: opt(described(EnvVarSource, 'Where the value comes from, instead of value.')),
});
export type EnvVar = Infer<typeof EnvVar>;

const ConfigMapEnvSource = object({
  name: def(text('Name of the ConfigMap.'), ''),
  optional: opt(flag('The pod starts even when the ConfigMap is missing.')),
});

const SecretEnvSource = object({
  name: def(text('Name of the Secret.'), ''),
  optional: opt(flag('The pod starts even when the Secret is missing.')),
});

export const EnvFromSource = object({
  prefix: opt(text('Put before the name of every variable.')),
  configMapRef: opt(described(ConfigMapEnvSource, 'Every key of a ConfigMap.')),
  secretRef: opt(described(SecretEnvSource, 'Every key of a Secret.')),
});
export type EnvFromSource = Infer<typeof EnvFromSource>;
