// What every target must do that programs a kernel. One suite, run over all of them against tools that are
// none; what such a target promises about packets is asked of it by testdata/packets, and what its tools make of
// it by test/kernel.

import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { CommandRunner } from '../../src/lib/run-command.ts';
import { lowerPackets } from '../../src/lower/packets.ts';
import type { PacketView } from '../../src/lower/packets.ts';
import type { Model } from '../../src/model/model.ts';
import type { PacketProbe } from '../../src/model/packet.ts';
import { tracePacket } from '../../src/model/trace-packet.ts';
import { compileIptables } from '../../src/targets/iptables/compile.ts';
import { Iptables } from '../../src/targets/iptables/iptables.ts';
import { renderIptables } from '../../src/targets/iptables/text.ts';
import { traceIptables } from '../../src/targets/iptables/trace.ts';
import { compileIpvs } from '../../src/targets/ipvs/compile.ts';
import { Ipvs } from '../../src/targets/ipvs/ipvs.ts';
import { renderIpvs } from '../../src/targets/ipvs/text.ts';
import { traceIpvs } from '../../src/targets/ipvs/trace.ts';
import { compileNft } from '../../src/targets/nftables/compile.ts';
import { Nftables } from '../../src/targets/nftables/nftables.ts';
import { renderNft } from '../../src/targets/nftables/render.ts';
import { traceNft } from '../../src/targets/nftables/trace.ts';
import type { PacketTarget, RunningPacketTarget } from '../../src/targets/target.ts';
import { FakeHost } from '../support/fake-ipvs.ts';
import { factsOf, packetModel, readCluster } from '../support/packets.ts';

const node = factsOf(readCluster(), 'node-1');
const model = await packetModel();
const view = lowerPackets(model, node);

/** Tools that take everything, or nothing; what they were told to change is counted. */
interface Tools {
  refuse: boolean;
  changes: number;
}

/** A target with what starts it, of whatever program. */
interface Case<Program> {
  readonly target: PacketTarget<Program>;
  readonly start: (tools: Tools) => RunningPacketTarget<Program>;
}

/** Hides the type of the program, which the suite has no use for. */
type AnyCase = <Result>(use: <Program>(one: Case<Program>) => Result) => Result;
const hide =
  <Program>(one: Case<Program>): AnyCase =>
  (use) =>
    use(one);

/** Reads are answered with nothing; writes are refused while that is asked. */
function runnerOf(tools: Tools): CommandRunner {
  return (_command, input) => {
    if (input === '') return Promise.resolve({ output: '', problem: null });
    if (!tools.refuse) tools.changes++;
    return Promise.resolve({ output: '', problem: tools.refuse ? 'it will not' : null });
  };
}

const CASES: readonly AnyCase[] = [
  hide({
    target: { name: 'nftables', compile: compileNft, render: renderNft, tracePacket: traceNft },
    start: (tools) => {
      const run = runnerOf(tools);
      return new Nftables({ run: async (script) => (await run(['nft'], script)).problem });
    },
  }),
  hide({
    target: {
      name: 'iptables',
      compile: compileIptables,
      render: renderIptables,
      tracePacket: traceIptables,
    },
    start: (tools) => new Iptables({ run: runnerOf(tools) }),
  }),
  hide({
    target: {
      name: 'ipvs',
      compile: (v: PacketView) => compileIpvs(v, { node, scheduler: 'rr' }),
      render: renderIpvs,
      tracePacket: traceIpvs,
    },
    start: (tools) => {
      const host = new FakeHost();
      return new Ipvs({
        run: (command, input) => {
          if (tools.refuse && input !== '') {
            return Promise.resolve({ output: '', problem: 'it will not' });
          }
          if (input !== '') tools.changes++;
          return host.run(command, input);
        },
      });
    },
  }),
];

const WEB = 'default/web:80/TCP';

function changed(): Model {
  const services = model.services.map((port) =>
    port.id === WEB ? { ...port, endpoints: port.endpoints.slice(1) } : port,
  );
  return { ...model, services };
}

