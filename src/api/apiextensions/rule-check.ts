// x-kubernetes-validations of a schema: rules that do not compile, messages that cannot be shown,
// paths that lead nowhere, and rules on former values where there is none to compare with.

import { compileRule } from '../custom/expressions.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import { isRecord } from '../schema/normalize.ts';
import { fieldAt } from './field-path.ts';
import type { JsonSchema, ValidationRule } from './json-schema.ts';

const KEYWORD = 'x-kubernetes-validations';
const REASONS = [
  'FieldValueDuplicate',
  'FieldValueForbidden',
  'FieldValueInvalid',
  'FieldValueRequired',
];

/** Checks all rules below `path`, in a schema that is otherwise right. */
export function checkRules(schema: JsonSchema, path: string, errors: FieldError[]): void {
  walk(schema, { path, isRoot: true, uncorrelatable: undefined }, errors);
}

interface Where {
  readonly path: string;
  readonly isRoot: boolean;
  /** The list or map whose items cannot be told apart between two versions of an object. */
  readonly uncorrelatable: string | undefined;
}

function walk(schema: JsonSchema, where: Where, errors: FieldError[]): void {
  const { path } = where;
  schema[KEYWORD]?.forEach((rule, i) =>
    checkRule(rule, schema, { ...where, path: `${path}.${KEYWORD}[${i}]` }, errors),
  );
  const { properties = {}, items, additionalProperties } = schema;
  const lost = (isLost: boolean) => where.uncorrelatable ?? (isLost ? path : undefined);
  const inMap = lost(schema['x-kubernetes-map-type'] === 'atomic');
  for (const [name, property] of Object.entries(properties)) {
    const at = `${path}.properties[${name}]`;
    walk(property, { path: at, isRoot: false, uncorrelatable: inMap }, errors);
  }
  if (isRecord(additionalProperties)) {
    const at = `${path}.additionalProperties`;
    walk(
      additionalProperties,
      { path: at, isRoot: false, uncorrelatable: where.uncorrelatable },
      errors,
    );
  }
  if (items !== undefined) {
    const inList = lost(schema['x-kubernetes-list-type'] !== 'map');
    walk(items, { path: `${path}.items`, isRoot: false, uncorrelatable: inList }, errors);
  }
}

const hasLineBreak = (text: string) => /[\n\r]/.test(text);

function checkRule(
  rule: ValidationRule,
  schema: JsonSchema,
  where: Where,
  errors: FieldError[],
): void {
  const before = errors.length;
  checkTexts(rule, where.path, errors);
  checkFieldPath(rule, schema, where.path, errors);
  if (errors.length === before) checkExpressions(rule, schema, where, errors);
}

function checkTexts(rule: ValidationRule, path: string, errors: FieldError[]): void {
  const { message = '', messageExpression, reason } = rule;
  const text = rule.rule.trim();
  const shown = message.trim();
  if (text === '') errors.push(fieldError.required(`${path}.rule`, 'rule is not specified'));
  else if (message !== '' && shown === '') {
    errors.push(fieldError.invalid(`${path}.message`, message, 'must be non-empty if specified'));
  } else if (hasLineBreak(shown)) {
    errors.push(fieldError.invalid(`${path}.message`, message, 'must not contain line breaks'));
  } else if (hasLineBreak(text) && shown === '') {
    const detail = 'message must be specified if rule contains line breaks';
    errors.push(fieldError.required(`${path}.message`, detail));
  }
  if (
    messageExpression !== undefined &&
    messageExpression !== '' &&
    messageExpression.trim() === ''
  ) {
    const detail = 'messageExpression must be non-empty if specified';
    errors.push(fieldError.required(`${path}.messageExpression`, detail));
  }
  if (reason !== undefined && !REASONS.includes(reason)) {
    errors.push(fieldError.unsupported(`${path}.reason`, reason, REASONS));
  }
}

function checkFieldPath(
  { fieldPath }: ValidationRule,
  schema: JsonSchema,
  path: string,
  errors: FieldError[],
): void {
  if (fieldPath === undefined || fieldPath === '') return;
  const at = `${path}.fieldPath`;
  const invalid = (detail: string) => errors.push(fieldError.invalid(at, fieldPath, detail));
  if (fieldPath.trim() === '') invalid('must be non-empty if specified');
  if (hasLineBreak(fieldPath)) invalid('must not contain line breaks');
  if ('error' in fieldAt(schema, fieldPath)) invalid('must be a valid path');
}

function checkExpressions(
  rule: ValidationRule,
  schema: JsonSchema,
  { path, isRoot, uncorrelatable }: Where,
  errors: FieldError[],
): void {
  const result = compileRule(rule, schema, isRoot);
  if ('errors' in result) {
    for (const [keyword, detail] of Object.entries(result.errors)) {
      errors.push(fieldError.invalid(`${path}.${keyword}`, rule, String(detail)));
    }
    return;
  }
  const { usesOldSelf } = result.compiled.expression;
  if (usesOldSelf && uncorrelatable !== undefined) {
    const detail = `oldSelf cannot be used on the uncorrelatable portion of the schema within ${uncorrelatable}`;
    errors.push(fieldError.invalid(`${path}.rule`, rule.rule, detail));
  } else if (!usesOldSelf && rule.optionalOldSelf !== undefined) {
    const detail = 'may not be set if oldSelf is not used in rule';
    errors.push(fieldError.invalid(`${path}.optionalOldSelf`, rule.optionalOldSelf, detail));
  }
}
