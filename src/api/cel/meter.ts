// How much work CEL may do. Evaluation is synchronous, so one meter serves all expressions: it is set
// before a rule is evaluated, every turn of a loop and every look into a long value takes from it, and
// an expression that takes too much ends with an error. Counted, not timed: the same object gets the
// same verdict on a slow machine.

/** Characters of one expression. */
export const EXPRESSION_CHARS_MAX = 16_384;

/** Brackets within brackets in one expression; the parser is recursive. */
export const EXPRESSION_DEPTH_MAX = 64;

/** Nodes of the tree of one expression; evaluation is recursive. */
export const EXPRESSION_NODES_MAX = 10_000;

/** Steps of one evaluation of one rule; a step is about a microsecond. */
export const RULE_STEPS_MAX = 100_000;

/** What an evaluation costs however short the rule: a long list has a rule for every item. */
const EVALUATION_STEPS = 5;

/** Steps of all rules on one object together. */
export const OBJECT_STEPS_MAX = 500_000;

/** Characters a pattern for `matches` may have. */
export const PATTERN_CHARS_MAX = 4096;

/** Bytes of what a messageExpression returns. */
export const MESSAGE_BYTES_MAX = 5 * 1024;

/** What the API server says. */
export const LIMIT_EXCEEDED = 'operation cancelled: actual cost limit exceeded';

/** What is left for the rule under evaluation, and for the object it is part of. */
class Meter {
  #rule = 0;
  #object = OBJECT_STEPS_MAX;
  #said = false;

  /** The rules of another object come next. */
  startObject(): void {
    this.#object = OBJECT_STEPS_MAX;
    this.#said = false;
  }

  startRule(): void {
    this.#rule = Math.min(RULE_STEPS_MAX, this.#object);
  }

  /** Takes the steps of the rule from the object's; false when it had too few. */
  endRule(): boolean {
    const granted = Math.min(RULE_STEPS_MAX, this.#object);
    const enough = this.#rule >= 0;
    if (!enough) this.#said = true;
    const spent = granted - this.#rule + EVALUATION_STEPS;
    this.#object = enough ? Math.max(0, this.#object - spent) : 0;
    return enough;
  }

  /** A rule took too much: no other rule of the object is evaluated. */
  get objectIsEmpty(): boolean {
    return this.#object <= 0;
  }

  /** True once, when rules were left out and nobody said so yet. */
  sayEmpty(): boolean {
    const first = !this.#said;
    this.#said = true;
    return first;
  }

  /** Throws when there are too few; the evaluator makes an error value of it. */
  take(steps: number): void {
    this.#rule -= steps;
    if (this.#rule < 0) throw new Error(LIMIT_EXCEEDED);
  }
}

export const meter = new Meter();
