// The x-kubernetes-validations of one node of a CRD's schema → a check of a value and its former self.
// What a rule may cost is bounded (cel/meter.ts); a rule that takes too much is an error of the object.

import type { CelInput } from '@bufbuild/cel';
import { compileExpression } from '../cel/compile.ts';
import type { Expression } from '../cel/compile.ts';
import { MESSAGE_BYTES_MAX, meter } from '../cel/meter.ts';
import { NONE, wrap } from '../cel/opaque.ts';
import { toCelValue } from '../cel/values.ts';
import type { JsonSchema, ValidationRule } from '../apiextensions/json-schema.ts';
import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';
import type { Check } from '../schema/schema.ts';

export interface CompiledRule {
  readonly rule: ValidationRule;
  readonly expression: Expression;
  readonly message: Expression | undefined;
}

/** What is wrong with the texts of a rule, by the keyword that holds them. */
export interface RuleErrors {
  readonly rule?: string;
  readonly messageExpression?: string;
}

export function compileRule(
  rule: ValidationRule,
  schema: JsonSchema,
  isRoot: boolean,
): { readonly compiled: CompiledRule } | { readonly errors: RuleErrors } {
  const options = { schema, isRoot, optionalOldSelf: rule.optionalOldSelf === true };
  const main = compileExpression(rule.rule.trim(), { ...options, result: 'bool' });
  const text = rule.messageExpression?.trim() ?? '';
  const message =
    text === '' ? undefined : compileExpression(text, { ...options, result: 'string' });
  const messageFailed = message !== undefined && 'error' in message;
  if ('error' in main || messageFailed) {
    return {
      errors: {
        ...('error' in main ? { rule: main.error } : {}),
        ...(messageFailed ? { messageExpression: message.error } : {}),
      },
    };
  }
  return { compiled: { rule, expression: main.expression, message: message?.expression } };
}

/** The check of all rules of a node; undefined when it has none. Rules are compiled at first use. */
export function expressionsOf(schema: JsonSchema, isRoot: boolean): Check | undefined {
  const rules = schema['x-kubernetes-validations'] ?? [];
  if (rules.length === 0) return isRoot && hasRules(schema) ? startOnly : undefined;
  let compiled: readonly CompiledRule[] | undefined;
  return (self: unknown, path, old: unknown) => {
    if (isRoot) meter.startObject();
    // A rule that does not compile was refused with its CRD.
    compiled ??= rules.flatMap((rule) => {
      const result = compileRule(rule, schema, isRoot);
      return 'compiled' in result ? [result.compiled] : [];
    });
    return checkRules(compiled, { schema, isRoot, self, old, path });
  };
}

/** True when the schema or one below it has rules. */
function hasRules(schema: JsonSchema): boolean {
  const { properties = {}, items, additionalProperties } = schema;
  const below = [...Object.values(properties), items, additionalProperties];
  return (
    (schema['x-kubernetes-validations'] ?? []).length > 0 ||
    below.some((each) => typeof each === 'object' && hasRules(each))
  );
}

/** The root comes first of all nodes: from there on the rules of this object are counted. */
const startOnly: Check = () => {
  meter.startObject();
  return [];
};

interface Subject {
  readonly schema: JsonSchema;
  readonly isRoot: boolean;
  readonly self: unknown;
  readonly old: unknown;
  readonly path: string;
}

function checkRules(rules: readonly CompiledRule[], subject: Subject): readonly FieldError[] {
  const { schema, isRoot } = subject;
  if (meter.objectIsEmpty) return outOfBudget(subject);
  const self = toCelValue(schema, subject.self, isRoot);
  const hasOld = subject.old !== undefined && subject.old !== null;
  const oldSelf = hasOld ? toCelValue(schema, subject.old, isRoot) : null;
  const errors: FieldError[] = [];
  for (const compiled of rules) {
    const optional = compiled.rule.optionalOldSelf === true;
    if (compiled.expression.usesOldSelf && !hasOld && !optional) continue;
    const old = optional ? (hasOld ? wrap('optional', oldSelf) : NONE) : oldSelf;
    const error = evaluate(compiled, { self, oldSelf: old }, subject);
    if (error !== undefined) errors.push(error);
    if (meter.objectIsEmpty) return [...errors, ...outOfBudget(subject)];
  }
  return errors;
}

/** Said once of an object: the rules that follow are not evaluated, and the object is refused. */
function outOfBudget({ schema, path }: Subject): readonly FieldError[] {
  if (!meter.sayEmpty()) return [];
  const detail =
    'validation failed due to running out of cost budget, no further validation rules will be run';
  return [fieldError.invalid(path, typeName(schema), detail)];
}

function typeName({ type, ...schema }: JsonSchema): string {
  if (schema['x-kubernetes-int-or-string'] === true) return '';
  return type ?? '';
}

function evaluate(
  { rule, expression, message }: CompiledRule,
  variables: { readonly self: CelInput; readonly oldSelf: CelInput },
  { schema, path }: Subject,
): FieldError | undefined {
  const outcome = expression.evaluate(variables);
  const type = typeName(schema);
  if ('value' in outcome && outcome.value === true) return undefined;
  if ('error' in outcome) {
    const detail = outcome.overLimit
      ? `'${outcome.error}': no further validation rules will be run due to call cost exceeds limit for rule: ${nameOf(rule)}`
      : `${outcome.error} evaluating rule: ${nameOf(rule)}`;
    return fieldError.invalid(path, type, detail);
  }
  const at = rule.fieldPath === undefined ? path : fieldPath(path, rule.fieldPath.trim());
  const detail = computedMessage(message, variables) ?? messageOf(rule);
  return errorFor(rule.reason, at, type, detail);
}

/** What messageExpression says; undefined when it fails, is empty, too long or of several lines. */
function computedMessage(
  message: Expression | undefined,
  variables: { readonly self: CelInput; readonly oldSelf: CelInput },
): string | undefined {
  if (message === undefined) return undefined;
  const outcome = message.evaluate(variables);
  if ('error' in outcome || typeof outcome.value !== 'string') return undefined;
  const text = outcome.value.trim();
  const usable =
    text !== '' && !text.includes('\n') && Buffer.byteLength(text) <= MESSAGE_BYTES_MAX;
  return usable ? text : undefined;
}

function messageOf({ rule, message = '' }: ValidationRule): string {
  return message === '' ? `failed rule: ${rule.trim()}` : message.trim();
}

function nameOf({ rule, message = '' }: ValidationRule): string {
  return message === '' ? rule.trim() : message.trim();
}

function fieldPath(path: string, below: string): string {
  // `.spec.ports['http']` → spec.ports[http]: quotes are part of the spelling only.
  const text = below.replaceAll(/\['((?:[^'\\]|\\.)*)'\]/g, '[$1]');
  return path === '' ? text.replace(/^\./, '') : `${path}${text}`;
}

function errorFor(
  reason: string | undefined,
  path: string,
  type: string,
  detail: string,
): FieldError {
  switch (reason) {
    case 'FieldValueForbidden':
      return fieldError.forbidden(path, detail);
    case 'FieldValueRequired':
      return fieldError.required(path, detail);
    case 'FieldValueDuplicate':
      return fieldError.duplicate(path, type);
    default:
      return fieldError.invalid(path, type, detail);
  }
}
