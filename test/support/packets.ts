// The packet probes of testdata/packets: Services, a cluster of two nodes, and rows of questions.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { Service } from '../../src/api/core/service.ts';
import type { Kind } from '../../src/api/kind.ts';
import { SERVED_KINDS } from '../../src/api/kinds.ts';
import type { Controller } from '../../src/controllers/controller.ts';
import { familyOf } from '../../src/lib/cidr.ts';
import type { Model } from '../../src/model/model.ts';
import type { NodeFacts } from '../../src/model/node.ts';
import type { PacketFate, PacketProbe } from '../../src/model/packet.ts';
import { evaluate } from '../../src/pipeline/evaluate.ts';
import { writtenIn } from '../../src/pipeline/owners.ts';
import { createFilesSource } from '../../src/sources/files/files.ts';

const directory = join(import.meta.dirname, '..', '..', 'testdata', 'packets');

interface Place {
  readonly addresses: readonly string[];
}

/** cluster.yaml */
export interface Cluster {
  readonly nodes: Readonly<Record<string, Place & { readonly zone: string }>>;
  readonly pods: Readonly<Record<string, Place & { readonly node: string }>>;
  readonly clients: Readonly<Record<string, Place>>;
  readonly podCidrs: readonly string[];
  readonly serviceCidrs: readonly string[];
  /** Addresses in the status of Services, by name. */
  readonly loadBalancers: Readonly<Record<string, readonly object[]>>;
}

interface WrittenFate {
  readonly fate: 'reject' | 'drop' | 'pass' | readonly string[];
  readonly masquerade?: 'all' | 'self' | 'none';
  readonly stays?: number;
}

/** One row of probes.yaml. */
export interface WrittenPacket extends WrittenFate {
  readonly name: string;
  readonly from: string;
  readonly on?: string;
  readonly connect: string;
  readonly instead?: Readonly<Record<string, WrittenFate & { readonly because: string }>>;
}

/** A row as the tracers take it. */
export interface PacketQuestion {
  readonly name: string;
  /** Name of the node that has the packet. */
  readonly on: string;
  readonly from: string;
  readonly probe: PacketProbe;
  readonly fate: PacketFate;
  /** By target: another fate, which that target has by its nature. */
  readonly instead: Readonly<Record<string, PacketFate>>;
}

export function readCluster(): Cluster {
  return parse(readFileSync(join(directory, 'cluster.yaml'), 'utf8')) as Cluster;
}

export function factsOf(cluster: Cluster, name: string): NodeFacts {
  const { podCidrs, serviceCidrs, nodes } = cluster;
  const { zone, addresses } = nodes[name]!;
  return {
    name,
    zone,
    addresses,
    nodePortAddresses: [],
    podCidrs,
    serviceCidrs,
    masqueradeAll: false,
  };
}

export function readPackets(cluster: Cluster): readonly PacketQuestion[] {
  const rows = parse(readFileSync(join(directory, 'probes.yaml'), 'utf8')) as WrittenPacket[];
  return rows.map((row) => questionOf(row, cluster));
}

function questionOf(row: WrittenPacket, cluster: Cluster): PacketQuestion {
  const match = /^(tcp|udp|sctp):\/\/(?:\[(.*)\]|([^:]*)):(\d+)$/.exec(row.connect);
  if (match === null) throw new Error(`not TRANSPORT://ADDRESS:PORT: ${row.connect}`);
  const [, transport, v6, v4, port] = match;
  const address = v6 ?? v4 ?? '';
  const place = cluster.pods[row.from] ?? cluster.nodes[row.from] ?? cluster.clients[row.from];
  const source = place?.addresses.find((a) => familyOf(a) === familyOf(address));
  const on = row.on ?? cluster.pods[row.from]?.node ?? row.from;
  if (source === undefined || cluster.nodes[on] === undefined) {
    throw new Error(`${row.name}: nobody is ${row.from}, or no node is ${on}`);
  }
  return {
    name: `${row.name} (${row.from} to ${row.connect} on ${on})`,
    on,
    from: row.from,
    probe: {
      transport: transport as PacketProbe['transport'],
      source,
      address,
      port: Number(port),
    },
    fate: fateOf(row, source),
    instead: Object.fromEntries(
      Object.entries(row.instead ?? {}).map(([target, own]) => [target, fateOf(own, source)]),
    ),
  };
}

function fateOf({ fate, masquerade = 'none', stays = 0 }: WrittenFate, source: string): PacketFate {
  if (typeof fate === 'string') return { kind: fate };
  const endpoints = fate.toSorted();
  const own = source.includes(':') ? `[${source}]:` : `${source}:`;
  const masqueraded = {
    all: endpoints,
    self: endpoints.filter((e) => e.startsWith(own)),
    none: [],
  }[masquerade];
  return { kind: 'forward', endpoints, masqueraded, affinitySeconds: stays };
}

/** The model of in.yaml. */
export async function packetModel(): Promise<Model> {
  const { resolution, findings } = await evaluate({
    sources: [
      createFilesSource({
        paths: [join(directory, 'in.yaml')],
        kinds: SERVED_KINDS,
        stdin: (async function* () {})(),
        watch: false,
      }),
    ],
    controllers: [loadBalancer(readCluster())],
    podCidr: '10.244.0.0/16',
    gatewayCidr: '127.80.0.0/17',
    adoptedClasses: [],
    pods: (snapshot) => ({
      images: [],
      locate: () => undefined,
      workingDir: '/',
      isDirectory: () => true,
      writtenIn: (pod) => writtenIn(snapshot, pod),
    }),
    now: new Date('2026-01-01T00:00:00Z'),
  });
  const errors = findings.filter((f) => f.severity === 'error');
  if (errors.length > 0) throw new Error(JSON.stringify(errors));
  return resolution.model;
}

/** Gives Services the addresses of cluster.yaml. */
function loadBalancer({ loadBalancers }: Cluster): Controller {
  return {
    name: 'loadbalancer',
    reconcile: (snapshot) =>
      snapshot.list(Service).flatMap(({ metadata: { namespace = '', name = '' }, status }) =>
        loadBalancers[name] === undefined || status.loadBalancer.ingress !== undefined
          ? []
          : [
              {
                op: 'status',
                kind: Service as unknown as Kind,
                namespace,
                name,
                status: { loadBalancer: { ingress: loadBalancers[name] } },
              },
            ],
      ),
  };
}