function suite<Program>({ target, start }: Case<Program>): void {
  const tools = (): Tools => ({ refuse: false, changes: 0 });

  it('compiles the same view to the same program', () => {
    assert.deepEqual(target.compile(view), target.compile(lowerPackets(model, node)));
  });

  it('does not let one Service change what another one becomes', () => {
    const texts = (m: Model): readonly string[] =>
      target
        .render(target.compile(lowerPackets(m, node)))
        .flatMap(({ text }) => text.split('\n'))
        .filter((line) => line.includes('default/two:admin') || line.includes('default/two:81'));
    assert.ok(texts(model).length > 0);
    assert.deepEqual(texts(changed()), texts(model));
  });

  it('renders what people may read: each Service by name, with the place it comes from', () => {
    const text = target
      .render(target.compile(view), ({ name, field }) => `shop.yaml#${name}.${field}`)
      .map((file) => file.text)
      .join('\n');
    for (const { services } of [model]) {
      for (const { id, frontends } of services) {
        if (frontends.length > 0) assert.ok(text.includes(id), `${id} is not named`);
      }
    }
    assert.match(text, /shop\.yaml#web\.spec\.ports\[0\]/);
  });

  it('answers as the reference does, also for families and addresses it knows nothing of', () => {
    const probes: readonly PacketProbe[] = [
      { transport: 'tcp', source: '10.244.1.3', address: '10.96.0.1', port: 80 },
      { transport: 'udp', source: '192.0.2.9', address: '192.0.2.11', port: 30053 },
      { transport: 'sctp', source: '2001:db8::9', address: '2001:db8::77', port: 1 },
    ];
    for (const probe of probes) {
      assert.deepEqual(
        target.tracePacket(target.compile(view), node, probe),
        tracePacket(model, node, probe).fate,
      );
    }
    const nothing = target.compile(lowerPackets({ ...model, services: [] }, node));
    const [, , foreign] = probes;
    assert.deepEqual(target.tracePacket(nothing, node, foreign!), { kind: 'pass' });
  });

  it('writes everything once and then what changed, and counts generations', async () => {
    const hands = tools();
    const running = start(hands);
    const first = await running.apply(target.compile(view));
    assert.deepEqual([first.rejected, first.sync], [[], 'full']);
    const before = hands.changes;
    const same = await running.apply(target.compile(view));
    assert.deepEqual([same.rejected, same.sync], [[], 'partial']);
    assert.equal(hands.changes, before, 'it has written what was there');
    const next = await running.apply(target.compile(lowerPackets(changed(), node)));
    assert.deepEqual([next.rejected, next.sync], [[], 'partial']);
    assert.ok(hands.changes > before && next.generation > first.generation);
    running.resync();
    assert.equal((await running.apply(target.compile(view))).sync, 'full');
  });

  it('keeps what was in force when everything is refused, says so, and tries it again', async () => {
    const hands = tools();
    const running = start(hands);
    await running.apply(target.compile(view));
    hands.refuse = true;
    const before = hands.changes;
    const failed = await running
      .apply(target.compile(lowerPackets(changed(), node)))
      .then(({ rejected }) => rejected.map(({ id }) => id), String);
    // Either the one Service that changed is named, or it is no Service's fault.
    assert.ok(failed.includes(WEB) || /refuse|fails/.test(String(failed)), String(failed));
    assert.equal(hands.changes, before);
    hands.refuse = false;
    running.resync();
    const mended = await running.apply(target.compile(lowerPackets(changed(), node)));
    assert.deepEqual([mended.rejected, mended.sync], [[], 'full']);
  });

  it('puts programs in force in the order they came', async () => {
    const running = start(tools());
    const programs = [view, lowerPackets(changed(), node), view].map((v) => target.compile(v));
    const applied = await Promise.all(programs.map((program) => running.apply(program)));
    assert.deepEqual(
      applied.map(({ generation }) => generation),
      [1, 2, 3],
    );
  });
}

for (const one of CASES) {
  one((held) => void describe(`target ${held.target.name}`, () => suite(held)));
}
