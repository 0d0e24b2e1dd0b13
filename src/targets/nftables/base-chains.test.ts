import assert from 'node:assert/strict';
import { it } from 'node:test';
import { baseChains } from './base-chains.ts';

it('finds the chains at hooks of one table', () => {
  const listed = `table ip other {
	chain theirs {
		type nat hook prerouting priority dstnat; policy accept;
	}
}
table ip fairway {
	chain plain {
	}
	chain nat-prerouting {
		type nat hook prerouting priority dstnat; policy accept;
	}
}`;
  assert.deepEqual(baseChains(listed, 'fairway'), ['nat-prerouting']);
  assert.deepEqual(baseChains('', 'fairway'), []);
});
