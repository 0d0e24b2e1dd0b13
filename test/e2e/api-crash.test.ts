// fairway up is killed while many write, several times: what was acknowledged is there again, as it was,
// and no resourceVersion is ever given twice.

import assert from 'node:assert/strict';
import { it } from 'node:test';
import { setTimeout as delay } from 'node:timers/promises';
import fc from 'fast-check';
import { ApiClient } from '../support/api-client.ts';
import { folder, startFairway } from '../support/fairway.ts';
import { kubeconfigIn } from '../support/kubectl.ts';
import type { Loose } from '../support/kubectl.ts';

const PATH = '/api/v1/namespaces/default/configmaps';
const WRITERS = 4;
const CRASHES = 3;

interface Known {
  readonly uid: string;
  readonly revision: number;
  readonly value: string;
}

function knownOf({ metadata, data }: Loose): Known {
  return { uid: metadata.uid, revision: Number(metadata.resourceVersion), value: data.value };
}

it('finds every acknowledged object again after SIGKILL', { timeout: 170_000 }, async () => {
  const home = folder({});
  const acknowledged = new Map<string, Known>();
  let highest = 0;
  const moments = fc.sample(fc.integer({ min: 50, max: 400 }), { numRuns: CRASHES, seed: 7 });
  try {
    for (const [crash, momentMs] of moments.entries()) {
      const fairway = await startFairway(['--no-pods'], { home: home.path });
      const api = new ApiClient(await kubeconfigIn(home.path));
      const begin = await api.get(PATH);
      assert.ok(Number(begin.body.metadata.resourceVersion) >= highest, 'revisions go back');
      let running = true;
      const write = async (writer: number): Promise<void> => {
        for (let i = 0; running; i++) {
          const name = `c${crash}-${writer}-${i % 20}`;
          const value = `${i}`;
          const answer = await (
            acknowledged.has(name)
              ? api.patch(`${PATH}/${name}`, { data: { value } })
              : api.create(PATH, { metadata: { name }, data: { value } })
          ).catch(() => undefined);
          if (answer === undefined || answer.text === '') return;
          assert.ok(answer.status < 300, answer.text);
          const known = knownOf(answer.body);
          acknowledged.set(name, known);
          highest = Math.max(highest, known.revision);
        }
      };
      const writers = Array.from({ length: WRITERS }, (_, writer) => write(writer));
      await delay(momentMs);
      await fairway.stop('SIGKILL');
      running = false;
      await Promise.all(writers);
      api.close();
    }
    const fairway = await startFairway(['--no-pods'], { home: home.path });
    const api = new ApiClient(await kubeconfigIn(home.path));
    const { body } = await api.get(PATH);
    const found = new Map(
      body.items.map((item: Loose) => [item.metadata.name as string, knownOf(item)]),
    ) as ReadonlyMap<string, Known>;
    assert.ok(acknowledged.size > 0);
    for (const [name, known] of acknowledged) {
      const now = found.get(name);
      assert.equal(now?.uid, known.uid, name);
      // A write that was not answered may have been kept.
      assert.ok((now?.revision ?? 0) >= known.revision, `${name} is older than acknowledged`);
      assert.ok(Number(now?.value) >= Number(known.value), `${name} lost a write`);
    }
    assert.ok(Number(body.metadata.resourceVersion) > highest);
    const { body: fresh } = await api.create(PATH, { metadata: { name: 'fresh' } });
    assert.ok(Number(fresh.metadata.resourceVersion) > highest);
    api.close();
    await fairway.stop();
  } finally {
    home.remove();
  }
});
