import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compileIptables } from './compile.ts';
import { Iptables } from './iptables.ts';

it('blames no Service when iptables fails at everything', async () => {
  let runs = 0;
  const iptables = new Iptables({
    run: () => {
      runs++;
      return Promise.resolve({ output: '', problem: 'ended by SIGKILL' });
    },
  });
  const { families } = compileIptables({
    conflicts: [],
    families: [
      {
        family: 'ipv4',
        ports: [],
        podCidrs: [],
        serviceCidrs: ['10.96.0.0/12'],
        nodePortAddresses: null,
      },
    ],
  });
  const ports = Array.from({ length: 1000 }, (_, i) => ({
    id: `shop/s${i}:80/TCP`,
    origin: { kind: 'Service', namespace: 'shop', name: `s${i}`, field: '' },
    chains: [],
    rules: [],
  }));
  const program = { families: [{ ...families[0]!, ports }] };
  await assert.rejects(iptables.apply(program), { code: 'FW_IPTABLES_REJECTED' });
  assert.ok(runs < 6, `${runs} runs`);
});
