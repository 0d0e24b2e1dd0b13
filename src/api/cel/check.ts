// A parsed expression → the first thing wrong with it: names nobody declared, fields the schema does
// not have, comparisons of text with numbers. In the words of CEL's own checker.

import type { parse } from '@bufbuild/cel';
import { FUNCTION_NAMES } from './environment.ts';
import { EXPRESSION_NODES_MAX } from './meter.ts';
import { comparable, elementOf, fieldOf, itemOf, nameOf, scalar } from './types.ts';
import type { Known } from './types.ts';

export type Parsed = ReturnType<typeof parse>;
export type Expr = NonNullable<Parsed['expr']>;

export interface CheckFailure {
  readonly message: string;
  /** The node to point at. */
  readonly id: bigint;
}

/** What names stand for; the value is undefined where nothing is known of the type. */
type Scope = ReadonlyMap<string, Known>;

class CheckError extends Error {
  readonly id: bigint;

  constructor(message: string, id: bigint) {
    super(message);
    this.id = id;
  }
}

/** Names that stand for types. */
const TYPE_NAMES = new Set(
  'int uint double bool string bytes list map null_type type dyn'.split(' '),
);

interface Checked {
  readonly failure?: CheckFailure;
  readonly result: Known;
  readonly usesOldSelf: boolean;
  /** Every loop, for the meter to be put in. */
  readonly loops: readonly Comprehension[];
}

type Comprehension = Extract<Expr['exprKind'], { case: 'comprehensionExpr' }>['value'];

class Checker {
  usesOldSelf = false;
  readonly loops: Comprehension[] = [];
  #nodes = 0;

  infer(expr: Expr | undefined, scope: Scope): Known {
    if (expr === undefined) return undefined;
    if (++this.#nodes > EXPRESSION_NODES_MAX) {
      throw new CheckError(`an expression may have at most ${EXPRESSION_NODES_MAX} parts`, expr.id);
    }
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'constExpr':
        return constantType(exprKind.value.constantKind.case);
      case 'identExpr':
        return this.#ident(exprKind.value.name, expr.id, scope);
      case 'selectExpr':
        return this.#select(expr, scope);
      case 'callExpr':
        return this.#call(expr, exprKind.value, scope);
      case 'listExpr':
        for (const element of exprKind.value.elements) this.infer(element, scope);
        return undefined;
      case 'structExpr':
        this.#struct(expr, exprKind.value, scope);
        return undefined;
      case 'comprehensionExpr':
        return this.#loop(exprKind.value, scope);
      case undefined:
        throw new CheckError('invalid expression', expr.id);
    }
  }

  #ident(name: string, id: bigint, scope: Scope): Known {
    if (name === 'oldSelf') this.usesOldSelf = true;
    if (scope.has(name)) return scope.get(name);
    if (TYPE_NAMES.has(name)) return undefined;
    throw new CheckError(`undeclared reference to '${name}' (in container '')`, id);
  }

  #select(expr: Expr, scope: Scope): Known {
    if (expr.exprKind.case !== 'selectExpr') return undefined;
    const { operand, field, testOnly } = expr.exprKind.value;
    const name = qualifiedName(expr, scope);
    if (name?.startsWith('google.protobuf.') === true) return undefined;
    const found = fieldOf(this.infer(operand, scope), field);
    if (found === 'missing') throw new CheckError(`undefined field '${field}'`, expr.id);
    return testOnly ? scalar('bool') : found;
  }

  #struct(
    expr: Expr,
    value: Extract<Expr['exprKind'], { case: 'structExpr' }>['value'],
    scope: Scope,
  ): void {
    if (value.messageName !== '') {
      throw new CheckError(
        `undeclared reference to '${value.messageName}' (in container '')`,
        expr.id,
      );
    }
    for (const { keyKind, value: item } of value.entries) {
      if (keyKind.case === 'mapKey') this.infer(keyKind.value, scope);
      this.infer(item, scope);
    }
  }

  #call(
    expr: Expr,
    value: Extract<Expr['exprKind'], { case: 'callExpr' }>['value'],
    scope: Scope,
  ): Known {
    const { target, args, function: name } = value;
    const namespace = target === undefined ? undefined : qualifiedName(target, scope);
    const qualified = namespace === undefined ? name : `${namespace}.${name}`;
    if (!FUNCTION_NAMES.has(qualified)) {
      throw new CheckError(`undeclared reference to '${name}' (in container '')`, expr.id);
    }
    if (target !== undefined && namespace === undefined) this.infer(target, scope);
    const types = args.map((arg) => this.infer(arg, scope));
    return resultOf(name, types, expr.id);
  }

  #loop(loop: Comprehension, scope: Scope): Known {
    this.loops.push(loop);
    const range = this.infer(loop.iterRange, scope);
    if (range?.is === 'scalar') {
      const id = loop.iterRange?.id ?? 0n;
      const detail = `expression of type '${nameOf(range)}' cannot be range of a comprehension (must be list, map, or dynamic)`;
      throw new CheckError(detail, id);
    }
    const accu = this.infer(loop.accuInit, scope);
    const inner = new Map(scope).set(loop.iterVar, itemOf(range)).set(loop.accuVar, accu);
    this.infer(loop.loopCondition, inner);
    this.infer(loop.loopStep, inner);
    return this.infer(loop.result, inner);
  }
}

