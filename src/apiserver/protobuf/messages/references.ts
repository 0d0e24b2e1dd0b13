// References, selectors and what else many messages of the core group are made with. The notation is explained in notation.ts.

import type { Package } from '../notation.ts';

export const referencesMessages: Package = {
  LocalObjectReference: '1 name string?',
  NodeSelector: '1 nodeSelectorTerms []NodeSelectorTerm',
  NodeSelectorRequirement: '1 key string, 2 operator string, 3 values []string?',
  NodeSelectorTerm: `
    1 matchExpressions []NodeSelectorRequirement?, 2 matchFields []NodeSelectorRequirement?`,
  ObjectFieldSelector: '1 apiVersion string?, 2 fieldPath string',
  ObjectReference: `
    1 kind string?, 2 namespace string?, 3 name string?, 4 uid string?, 5 apiVersion string?,
    6 resourceVersion string?, 7 fieldPath string?`,
  ResourceFieldSelector: '1 containerName string?, 2 resource string, 3 divisor Quantity',
  TypedLocalObjectReference: '1 apiGroup string*, 2 kind string, 3 name string',
  TypedObjectReference: '1 apiGroup string*, 2 kind string, 3 name string, 4 namespace string*?',
};
