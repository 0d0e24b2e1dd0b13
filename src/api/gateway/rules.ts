// How the cross-field rules of Gateway API are written: upstream's CEL as TypeScript predicates, with
// upstream's messages. A field that CEL tests with has() is simply not undefined here.

import type { Rule } from '../schema/schema.ts';

/** A rule that holds when `check` says so of the value it is attached to. */
export function rule<T>(message: string, check: (self: T) => boolean): Rule {
  return { message, check };
}

/** A value that may be set once and never changed. */
export const immutable: Rule = {
  message: 'Value is immutable',
  transition: true,
  check: (self: string, old: string) => self === old,
};

/** True when no two items have the same key; items whose key is undefined do not count. */
export function distinct<T>(items: readonly T[], keyOf: (item: T) => unknown): boolean {
  const keys = items.map(keyOf).filter((key) => key !== undefined);
  return new Set(keys.map((key) => JSON.stringify(key))).size === keys.length;
}

/** CEL's exists_one: one item, and no second one. */
export function existsOne<T>(items: readonly T[] | undefined, test: (item: T) => boolean): boolean {
  return items?.filter(test).length === 1;
}

interface Typed {
  readonly type: string;
  readonly [field: string]: unknown;
}

/** Of the fields of a filter, the one that belongs to its type must be set, and no other. */
export function filterFieldRules(typeOfField: Readonly<Record<string, string>>): readonly Rule[] {
  return Object.entries(typeOfField).flatMap(([field, type]) => [
    rule<Typed>(
      `filter.${field} must be nil if the filter.type is not ${type}`,
      (self) => self[field] === undefined || self.type === type,
    ),
    rule<Typed>(
      `filter.${field} must be specified for ${type} filter.type`,
      (self) => self[field] !== undefined || self.type !== type,
    ),
  ]);
}

/** `field` is set if and only if `selector` has the value `value`. */
export function selectedFieldRules(
  selector: string,
  value: string,
  field: string,
): readonly Rule[] {
  type Self = Readonly<Record<string, unknown>>;
  return [
    rule<Self>(
      `${field} must be specified when ${selector} is set to '${value}'`,
      (self) => self[selector] !== value || self[field] !== undefined,
    ),
    rule<Self>(
      `${selector} must be '${value}' when ${field} is set`,
      (self) => self[field] === undefined || self[selector] === value,
    ),
  ];
}

/** A list of filters may have at most one of this type. */
export function atMostOne(type: string): Rule {
  return rule<readonly Typed[]>(
    `${type} filter cannot be repeated`,
    (self) => self.filter((item) => item.type === type).length <= 1,
  );
}

/** The names of rules, where given, differ within a route. */
export const distinctRuleNames = rule<readonly { readonly name?: string }[]>(
  'Rule name must be unique within the route',
  (self) => distinct(self, (item) => item.name),
);

/** A route must not have more matches than a proxy can be asked to look through. */
export const fewMatches = rule<readonly { readonly matches?: readonly unknown[] }[]>(
  'While 16 rules and 64 matches per rule are allowed, the total number of matches across all rules in a route must be less than 128',
  // Up to and including 128, whatever the message says.
  (self) => self.reduce((sum, { matches = [] }) => sum + matches.length, 0) <= 128,
);
