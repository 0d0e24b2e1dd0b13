import assert from 'node:assert/strict';
import { describe, it, mock } from 'node:test';
import type { Session } from '../../../model/policy.ts';
import type { Endpoint } from './endpoint.ts';
import { Stay, tokenOf } from './session.ts';
import type { Fields } from './stream.ts';

const endpoint = { token: 'abc' } as Endpoint;
const other = { token: 'other' } as Endpoint;

function session(parts: Partial<Session>): Session {
  return { carrier: 'cookie', name: 's', absoluteMs: 0, permanent: false, path: '/', ...parts };
}

function told(stay: Stay): Fields {
  const fields: Fields = [];
  stay.tell(endpoint, fields);
  return fields;
}

describe('the token of a session', () => {
  it('is told to a client that has none', () => {
    assert.deepEqual(told(new Stay(session({ path: '/cart' }), true, null)), [
      'set-cookie',
      's=abc; Path=/cart; HttpOnly; SameSite=Lax; Secure',
    ]);
    assert.deepEqual(told(new Stay(session({ carrier: 'header', name: 'x-s' }), false, null)), [
      'x-s',
      'abc',
    ]);
  });

  it('is told anew when the request went elsewhere, and else not again', () => {
    assert.notDeepEqual(told(new Stay(session({}), false, other)), []);
    assert.deepEqual(told(new Stay(session({}), false, endpoint)), []);
  });

  it('is found among other cookies, in one field or several', () => {
    const found = (...values: readonly string[]) =>
      tokenOf(
        session({}),
        values.flatMap((value) => ['Cookie', value]),
      );
    assert.equal(found('s=abc'), 'abc');
    assert.equal(found('a=1; s=abc; b=2'), 'abc');
    assert.equal(found('a=1', 's=abc', 'b=2'), 'abc');
    assert.equal(found('ss=1; xs=2; s2=3'), undefined);
    assert.equal(found('a="s=abc"'), undefined);
    assert.equal(found(), undefined);
    assert.equal(tokenOf(session({ carrier: 'header', name: 'x-s' }), ['X-S', 'abc']), 'abc');
  });

  it('ends with its time, however often it was used', () => {
    mock.timers.enable({ apis: ['Date'], now: 1_000_000_000 });
    try {
      const limited = session({ absoluteMs: 60_000, permanent: true });
      const [, cookie = ''] = told(new Stay(limited, false, null));
      assert.match(cookie, /^s=abc\.[0-9a-z]+; Path=\/; Max-Age=60; HttpOnly; SameSite=Lax$/);
      const [kept = ''] = cookie.split(';');
      mock.timers.tick(59_000);
      assert.equal(tokenOf(limited, ['cookie', kept]), 'abc');
      mock.timers.tick(2_000);
      assert.equal(tokenOf(limited, ['cookie', kept]), undefined);
      // One that says nothing of its time, or one of the future, is none.
      assert.equal(tokenOf(limited, ['cookie', 's=abc']), undefined);
      assert.equal(tokenOf(limited, ['cookie', 's=abc.zzzzzzzz']), undefined);
    } finally {
      mock.timers.reset();
    }
  });
});
