// CEL as rules of users see it: what expressions return, what is wrong with those that cannot be, and
// that none of them runs for long.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import type { JsonSchema } from '../apiextensions/json-schema.ts';
import { compileExpression } from './compile.ts';
import { LIMIT_EXCEEDED, meter } from './meter.ts';
import { toCelValue } from './values.ts';

const schema: JsonSchema = {
  type: 'object',
  properties: {
    numbers: { type: 'array', items: { type: 'integer' } },
    text: { type: 'string' },
    ratio: { type: 'number' },
    flag: { type: 'boolean' },
    namespace: { type: 'string' },
    'x-y.z': { type: 'string' },
    time: { type: 'string', format: 'date-time' },
    wait: { type: 'string', format: 'duration' },
    data: { type: 'string', format: 'byte' },
    port: { 'x-kubernetes-int-or-string': true },
    labels: { type: 'object', additionalProperties: { type: 'string' } },
    ports: {
      type: 'array',
      items: {
        type: 'object',
        properties: { name: { type: 'string' }, port: { type: 'integer' } },
      },
    },
  },
};

const value = {
  numbers: [3, 1, 2],
  text: 'shop.example.com',
  ratio: 0.5,
  flag: true,
  namespace: 'shop',
  'x-y.z': 'dashed',
  time: '2026-01-02T03:04:05Z',
  wait: '1h30m',
  data: 'YWJj',
  port: 'http',
  labels: { app: 'shop', 'a/b-c': 'd' },
  ports: [
    { name: 'http', port: 80 },
    { name: 'https', port: 443 },
  ],
};

function compiled(text: string, options: { readonly optionalOldSelf?: boolean } = {}) {
  return compileExpression(text, {
    schema,
    isRoot: false,
    optionalOldSelf: options.optionalOldSelf ?? false,
    result: 'bool',
  });
}

function evaluate(text: string, self: unknown = value) {
  const result = compiled(text);
  assert.ok('expression' in result, 'error' in result ? result.error : text);
  meter.startObject();
  return result.expression.evaluate({ self: toCelValue(schema, self) });
}

describe('expressions that hold', () => {
  for (const text of [
    'self.numbers.all(n, n > 0) && size(self.numbers) == 3',
    'self.numbers.exists_one(n, n == 2)',
    'self.numbers.map(n, n * 2).sum() == 12 && self.numbers.max() == 3 && self.numbers.min() == 1',
    'self.numbers.filter(n, n > 1).size() == 2 && !self.numbers.isSorted()',
    'self.numbers.indexOf(1) == 1 && self.numbers.sort() == [1, 2, 3]',
    'self.ports.map(p, p.name).join(",") == "http,https"',
    'self.text.matches("^[a-z.]+$") && self.text.matches("(?i)SHOP")',
    'self.text.find("[a-z]+") == "shop" && self.text.findAll("[a-z]+").size() == 3',
    'self.text.split(".").size() == 3 && self.text.startsWith("shop") && self.text.contains("example")',
    '"aXbXc".replace("X", "-") == "a-b-c" && "aXbXc".replace("X", "", 1) == "abXc"',
    '"ab".replace("", "-") == "-a-b-" && ["a", "b"].join() == "ab"',
    'self.ratio < 1.0 && self.flag',
    'self.__namespace__ == "shop" && self.x__dash__y__dot__z == "dashed"',
    'has(self.text) && !has(self.labels.none) && self.labels["a/b-c"] == "d"',
    '"app" in self.labels && self.labels.all(k, size(k) > 0)',
    'self.time < timestamp("2027-01-01T00:00:00Z") && self.time.getFullYear() == 2026',
    'self.wait == duration("90m") && self.wait > duration("1s")',
    'self.data == b"abc"',
    'self.port == "http" && type(self.port) == string',
    'isIP("10.0.0.1") && isIP("::1") && !isIP("010.0.0.1") && !isIP("::ffff:10.0.0.1")',
    'ip("::1").family() == 6 && ip("127.0.0.1").isLoopback() && ip.isCanonical("::1")',
    'isCIDR("10.0.0.0/8") && !isCIDR("10.0.0.0/33") && cidr("10.0.0.0/8").containsIP("10.1.2.3")',
    '!cidr("10.0.0.0/8").containsIP(ip("11.0.0.1")) && cidr("10.0.0.0/8").containsCIDR("10.1.0.0/16")',
    'cidr("10.1.2.3/8").masked() == cidr("10.0.0.0/8") && cidr("10.0.0.0/8").prefixLength() == 8',
    'isURL("https://a.b/c") && !isURL("a.b") && url("https://a.b:80/x?y=1&y=2").getPort() == "80"',
    'url("https://[::1]:80/x?y=1").getHostname() == "::1" && url("/x/y").getEscapedPath() == "/x/y"',
    'url("https://a/?y=1&y=2").getQuery()["y"] == ["1", "2"]',
    'quantity("1k").compareTo(quantity("1000")) == 0 && quantity("1k") == quantity("1000")',
    'quantity("64Mi").isGreaterThan(quantity("1M")) && quantity("1500m").asApproximateFloat() == 1.5',
    'isQuantity("12e6") && !isQuantity("x") && quantity("1").add(quantity("500m")) == quantity("1500m")',
    '!format.dns1123Label().validate("shop").hasValue()',
    'format.dns1123Label().validate("Shop").value().size() == 1',
    'format.named("dns1123Subdomain").value().validate("a.b") != null',
    '!format.named("nothing").hasValue()',
    'sets.contains([1, 2], [1]) && sets.equivalent([1, 2], [2, 1]) && !sets.intersects([1], [2])',
    'self.ports.exists(p, p.name == "http" && p.port == 80)',
    'r"""raw "text" \\d""" == "raw \\"text\\" \\\\d"',
  ]) {
    test(text, () => assert.deepEqual(evaluate(text), { value: true }));
  }
});

