// Every row of testdata/packets: the reference and the program of every target that programs a kernel
// give the answer written down for it.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { lowerPackets } from '../src/lower/packets.ts';
import { tracePacket } from '../src/model/trace-packet.ts';
import { KERNEL_TARGETS } from './support/kernel-targets.ts';
import { factsOf, packetModel, readCluster, readPackets } from './support/packets.ts';

const cluster = readCluster();
const model = await packetModel();
const questions = readPackets(cluster);

it('there are questions', () => assert.ok(questions.length > 50));

describe('the model agrees', () => {
  for (const { name, on, probe, fate } of questions) {
    it(name, () => assert.deepEqual(tracePacket(model, factsOf(cluster, on), probe).fate, fate));
  }
});

for (const target of KERNEL_TARGETS) {
  describe(`${target.name} agrees`, () => {
    for (const { name, on, probe, fate, instead } of questions) {
      const facts = factsOf(cluster, on);
      it(name, () =>
        assert.deepEqual(
          target.trace(lowerPackets(model, facts), facts, probe),
          instead[target.name] ?? fate,
        ),
      );
    }
  });
}

it('an address that two Services claim stays with one, and the other is named', () => {
  const { conflicts } = lowerPackets(model, factsOf(cluster, 'node-1'));
  assert.deepEqual(
    conflicts.map(({ claim, kept, lost }) => ({ claim, kept, lost })),
    [
      {
        claim: '10.96.0.1:80/TCP',
        kept: 'default/web:80/TCP',
        lost: 'default/greedy:80/TCP',
      },
    ],
  );
});
