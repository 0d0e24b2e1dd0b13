import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { ObjectMeta } from '../meta.ts';
import { formatFieldError } from '../schema/errors.ts';
import { validateMetadata } from './metadata.ts';

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";

const namespaced = { namespaced: true };
const owner = { apiVersion: 'apps/v1', kind: 'ReplicaSet', name: 'web', uid: 'u1' };

interface Row {
  readonly title: string;
  readonly kind?: Parameters<typeof validateMetadata>[0];
  readonly metadata: ObjectMeta;
  readonly old?: ObjectMeta;
  readonly errors: readonly string[];
}

const rows: readonly Row[] = [
  {
    title: 'everything filled in is fine',
    metadata: {
      name: 'web.shop',
      namespace: 'shop',
      labels: { 'app.kubernetes.io/name': 'web', tier: '' },
      annotations: { 'Example.com/Note': 'any text\nat all' },
      ownerReferences: [{ ...owner, controller: true }],
      finalizers: ['example.com/cleanup', 'foregroundDeletion'],
    },
    errors: [],
  },
  {
    title: 'a name or a prefix for one is required',
    metadata: { namespace: 'shop' },
    errors: ['metadata.name: Required value: name or generateName is required'],
  },
  {
    title: 'a prefix may end with a dash',
    metadata: { generateName: 'web-', namespace: 'shop' },
    errors: [],
  },
  {
    title: 'a prefix with upper case never becomes a name',
    metadata: { generateName: 'Web-', namespace: 'shop' },
    errors: [`metadata.generateName: Invalid value: "Web-": ${SUBDOMAIN}`],
  },
  {
    title: 'most names are DNS subdomains',
    metadata: { name: 'Web', namespace: 'shop' },
    errors: [`metadata.name: Invalid value: "Web": ${SUBDOMAIN}`],
  },
  {
    title: 'some names are labels',
    kind: { namespaced: true, nameFormat: 'dns1123Label' },
    metadata: { name: 'web.shop', namespace: 'shop' },
    errors: ['metadata.name: Invalid value: "web.shop": must not contain dots'],
  },
  {
    title: 'some names begin with a letter',
    kind: { namespaced: true, nameFormat: 'dns1035Label' },
    metadata: { name: '1web', namespace: 'shop' },
    errors: [
      "metadata.name: Invalid value: \"1web\": a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  },
  {
    title: 'some names are only parts of a URL',
    kind: { namespaced: true, nameFormat: 'path' },
    metadata: { name: 'Web.17%', namespace: 'shop' },
    errors: ['metadata.name: Invalid value: "Web.17%": may not contain \'%\''],
  },
  {
    title: 'a namespace is required',
    metadata: { name: 'web' },
    errors: ['metadata.namespace: Required value'],
  },
  {
    title: 'a namespace is a label',
    metadata: { name: 'web', namespace: 'Shop' },
    errors: [`metadata.namespace: Invalid value: "Shop": ${LABEL}`],
  },
  {
    title: 'an object of the whole cluster has no namespace',
    kind: { namespaced: false },
    metadata: { name: 'web', namespace: 'shop' },
    errors: ['metadata.namespace: Forbidden: not allowed on this type'],
  },
  {
    title: 'keys and values of labels have their forms',
    metadata: { name: 'web', namespace: 'shop', labels: { 'a b': '-' } },
    errors: [
      "metadata.labels: Invalid value: \"a b\": name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')",
      "metadata.labels: Invalid value: \"-\": a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  },
  {
    title: 'keys of annotations have the form of label keys',
    metadata: { name: 'web', namespace: 'shop', annotations: { '/note': '' } },
    errors: ['metadata.annotations: Invalid value: "/note": prefix part must be non-empty'],
  },
  {
    title: 'all annotations together have a size',
    metadata: { name: 'web', namespace: 'shop', annotations: { a: 'é'.repeat(131_072) } },
    errors: ['metadata.annotations: Too long: may not be more than 262144 bytes'],
  },
  {
    title: 'an owner is named completely',
    metadata: {
      name: 'web',
      namespace: 'shop',
      ownerReferences: [{ apiVersion: '', kind: '', name: '', uid: '' }],
    },
    errors: ['apiVersion', 'kind', 'name', 'uid'].map(
      (field) => `metadata.ownerReferences[0].${field}: Required value: must not be empty`,
    ),
  },
  {
    title: 'an owner has an API version',
    metadata: {
      name: 'web',
      namespace: 'shop',
      ownerReferences: [{ ...owner, apiVersion: 'a/b/c' }],
    },
    errors: [
      'metadata.ownerReferences[0].apiVersion: Invalid value: "a/b/c": must be <group>/<version> or <version>',
    ],
  },
  {
    title: 'only one owner is the controller',
    metadata: {
      name: 'web',
      namespace: 'shop',
      ownerReferences: [
        { ...owner, controller: true },
        { ...owner, uid: 'u2', name: 'other', controller: true },
      ],
    },
    errors: [
      'metadata.ownerReferences: Invalid value: [{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"web","uid":"u1","controller":true},{"apiVersion":"apps/v1","kind":"ReplicaSet","name":"other","uid":"u2","controller":true}]: Only one reference can have Controller set to true. Found "true" in references for ReplicaSet/web and ReplicaSet/other',
    ],
  },
  {
    title: 'dependents are deleted or orphaned, not both',
    metadata: { name: 'web', namespace: 'shop', finalizers: ['foregroundDeletion', 'orphan'] },
    errors: [
      'metadata.finalizers: Invalid value: ["foregroundDeletion","orphan"]: finalizer foregroundDeletion and orphan cannot be both set',
    ],
  },
  {
    title: 'what identifies an object does not change',
    metadata: { name: 'web2', namespace: 'shop', uid: 'u2', generation: 1 },
    old: { name: 'web', namespace: 'shop', uid: 'u1', generation: 2 },
    errors: [
      'metadata.name: Invalid value: "web2": field is immutable',
      'metadata.uid: Invalid value: "u2": field is immutable',
      'metadata.generation: Invalid value: 1: must not be decremented',
    ],
  },
  {
    title: 'what the system filled in need not be repeated',
    metadata: { name: 'web', namespace: 'shop' },
    old: { name: 'web', namespace: 'shop', uid: 'u1', creationTimestamp: '2026-01-01T00:00:00Z' },
    errors: [],
  },
  {
    title: 'nobody can hold up a deletion that is under way',
    metadata: { name: 'web', namespace: 'shop', finalizers: ['example.com/b', 'example.com/a'] },
    old: {
      name: 'web',
      namespace: 'shop',
      deletionTimestamp: '2026-01-01T00:00:00Z',
      finalizers: ['example.com/a'],
    },
    errors: [
      'metadata.finalizers: Forbidden: no new finalizers can be added if the object is being deleted, found new finalizers []string{"example.com/b"}',
    ],
  },
];

describe('metadata', () => {
  for (const { title, kind = namespaced, metadata, old, errors } of rows) {
    it(title, () => {
      const found = validateMetadata(kind, metadata, old).map(formatFieldError);
      // Long values are cut in messages.
      const cut = (text: string): string =>
        text.replace(/(Invalid value: .{200}).*?(: Only)/, '$1…$2');
      assert.deepEqual(found, errors.map(cut));
    });
  }

  it('what is no metadata is left to the schema', () => {
    for (const junk of [undefined, 5, [], { labels: 5 }, { finalizers: 'x' }]) {
      assert.deepEqual(validateMetadata(namespaced, junk as unknown as ObjectMeta), []);
    }
  });
});
