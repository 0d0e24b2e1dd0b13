// One bad object costs its own traffic and no other's: a thousand good routes of all kinds are asked, one
// probe each, alone and beside one object of every bad kind; and every bad object is told of by name.

import assert from 'node:assert/strict';
import { before, describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { SERVED_KINDS } from '../src/api/kinds.ts';
import { networkOfBlock } from '../src/config/network.ts';
import { createControllers } from '../src/controllers/controllers.ts';
import { lower } from '../src/lower/view.ts';
import type { ConnectionProbe, RequestProbe } from '../src/model/answer.ts';
import { traceConnection } from '../src/model/trace-connection.ts';
import { traceRequest } from '../src/model/trace.ts';
import { evaluate } from '../src/pipeline/evaluate.ts';
import type { Evaluation } from '../src/pipeline/evaluate.ts';
import { createFilesSource } from '../src/sources/files/files.ts';
import { compileProxy } from '../src/targets/proxy/compile.ts';
import { traceProxyConnection } from '../src/targets/proxy/trace-connection.ts';
import { traceProxy } from '../src/targets/proxy/trace.ts';
import {
  BAD_OBJECTS,
  GOOD,
  goodObjects,
  REASON_ANNOTATION,
  TCP_PORT,
  TLS_PORT,
  UDP_PORT,
} from './support/bad-input.ts';

async function serve(documents: readonly string[]): Promise<Evaluation> {
  const network = networkOfBlock(0);
  return evaluate({
    sources: [
      createFilesSource({
        paths: ['-'],
        kinds: SERVED_KINDS,
        stdin: (async function* () {
          yield documents.join('\n---\n');
        })(),
        watch: false,
        limits: { fileFindingsMax: 1000 },
      }),
    ],
    controllers: createControllers({
      nodeName: 'fairway',
      nodeAddresses: network.nodePortAddresses,
      serviceCidr: network.serviceCidr,
      loadBalancerCidr: network.loadBalancerCidr,
    }),
    podCidr: network.podCidr,
    gatewayCidr: network.gatewayCidr,
    adoptedClasses: [],
    pods: () => ({
      images: [],
      locate: () => undefined,
      workingDir: '/',
      isDirectory: () => true,
    }),
    now: new Date('2026-01-01T00:00:00Z'),
  });
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, i) => i);

const requests: readonly RequestProbe[] = [
  ...range(GOOD.http).map((i) => ({ host: `h${i % 50}.example`, target: `/p${i}`, method: 'GET' })),
  ...range(GOOD.grpc).map((i) => ({
    host: `g${i % 20}.example`,
    target: `/s.S${i}/Call`,
    method: 'POST',
    headers: [['content-type', 'application/grpc']] as const,
  })),
].map((probe) => ({ scheme: 'http', port: 80, headers: [], ...probe }));

const connections: readonly ConnectionProbe[] = [
  ...range(GOOD.tls).map((i) => ({
    transport: 'tls' as const,
    port: TLS_PORT,
    serverName: `t${i}.example`,
  })),
  ...range(GOOD.tcp).map((i) => ({
    transport: 'tcp' as const,
    port: TCP_PORT + i,
    serverName: '',
  })),
  ...range(GOOD.udp).map((i) => ({
    transport: 'udp' as const,
    port: UDP_PORT + i,
    serverName: '',
  })),
];

/** Every probe's answers, of the reference and of the proxy, at the addresses the Gateways have. */
function answersOf({ resolution }: Evaluation): readonly unknown[] {
  const { model } = resolution;
  const program = compileProxy(lower(model, 'fairway'));
  const addressOf = (gateway: string): string => {
    const found = model.entryPoints.find((e) => e.gateway === `default/${gateway}`);
    return found?.addresses[0] ?? '';
  };
  const [web, streams] = [addressOf('web'), addressOf('streams')];
  return [
    ...requests.flatMap((probe) => {
      const asked = { ...probe, address: web };
      return [traceRequest(model, asked).fate, traceProxy(program, asked)];
    }),
    ...connections.flatMap((probe) => {
      const asked = { ...probe, address: streams };
      return [traceConnection(model, asked).fate, traceProxyConnection(program, asked)];
    }),
  ];
}

interface Bad {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly reason: string;
}

const bad = parseAllDocuments(BAD_OBJECTS).flatMap((document): readonly Bad[] => {
  const { kind, metadata } = document.toJS() as {
    kind: string;
    metadata: { name: string; namespace?: string; annotations?: Record<string, string> };
  };
  const reason = metadata.annotations?.[REASON_ANNOTATION];
  const { name, namespace = '' } = metadata;
  return reason === undefined ? [] : [{ kind, namespace, name, reason }];
});

describe('a thousand good routes', () => {
  let alone: Evaluation;
  let beside: Evaluation;

  before(async () => {
    alone = await serve(goodObjects());
    beside = await serve([...goodObjects(), BAD_OBJECTS]);
  });

  it('all answer, without a finding of severity error', () => {
    assert.equal(requests.length + connections.length, 1000);
    const kinds = new Set(answersOf(alone).map((fate) => (fate as { kind: string }).kind));
    assert.deepEqual([...kinds].toSorted(), ['forward', 'relay']);
    assert.deepEqual(
      alone.findings.filter(({ severity }) => severity === 'error'),
      [],
    );
  });

  it('answer as before beside one object of every bad kind', () => {
    assert.ok(bad.length > 60, `only ${bad.length} bad objects`);
    assert.deepEqual(answersOf(beside), answersOf(alone));
  });

  it('are told nothing of what is wrong with others', () => {
    const names = new Set(bad.map(({ kind, name }) => `${kind} ${name}`));
    const others = beside.findings.filter(({ severity, origin: { object } }) => {
      return severity === 'error' && !names.has(`${object?.kind ?? ''} ${object?.name ?? ''}`);
    });
    assert.deepEqual(others, []);
  });

  for (const { kind, namespace, name, reason } of bad) {
    it(`${kind} ${name} is told ${reason}`, () => {
      const found = beside.findings.filter(
        ({ origin: { object } }) =>
          object?.kind === kind && object.name === name && object.namespace === namespace,
      );
      const { status } =
        beside.resolution.statuses.find(
          (wish) => wish.kind.kind === kind && wish.name === name && wish.namespace === namespace,
        ) ?? {};
      const reasons = found.map((finding) => finding.reason);
      const isTold =
        reasons.includes(reason) || JSON.stringify(status ?? {}).includes(`"${reason}"`);
      assert.ok(isTold, `it is told ${reasons.join(', ') || 'nothing'}: ${JSON.stringify(status)}`);
      assert.ok(found.length > 0, 'there is no finding about it');
    });
  }
});
