// What is wrong with a CustomResourceDefinition as a whole: names, versions, conversion, subresources,
// columns. In the words of k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/validation.

import { dns1035Label, dns1123Subdomain } from '../core/names.ts';
import { parseJsonPath } from '../custom/json-path.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import type { CustomResourceDefinition, CustomVersion, PrinterColumn } from './crd.ts';
import { fieldAt } from './field-path.ts';
import { checkVersionSchema } from './schema-check.ts';

type Spec = CustomResourceDefinition['spec'];
type Names = Spec['names'];

export function checkDefinition(
  crd: CustomResourceDefinition,
  _path: string,
  old: CustomResourceDefinition | undefined,
): readonly FieldError[] {
  const { metadata, spec, status } = crd;
  const errors: FieldError[] = [];
  const name = `${spec.names.plural}.${spec.group}`;
  if (metadata.name !== undefined && metadata.name !== name) {
    const detail = 'must be spec.names.plural+"."+spec.group';
    errors.push(fieldError.invalid('metadata.name', metadata.name, detail));
  }
  checkSpec(spec, errors);
  if (old !== undefined) checkUpdate(spec, old, errors);
  if (status?.storedVersions !== undefined) checkStored(status.storedVersions, spec, errors);
  checkApproval(crd, errors);
  return errors;
}

function checkSpec(spec: Spec, errors: FieldError[]): void {
  const { group, scope, names, versions } = spec;
  if (group === '') errors.push(fieldError.required('spec.group'));
  else if (dns1123Subdomain(group).length > 0) {
    errors.push(fieldError.invalid('spec.group', group, dns1123Subdomain(group).join(',')));
  } else if (!group.includes('.')) {
    const detail = 'should be a domain with at least one dot';
    errors.push(fieldError.invalid('spec.group', group, detail));
  }
  if (scope === '') errors.push(fieldError.required('spec.scope'));
  else if (scope !== 'Cluster' && scope !== 'Namespaced') {
    errors.push(fieldError.unsupported('spec.scope', scope, ['Cluster', 'Namespaced']));
  }
  if (spec.preserveUnknownFields === true) {
    const detail =
      'cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead';
    errors.push(fieldError.invalid('spec.preserveUnknownFields', true, detail));
  }
  versions.forEach((version, i) => checkVersion(version, `spec.versions[${i}]`, errors));
  const versionNames = versions.map((version) => version.name);
  if (new Set(versionNames).size < versionNames.length) {
    const detail = 'must contain unique version names';
    errors.push(fieldError.invalid('spec.versions', versionNames, detail));
  }
  if (versions.filter(({ storage }) => storage).length !== 1) {
    const detail = 'must have exactly one version marked as storage version';
    errors.push(fieldError.invalid('spec.versions', versionNames, detail));
  }
  checkNames(names, errors);
  checkConversion(spec, errors);
}

function checkNames(names: Names, errors: FieldError[]): void {
  const path = 'spec.names';
  const { plural, singular = '', kind, listKind = '', shortNames = [], categories = [] } = names;
  for (const [field, value] of Object.entries({ plural, singular, kind, listKind })) {
    if (value === '') errors.push(fieldError.required(`${path}.${field}`));
  }
  const label = (field: string, value: string, prefix = '') => {
    const details = value === '' ? [] : dns1035Label(prefix === '' ? value : value.toLowerCase());
    if (details.length === 0) return;
    errors.push(fieldError.invalid(`${path}.${field}`, value, `${prefix}${details.join(',')}`));
  };
  const mixed = 'may have mixed case, but should otherwise match: ';
  label('plural', plural);
  label('singular', singular);
  label('kind', kind, mixed);
  label('listKind', listKind, mixed);
  shortNames.forEach((value, i) => label(`shortNames[${i}]`, value));
  if (kind !== '' && kind === listKind) {
    const detail = 'kind and listKind may not be the same';
    errors.push(fieldError.invalid(`${path}.listKind`, listKind, detail));
  }
  categories.forEach((value, i) => label(`categories[${i}]`, value));
}

/** Longest warning of a deprecated version, in characters. */
const WARNING_CHARS_MAX = 256;