describe('expressions that are refused when they are written', () => {
  const refused: readonly (readonly [string, RegExp])[] = [
    [
      'self.nothing == 1',
      /<input>:1:5: undefined field 'nothing'\n \| self\.nothing == 1\n \| \.{4}\^$/,
    ],
    ['has(self.nothing)', /undefined field 'nothing'/],
    ['self.ports.all(p, p.nothing == 1)', /undefined field 'nothing'/],
    ['self.ports[0].nothing == 1', /undefined field 'nothing'/],
    ['self.text == 1', /found no matching overload for '_==_' applied to '\(string, int\)'/],
    [
      'self.numbers.all(n, n == "a")',
      /found no matching overload for '_==_' applied to '\(int, string\)'/,
    ],
    ['self.text.all(c, true)', /expression of type 'string' cannot be range of a comprehension/],
    ['size(self.numbers)', /^cel expression must evaluate to a bool$/],
    ['nothing(self)', /undeclared reference to 'nothing'/],
    ['other.text == "a"', /undeclared reference to 'other'/],
    ['fairway_turn()', /undeclared reference to 'fairway_turn'/],
    ['self.text ==', /Syntax error/],
    ['self.?text.hasValue()', /Syntax error/],
    ['', /compilation failed/],
    ['('.repeat(65) + 'true' + ')'.repeat(65), /at most 64 brackets within brackets/],
    ['true || '.repeat(3000) + 'true', /at most 16384 characters/],
  ];
  for (const [text, error] of refused) {
    test(JSON.stringify(text.slice(0, 60)), () => {
      const result = compiled(text);
      assert.ok('error' in result, 'it compiles');
      assert.match(result.error, error);
    });
  }
});

describe('expressions that stumble', () => {
  for (const [text, error] of [
    ['self.labels.nothing == "a"', 'no such key: nothing'],
    ['self.numbers[9] == 1', /index/],
    ['dyn(self.text) < 1', 'no such overload: _<_'],
    ['1 / (size(self.numbers) - 3) == 1', /divi/],
    ['quantity("x").isInteger()', /quantity parse error/],
  ] as const) {
    test(text, () => {
      const result = evaluate(text);
      assert.ok('error' in result && !result.overLimit, JSON.stringify(Object.keys(result)));
      if (typeof error === 'string') assert.equal(result.error, error);
      else assert.match(result.error, error);
    });
  }
});

describe('expressions that would run for long', () => {
  const long = { numbers: Array.from({ length: 2000 }, (_, i) => i), text: 'ab'.repeat(500_000) };
  for (const text of [
    'self.numbers.all(a, self.numbers.all(b, self.numbers.all(c, a + b + c >= 0)))',
    'self.numbers.exists(a, self.numbers.exists(b, self.numbers.exists(c, a + b + c < 0)))',
    'self.numbers.map(a, a).all(a, self.numbers.map(b, b).all(b, self.numbers.all(c, true)))',
    'self.numbers.all(a, self.text.contains("bb") == false)',
    'self.numbers.all(a, !self.text.matches("(a|b)*c"))',
    'self.numbers.all(a, self.text.split("a") != [])',
    'self.numbers.all(a, self.numbers.map(b, [a, b]) != [[1]])',
    'self.numbers.all(a, self.text.replace("a", "bbbbbbbb") != "")',
    'self.text.replace("", "0123456789abcdef") != ""',
    'self.numbers.all(a, self.numbers.map(b, string(b)).join(self.text) != "")',
    'self.numbers.all(a, self.numbers.distinct().size() > 0)',
    'self.numbers.all(a, sets.equivalent(self.numbers, self.numbers))',
    'self.numbers.all(a, (self.text + self.text).size() > 0)',
  ]) {
    test(text, () => {
      assert.deepEqual(evaluate(text, long), { error: LIMIT_EXCEEDED, overLimit: true });
      assert.ok(meter.objectIsEmpty, 'no other rule of the object is evaluated');
    });
  }

  test('a rule over a long list is no such expression', () => {
    assert.deepEqual(evaluate('self.numbers.all(n, n >= 0 && n < 2000)', long), { value: true });
    assert.deepEqual(evaluate('self.numbers.map(n, n + 1).filter(n, n > 1).size() == 1999', long), {
      value: true,
    });
  });

  test('what one object may cost is counted over its rules', () => {
    const result = compiled('self.numbers.all(n, self.numbers.exists(m, m == 30))');
    assert.ok('expression' in result);
    const self = toCelValue(schema, long);
    meter.startObject();
    const outcomes = Array.from({ length: 12 }, () => result.expression.evaluate({ self }));
    assert.deepEqual(outcomes[0], { value: true });
    assert.deepEqual(outcomes.at(-1), { error: LIMIT_EXCEEDED, overLimit: true });
  });
});

describe('a value that may be missing', () => {
  test('is asked for before it is used', () => {
    const result = compiled('!oldSelf.hasValue() || oldSelf.value().text == self.text', {
      optionalOldSelf: true,
    });
    assert.ok('expression' in result && result.expression.usesOldSelf);
  });
});
