import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { KubeObject } from '../../api/kind.ts';
import type { ObjectWrite } from '../../store/write.ts';
import { Inventory } from './inventory.ts';
import type { Claimant } from './inventory.ts';
import { Service } from './testing.ts';
import type { Claim } from './version.ts';

class File implements Claimant {
  readonly order: string;
  leaving: ReadonlySet<string> = new Set();
  claims: readonly Claim[] = [];

  constructor(order: string) {
    this.order = order;
  }

  placeOf(claim: Claim): number {
    return this.claims.indexOf(claim);
  }
}

let documents = 0;

/** A statement about the Service of a name; without a value there is no good version of it. */
function claim(file: File, name: string, value?: string, isKept?: true): Claim {
  const metadata = { name, namespace: 'shop' };
  const object: KubeObject = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { ...metadata, labels: { value: value ?? '' } },
  };
  const ref = { kind: 'Service', ...metadata };
  return {
    identity: { key: name, kind: Service, ref },
    source: { source: 'files', file: file.order, document: documents++ },
    path: '',
    ...(value === undefined ? {} : { object }),
    ...(isKept === undefined ? {} : { isKept }),
  };
}

class Files {
  readonly inventory = new Inventory<File>();
  readonly state = new Map<string, string>();

  /** Replaces what a file says; returns what was written. */
  say(file: File, ...claims: readonly Claim[]): readonly string[] {
    const before = file.claims;
    file.claims = claims;
    this.inventory.change(file, before, claims);
    return this.write();
  }

  write(): readonly string[] {
    return this.inventory.takeWrites().map((write) => {
      const line = lineOf(write);
      const [op = '', name = '', value = ''] = line.split(' ');
      if (op === 'put') this.state.set(name, value);
      else this.state.delete(name);
      return line;
    });
  }
}

function lineOf(write: ObjectWrite): string {
  if (write.op === 'put') {
    return `put ${write.object.metadata.name} ${write.object.metadata.labels?.['value']}`;
  }
  return `${write.op} ${write.name}`;
}

describe('what counts of what files say', () => {
  it('is delivered once, deletions first, then in the order of the files', () => {
    const files = new Files();
    const [x, y] = [new File('x'), new File('y')];
    files.say(y, claim(y, 'old', '1'));
    y.claims = [claim(y, 'b', '1'), claim(y, 'a', '1')];
    x.claims = [claim(x, 'c', '1')];
    files.inventory.change(y, [], y.claims);
    files.inventory.change(x, [], x.claims);
    assert.deepEqual(files.write(), ['put c 1', 'put b 1', 'put a 1']);
    assert.deepEqual(files.write(), []);
    assert.deepEqual(files.say(y), ['delete b', 'delete a']);
  });

  it('is the first of two statements, and the other one when it goes away', () => {
    const files = new Files();
    const [x, y] = [new File('x'), new File('y')];
    assert.deepEqual(files.say(y, claim(y, 'a', 'y')), ['put a y']);
    assert.deepEqual(files.say(x, claim(x, 'a', 'x')), ['put a x']);
    const [duplicate] = files.inventory.duplicates();
    assert.equal(duplicate?.claimant, y);
    assert.equal(duplicate.winningClaimant, x);
    assert.deepEqual(files.say(x), ['put a y']);
    assert.deepEqual(files.inventory.duplicates(), []);
  });

  it('is the first in one file as well, also when documents change places', () => {
    const files = new Files();
    const x = new File('x');
    const [first, second] = [claim(x, 'a', '1'), claim(x, 'a', '2')];
    assert.deepEqual(files.say(x, first, second), ['put a 1']);
    x.claims = [second, first];
    files.inventory.change(x, [], []);
    assert.deepEqual(files.write(), ['put a 2']);
  });

  it('is the other statement as long as the first was never good', () => {
    const files = new Files();
    const [x, y] = [new File('x'), new File('y')];
    assert.deepEqual(files.say(x, claim(x, 'a')), []);
    assert.deepEqual(files.say(y, claim(y, 'a', 'y')), ['put a y']);
    assert.deepEqual(files.say(x, claim(x, 'a', 'x')), ['put a x']);
  });

  it('is what was delivered when an object moves to another file and is wrong there', () => {
    const files = new Files();
    const [x, y] = [new File('x'), new File('y')];
    files.say(x, claim(x, 'a', 'x'));
    files.say(y, claim(y, 'a'));
    assert.deepEqual(files.say(x), ['put a x']);
    assert.equal(files.state.get('a'), 'x');
    assert.deepEqual(files.say(y), ['delete a']);
  });

  it('is not what is about to leave, as soon as another file says it; nor is that a duplicate', () => {
    const files = new Files();
    const [x, y] = [new File('x'), new File('y')];
    files.say(x, claim(x, 'a', 'x'));
    x.leaving = new Set(['a']);
    files.inventory.reconsider(['a']);
    assert.deepEqual(files.write(), []);
    assert.deepEqual(files.say(y, claim(y, 'a', 'y')), ['put a y']);
    assert.deepEqual(files.inventory.duplicates(), []);
    x.leaving = new Set();
    files.inventory.reconsider(['a']);
    assert.deepEqual(files.write(), ['put a x']);
    assert.equal(files.inventory.duplicates().length, 1);
  });

  it('is not what is only kept, as soon as something says it', () => {
    const files = new Files();
    const [x, y] = [new File('x'), new File('y')];
    files.say(x, claim(x, 'a', 'x', true));
    assert.deepEqual(files.say(y, claim(y, 'a', 'y')), ['put a y']);
    assert.deepEqual(files.inventory.duplicates(), []);
  });

  it('does not depend on the order in which files are read and change', () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd');
    const step = fc.record({
      file: fc.nat({ max: 3 }),
      says: fc.array(fc.tuple(name, fc.nat({ max: 2 })), { maxLength: 4 }),
    });
    fc.assert(
      fc.property(fc.array(step), (steps) => {
        const files = new Files();
        const all = ['0', '1', '2', '3'].map((order) => new File(order));
        for (const { file, says } of steps) {
          const one = all[file];
          assert.ok(one);
          files.say(one, ...says.map(([what, value]) => claim(one, what, String(value))));
        }
        const expected = new Map<string, string>();
        for (const { claims } of all) {
          for (const { identity, object } of claims) {
            const value = object?.metadata.labels?.['value'] ?? '';
            if (!expected.has(identity.key)) expected.set(identity.key, value);
          }
        }
        assert.deepEqual(files.state, expected);
        const total = all.reduce((sum, { claims }) => sum + claims.length, 0);
        assert.equal(files.inventory.duplicates().length, total - expected.size);
      }),
    );
  });
});