function checkVersion(version: CustomVersion, path: string, errors: FieldError[]): void {
  const { name, schema, subresources, additionalPrinterColumns = [] } = version;
  const details = dns1035Label(name);
  if (details.length > 0) errors.push(fieldError.invalid(`${path}.name`, name, details.join(',')));
  for (const detail of warningErrors(version)) {
    errors.push(
      fieldError.invalid(`${path}.deprecationWarning`, version.deprecationWarning, detail),
    );
  }
  if (schema?.openAPIV3Schema === undefined) {
    errors.push(fieldError.required(`${path}.schema.openAPIV3Schema`));
  } else {
    const at = `${path}.schema.openAPIV3Schema`;
    const hasStatus = subresources?.status !== undefined;
    errors.push(...checkVersionSchema(schema.openAPIV3Schema, at, hasStatus));
  }
  if (subresources?.scale !== undefined) {
    checkScale(subresources.scale, `${path}.subresources.scale`, errors);
  }
  additionalPrinterColumns.forEach((column, i) =>
    checkColumn(column, `${path}.additionalPrinterColumns[${i}]`, errors),
  );
  checkSelectable(version, `${path}.selectableFields`, errors);
}

const isPrintable = (char: string) => char === ' ' || /^[\p{L}\p{M}\p{N}\p{P}\p{S}]$/u.test(char);

function warningErrors({ deprecated, deprecationWarning }: CustomVersion): readonly string[] {
  if (deprecationWarning === undefined) return [];
  if (deprecated !== true) return ['can only be set for deprecated versions'];
  const errors: string[] = [];
  if (deprecationWarning.length > WARNING_CHARS_MAX) errors.push('must be <= 256 characters long');
  if (deprecationWarning === '') errors.push('must not be an empty string');
  const bad = Array.from(deprecationWarning).findIndex((char) => !isPrintable(char));
  if (bad !== -1) {
    errors.push(
      `must only contain printable UTF-8 characters; non-printable character found at index ${bad}`,
    );
  }
  return errors;
}

type Scale = NonNullable<NonNullable<CustomVersion['subresources']>['scale']>;

function checkScale(scale: Scale, path: string, errors: FieldError[]): void {
  const { specReplicasPath, statusReplicasPath, labelSelectorPath = '' } = scale;
  checkScalePath(specReplicasPath, `${path}.specReplicasPath`, ['.spec.'], errors);
  checkScalePath(statusReplicasPath, `${path}.statusReplicasPath`, ['.status.'], errors);
  if (labelSelectorPath !== '') {
    const roots = ['.spec.', '.status.'];
    checkScalePath(labelSelectorPath, `${path}.labelSelectorPath`, roots, errors);
  }
}

function checkScalePath(
  value: string,
  path: string,
  roots: readonly string[],
  errors: FieldError[],
): void {
  if (value === '') errors.push(fieldError.required(path));
  else if (!value.startsWith('.')) {
    const detail = 'must be a simple json path starting with .';
    errors.push(fieldError.invalid(path, value, detail));
  } else if (!roots.some((root) => value.startsWith(root))) {
    const [first = '', second] = roots.map((root) => root.slice(0, -1));
    const where = second === undefined ? first : `either ${first} or ${second}`;
    errors.push(fieldError.invalid(path, value, `should be a json path under ${where}`));
  }
}

const COLUMN_TYPES = ['boolean', 'date', 'integer', 'number', 'string'];
const COLUMN_FORMATS = [
  'byte',
  'date',
  'date-time',
  'double',
  'float',
  'int32',
  'int64',
  'password',
];

function checkColumn(column: PrinterColumn, path: string, errors: FieldError[]): void {
  const { name, type, format = '', jsonPath } = column;
  if (name === '') errors.push(fieldError.required(`${path}.name`));
  const oneOfTypes = `must be one of ${COLUMN_TYPES.join(',')}`;
  if (type === '') errors.push(fieldError.required(`${path}.type`, oneOfTypes));
  else if (!COLUMN_TYPES.includes(type)) {
    errors.push(fieldError.invalid(`${path}.type`, type, oneOfTypes));
  }
  if (format !== '' && !COLUMN_FORMATS.includes(format)) {
    const detail = `must be one of ${COLUMN_FORMATS.join(',')}`;
    errors.push(fieldError.invalid(`${path}.format`, format, detail));
  }
  const at = `${path}.jsonPath`;
  if (jsonPath === '') errors.push(fieldError.required(at));
  else if (!jsonPath.startsWith('.')) {
    const detail = 'must be a simple json path starting with .';
    errors.push(fieldError.invalid(at, jsonPath, detail));
  } else {
    const parsed = parseJsonPath(jsonPath);
    if ('error' in parsed) errors.push(fieldError.invalid(at, jsonPath, parsed.error));
  }
}

/** Fields a version may offer to field selectors. */
const SELECTABLE_MAX = 8;

