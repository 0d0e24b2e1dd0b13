// The text of a CEL expression → something to evaluate, or what is wrong with the text. Every loop
// gets a call that takes from the meter (meter.ts), so that no expression runs for long.

import { isCelError, parse, plan } from '@bufbuild/cel';
import type { CelInput, CelValue } from '@bufbuild/cel';
import type { JsonSchema } from '../apiextensions/json-schema.ts';
import { checkExpression } from './check.ts';
import type { Expr, Parsed } from './check.ts';
import { environment, TURN_FUNCTION } from './environment.ts';
import { EXPRESSION_CHARS_MAX, EXPRESSION_DEPTH_MAX, LIMIT_EXCEEDED, meter } from './meter.ts';
import { knownOf, nameOf, withMeta } from './types.ts';
import type { Known } from './types.ts';

export type Evaluated =
  | { readonly value: CelValue }
  | { readonly error: string; readonly overLimit: boolean };

export interface Expression {
  readonly usesOldSelf: boolean;
  /** Evaluates within what the meter has left for the object. */
  evaluate(variables: { readonly self: CelInput; readonly oldSelf?: CelInput }): Evaluated;
}

export interface CompileOptions {
  /** The schema of `self`. */
  readonly schema: JsonSchema;
  /** The schema is that of a whole object, whose name can be seen. */
  readonly isRoot: boolean;
  /** `oldSelf` may be missing, and is a value of its own kind. */
  readonly optionalOldSelf: boolean;
  readonly result: 'bool' | 'string';
}

export type Compiled = { readonly expression: Expression } | { readonly error: string };

export function compileExpression(text: string, options: CompileOptions): Compiled {
  const tooMuch = limitError(text);
  if (tooMuch !== undefined) return { error: `compilation failed: ${tooMuch}` };
  let parsed: Parsed;
  try {
    parsed = parse(text);
  } catch (error) {
    return { error: `compilation failed: ERROR: ${syntaxError(error, text)}` };
  }
  const { expr } = parsed;
  if (expr === undefined) return { error: 'compilation failed: the expression is empty' };
  try {
    return compileParsed(text, parsed, expr, options);
  } catch (error) {
    // The planner refuses what the parser let pass; a stack that is too small looks the same.
    return { error: `compilation failed: ${messageOf(error)}` };
  }
}

function compileParsed(
  text: string,
  parsed: Parsed,
  expr: Expr,
  { schema, isRoot, optionalOldSelf, result: wanted }: CompileOptions,
): Compiled {
  const self = knownOf(isRoot ? withMeta(schema) : schema);
  const scope = new Map<string, Known>([
    ['self', self],
    ['oldSelf', optionalOldSelf ? undefined : self],
  ]);
  const { failure, result, usesOldSelf, loops } = checkExpression(expr, scope);
  if (failure !== undefined) {
    const offset = parsed.sourceInfo?.positions[String(failure.id)] ?? 0;
    return { error: `compilation failed: ERROR: ${pointAt(text, offset, failure.message)}` };
  }
  if (result !== undefined && nameOf(result) !== wanted) {
    const verb =
      wanted === 'bool'
        ? 'cel expression must evaluate to a bool'
        : 'messageExpression must evaluate to a string';
    return { error: verb };
  }
  for (const loop of loops) {
    const condition = loop.loopCondition;
    if (condition !== undefined) loop.loopCondition = meteredCondition(condition);
  }
  const program = plan(environment, parsed);
  return {
    expression: {
      usesOldSelf,
      evaluate: (variables) => run(() => program(variables as Record<string, CelInput>)),
    },
  };
}

/** `condition` → `turn() ? condition : false`, which is an error when the meter is empty. */
function meteredCondition(condition: Expr): Expr {
  const wrapped = parse(`${TURN_FUNCTION}() ? true : false`).expr;
  if (wrapped?.exprKind.case === 'callExpr') wrapped.exprKind.value.args[1] = condition;
  return wrapped ?? condition;
}

function run(program: () => CelValue | Error): Evaluated {
  meter.startRule();
  let outcome: CelValue | Error;
  try {
    outcome = program() as CelValue | Error;
  } catch (error) {
    outcome = error instanceof Error ? error : new Error(String(error));
  }
  if (!meter.endRule()) return { error: LIMIT_EXCEEDED, overLimit: true };
  if (isCelError(outcome) || outcome instanceof Error) {
    return { error: inKubernetesWords(messageOf(outcome)), overLimit: false };
  }
  return { value: outcome };
}

function inKubernetesWords(message: string): string {
  return message
    .replace(/^field not found: /, 'no such key: ')
    .replace(/^found no matching overload for '(.*)' applied to .*$/s, 'no such overload: $1');
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** What would be too much for a recursive parser. */
function limitError(text: string): string | undefined {
  if (text.length > EXPRESSION_CHARS_MAX) {
    return `an expression may have at most ${EXPRESSION_CHARS_MAX} characters`;
  }
  let depth = 0;
  let deepest = 0;
  // Brackets in texts count as well: nobody writes that many.
  for (const char of text) {
    if ('([{'.includes(char)) deepest = Math.max(deepest, ++depth);
    else if (')]}'.includes(char)) depth = Math.max(0, depth - 1);
  }
  return deepest > EXPRESSION_DEPTH_MAX
    ? `an expression may have at most ${EXPRESSION_DEPTH_MAX} brackets within brackets`
    : undefined;
}

function syntaxError(error: unknown, text: string): string {
  const { location, rawMessage } = error as {
    location?: { start?: { offset?: number } };
    rawMessage?: string;
  };
  return pointAt(
    text,
    location?.start?.offset ?? 0,
    `Syntax error: ${rawMessage ?? messageOf(error)}`,
  );
}

/** `<input>:1:6: message`, the line, and a mark below the place. */
function pointAt(text: string, offset: number, message: string): string {
  const before = text.slice(0, offset).split('\n');
  const column = before.at(-1)?.length ?? 0;
  const line = text.split('\n')[before.length - 1] ?? '';
  return `<input>:${before.length}:${column + 1}: ${message}\n | ${line}\n | ${'.'.repeat(column)}^`;
}