const BOOLEAN_RESULT = new Set([
  '_&&_',
  '_||_',
  '!_',
  '_==_',
  '_!=_',
  '_<_',
  '_<=_',
  '_>_',
  '_>=_',
  '@in',
]);
const TEXT_METHODS = new Set(['startsWith', 'endsWith', 'contains', 'matches']);

function resultOf(name: string, types: readonly Known[], id: bigint): Known {
  const [a, b, c] = types;
  if (/^_[=!<>]=?_$/.test(name) && !comparable(a, b)) {
    const detail = `found no matching overload for '${name}' applied to '(${nameOf(a)}, ${nameOf(b)})'`;
    throw new CheckError(detail, id);
  }
  if (BOOLEAN_RESULT.has(name) || TEXT_METHODS.has(name)) return scalar('bool');
  if (name === '_[_]') return elementOf(a);
  if (name === '_?_:_') return b !== undefined && nameOf(b) === nameOf(c) ? b : undefined;
  return name === 'size' ? scalar('int') : undefined;
}

/** `format.named` as a namespace: names joined by dots of which the first is no variable. */
function qualifiedName(expr: Expr, scope: Scope): string | undefined {
  const { exprKind } = expr;
  if (exprKind.case === 'identExpr') {
    return scope.has(exprKind.value.name) ? undefined : exprKind.value.name;
  }
  if (exprKind.case !== 'selectExpr' || exprKind.value.testOnly) return undefined;
  const { operand, field } = exprKind.value;
  const namespace = operand === undefined ? undefined : qualifiedName(operand, scope);
  return namespace === undefined ? undefined : `${namespace}.${field}`;
}

function constantType(kind: string | undefined): Known {
  switch (kind) {
    case 'int64Value':
      return scalar('int');
    case 'uint64Value':
      return scalar('uint');
    case 'doubleValue':
      return scalar('double');
    case 'stringValue':
      return scalar('string');
    case 'boolValue':
      return scalar('bool');
    case 'bytesValue':
      return scalar('bytes');
    case 'nullValue':
      return scalar('null_type');
    default:
      return undefined;
  }
}

/** Checks an expression in which `scope` names the variables. */
export function checkExpression(expr: Expr, scope: Scope): Checked {
  const checker = new Checker();
  const rest = () => ({ usesOldSelf: checker.usesOldSelf, loops: checker.loops });
  try {
    const result = checker.infer(expr, scope);
    return { result, ...rest() };
  } catch (error) {
    if (!(error instanceof CheckError)) throw error;
    return { failure: { message: error.message, id: error.id }, result: undefined, ...rest() };
  }
}