function checkSelectable(version: CustomVersion, path: string, errors: FieldError[]): void {
  const { selectableFields = [], schema } = version;
  const seen = new Set<string>();
  selectableFields.forEach(({ jsonPath }, i) => {
    const at = `${path}[${i}].jsonPath`;
    if (jsonPath === '') {
      errors.push(fieldError.required(at));
      return;
    }
    const found = fieldAt(schema?.openAPIV3Schema ?? {}, jsonPath, false);
    if ('error' in found) {
      errors.push(fieldError.invalid(at, jsonPath, `is an invalid path: ${found.error}`));
      return;
    }
    if (jsonPath.startsWith('.metadata')) {
      errors.push(fieldError.invalid(at, jsonPath, 'must not point to fields in metadata'));
    }
    if (!['string', 'boolean', 'integer'].includes(found.schema.type ?? '')) {
      const detail =
        'must point to a field of type string, boolean or integer. Enum string fields and strings with formats are allowed.';
      errors.push(fieldError.invalid(at, jsonPath, detail));
    }
    if (seen.has(jsonPath)) errors.push(fieldError.duplicate(at, jsonPath));
    seen.add(jsonPath);
  });
  if (seen.size > SELECTABLE_MAX) errors.push(fieldError.tooMany(path, seen.size, SELECTABLE_MAX));
}

function checkConversion({ conversion }: Spec, errors: FieldError[]): void {
  if (conversion === undefined) return;
  const { strategy, webhook } = conversion;
  const path = 'spec.conversion';
  if (strategy === '') errors.push(fieldError.required(`${path}.strategy`));
  else if (strategy === 'Webhook') {
    // Kubernetes would take it; nobody here would call the webhook, and objects would come out wrong.
    const detail = 'conversion by webhook is not supported by this server; use None';
    errors.push(fieldError.forbidden(`${path}.strategy`, detail));
  } else if (strategy !== 'None') {
    errors.push(fieldError.unsupported(`${path}.strategy`, strategy, ['None', 'Webhook']));
  } else if (webhook !== undefined) {
    const detail = 'should not be set when strategy is not set to Webhook';
    errors.push(fieldError.forbidden(`${path}.webhook`, detail));
  }
}

function checkUpdate(spec: Spec, old: CustomResourceDefinition, errors: FieldError[]): void {
  const immutable = (field: string, value: string, before: string) => {
    if (value !== before) {
      errors.push(fieldError.invalid(`spec.${field}`, value, 'field is immutable'));
    }
  };
  const established = old.status?.conditions?.some(
    ({ type, status }) => type === 'Established' && status === 'True',
  );
  if (established === true) {
    immutable('scope', spec.scope, old.spec.scope);
    immutable('names.kind', spec.names.kind, old.spec.names.kind);
  }
  immutable('group', spec.group, old.spec.group);
  immutable('names.plural', spec.names.plural, old.spec.names.plural);
}

/** Objects may still be stored in any version that ever was the storage version. */
function checkStored(stored: readonly string[], { versions }: Spec, errors: FieldError[]): void {
  const path = 'status.storedVersions';
  if (stored.length === 0) {
    errors.push(fieldError.invalid(path, stored, 'must have at least one stored version'));
    return;
  }
  for (const { name, storage } of versions) {
    if (storage && !stored.includes(name)) {
      errors.push(fieldError.invalid(path, stored, `must have the storage version ${name}`));
    }
  }
  stored.forEach((name, i) => {
    if (versions.some((version) => version.name === name)) return;
    const detail = `missing from spec.versions; ${name} was previously a storage version, and must remain in spec.versions until a storage migration ensures no data remains persisted in ${name} and removes ${name} from status.storedVersions`;
    errors.push(fieldError.invalid(`${path}[${i}]`, name, detail));
  });
}

const APPROVAL = 'api-approved.kubernetes.io';

/** Groups of the Kubernetes project are for what the project has reviewed. */
function checkApproval({ metadata, spec }: CustomResourceDefinition, errors: FieldError[]): void {
  if (!/(?:^|\.)(?:k8s|kubernetes)\.io$/.test(spec.group)) return;
  const path = `metadata.annotations[${APPROVAL}]`;
  const approval = metadata.annotations?.[APPROVAL];
  const link = 'see https://github.com/kubernetes/enhancements/pull/1111';
  if (approval === undefined || approval === '') {
    const detail = `protected groups must have approval annotation "${APPROVAL}", ${link}`;
    errors.push(fieldError.required(path, detail));
  } else if (!approval.startsWith('unapproved') && !/^https?:\/\/./.test(approval)) {
    const detail = `protected groups must have approval annotation "${APPROVAL}" with either a URL or a reason starting with "unapproved", ${link}`;
    errors.push(fieldError.invalid(path, approval, detail));
  }
}
