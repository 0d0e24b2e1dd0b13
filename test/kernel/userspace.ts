// Runs in the network namespace of a node: carries the Services of testdata/packets in user space until nothing
// is to be read any more. Prints what was rejected, as JSON, when it is ready.

import { startTarget } from '../../src/cli/node-target.ts';
import { lowerPackets } from '../../src/lower/packets.ts';
import { factsOf, packetModel, readCluster } from '../support/packets.ts';

const [name = ''] = process.argv.slice(2);
const facts = factsOf(readCluster(), name);
const model = await packetModel();
const target = await startTarget('userspace', facts, {}, () => undefined);
const { rejected } = await target.apply(lowerPackets(model, facts), model);
process.stdout.write(`${JSON.stringify(rejected)}\n`);
process.stdin.resume();
process.stdin.once('end', () => void target.stop().then(() => process.exit(0)));
