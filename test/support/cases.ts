// Cases: a folder with objects and questions about them. What is in a folder and why:
//
//   in.yaml         the objects, as a user would write them
//   case.yaml       optional: how they are run (see CaseOptions)
//   probes.yaml     questions and their answers, written by hand and never by a program
//   model.yaml      what the objects resolve to     ┐
//   status.yaml     what objects are told           │ written by `npm run golden -- CASE`,
//   findings.yaml   what people are told            │ reviewed like code
//   out/proxy.txt   what the proxy would run        ┘

import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { Document, isCollection, isMap, parse, parseAllDocuments, stringify, visit } from 'yaml';
import type { Node } from 'yaml';
import { SERVED_KINDS } from '../../src/api/kinds.ts';
import type { Configuration } from '../../src/config/config.ts';
import { networkOfBlock } from '../../src/config/network.ts';
import { createControllers } from '../../src/controllers/controllers.ts';
import { grpcStatusName, grpcStatusOf, isGrpcContentType } from '../../src/lib/grpc-status.ts';
import { lower } from '../../src/lower/view.ts';
import type {
  ConnectionFate,
  ConnectionProbe,
  RequestFate,
  RequestProbe,
} from '../../src/model/answer.ts';
import { printableModel } from '../../src/model/print.ts';
import { evaluate } from '../../src/pipeline/evaluate.ts';
import type { Evaluation } from '../../src/pipeline/evaluate.ts';
import { formatPosition } from '../../src/pipeline/locate.ts';
import { writtenIn } from '../../src/pipeline/owners.ts';
import { createFilesSource } from '../../src/sources/files/files.ts';
import { allStatuses } from '../../src/resolve/resolution.ts';
import { compileProxy } from '../../src/targets/proxy/compile.ts';
import type { ProxyProgram } from '../../src/targets/proxy/program.ts';
import { renderProxy } from '../../src/targets/proxy/render.ts';

const root = join(import.meta.dirname, '..', '..');
export const casesRoot = join(root, 'testdata', 'cases');

export interface CaseOptions {
  /** echo: every Service with a selector gets a Deployment of that name which runs the echo server. */
  readonly backends?: 'echo';
  readonly gatewayClasses?: readonly string[];
  /** As in the configuration. */
  readonly externalBackends?: Partial<Configuration['externalBackends']>;
}

export interface Case {
  /** `area/name` */
  readonly name: string;
  readonly directory: string;
  readonly options: CaseOptions;
  readonly probes: readonly WrittenProbe[];
}

/** One entry of probes.yaml: a request, or a connection. */
export interface WrittenProbe {
  readonly name: string;
  /** `GET http://host:port/path` */
  readonly request?: string;
  /**
   * `tls://server.name:port`, `tls://:port` for a client that names no server, `tcp://:port` or
   * `udp://:port`: a connection or a datagram. See `describeConnection`.
   */
  readonly connect?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** The server asked for in the handshake, when it is not the host. */
  readonly serverName?: string;
  /** The client shows the certificate of clients/valid.pem or clients/invalid.pem. */
  readonly client?: 'valid' | 'invalid';
  /** The client's own address, of loopback. */
  readonly from?: string;
  /** The address dialled, where several Gateways serve the port. */
  readonly address?: string;
  /** See `describeFate`. */
  readonly fate: string | Readonly<Record<string, number>>;
  /** The backend is chosen, but no connection to it comes about: on real sockets, 503. */
  readonly handshake?: 'fails';
  /** `address:port` of those that may get the request, in order. Of one backend only. */
  readonly endpoints?: readonly string[];
  /** What the backend sees; only what is named is compared. Null: the header is absent. */
  readonly sees?: {
    /** Whether the backend is spoken to in TLS. */
    readonly tls?: boolean;
    /** The server it is asked for in TLS. */
    readonly serverName?: string;
    /** Whether it is shown a certificate; asked of real sockets only. */
    readonly certificate?: boolean;
    readonly host?: string;
    readonly path?: string;
    readonly headers?: Readonly<Record<string, string | null>>;
    /** Headers that come from elsewhere than the client and the objects; asked of real sockets only. */
    readonly given?: Readonly<Record<string, string | null>>;
  };
  /** Changes to the response's headers, as `set x-a: b`. */
  readonly response?: readonly string[];
  /** Fields of an answer of Fairway's own. Null: the field is absent. */
  readonly answer?: Readonly<Record<string, string | null>>;
  /** Who is sent a copy: `default/copy:80`, and for a part of the requests `default/copy:80 1/4`. */
  readonly mirrors?: readonly string[];
  /** What a client gets in the end, where that is not the fate: `504` after a timeout. */
  readonly ends?: string;
  /** A body to send along. */
  readonly body?: string;
  /** The client keeps what it is given (a cookie, a header of that name) and stays with one pod by it. */
  readonly stays?: string;
}

/** All cases, in order of their names. */
export function listCases(): readonly Case[] {
  return globSync('*/*/in.yaml', { cwd: casesRoot })
    .toSorted()
    .map((file) => readCase(join(casesRoot, dirname(file))));
}

function readCase(directory: string): Case {
  const read = (file: string): unknown =>
    existsSync(join(directory, file))
      ? parse(readFileSync(join(directory, file), 'utf8'))
      : undefined;
  return {
    name: relative(casesRoot, directory),
    directory,
    options: (read('case.yaml') as CaseOptions | undefined) ?? {},
    probes: (read('probes.yaml') as WrittenProbe[] | undefined) ?? [],
  };
}

/** The paths of a case for a files source, and what it reads as `-`. */
export function caseInput({ directory, options }: Case): { paths: string[]; stdin: string } {
  const file = join(directory, 'in.yaml');
  if (options.backends !== 'echo') return { paths: [file], stdin: '' };
  return { paths: [file, '-'], stdin: echoBackends(readFileSync(file, 'utf8')) };
}

interface WrittenService {
  readonly kind?: string;
  readonly metadata: {
    readonly name: string;
    readonly namespace?: string;
    /** `echo`: what the backend speaks: http (the default), tcp, udp or grpc.
     *  `echo-certificate`: the Secret with which it speaks TLS, on port 8443, as well.
     *  `echo-client-authority`: the ConfigMap with the authority of clients it asks for a certificate. */
    readonly annotations?: Readonly<Record<string, string>>;
  };
  readonly spec: {
    readonly selector?: Readonly<Record<string, string>>;
    readonly ports?: readonly {
      readonly port: number;
      readonly targetPort?: number;
      readonly protocol?: string;
    }[];
  };
}

/** Echo Deployments for the Services of a text, as YAML. */
function echoBackends(text: string): string {
  const objects = parseAllDocuments(text).map(
    (document) => document.toJS() as WrittenService | null,
  );
  return objects
    .filter((o) => o?.kind === 'Service' && o.spec.selector !== undefined)
    .map((service) => stringify(echoDeployment(service as WrittenService)))
    .join('---\n');
}

const AUTHORITY_PATH = '/etc/echo-client-authority';
const CERTIFICATE_PATH = '/etc/echo-certificate';
/** Each mode has a spelling of its own for the key. */
const CERTIFICATE_SETTINGS = [
  { name: 'TLS_SERVER_CERT', value: `${CERTIFICATE_PATH}/tls.crt` },
  { name: 'TLS_SERVER_PRIVKEY', value: `${CERTIFICATE_PATH}/tls.key` },
  { name: 'TLS_SERVER_PRIV_KEY', value: `${CERTIFICATE_PATH}/tls.key` },
];

function echoSettings(echo: string, port: number): readonly object[] {
  switch (echo) {
    case 'tcp':
      return [
        { name: 'TCP_ECHO_SERVER', value: '1' },
        { name: 'TCP_PORT', value: String(port === 8443 ? 3000 : port) },
        { name: 'TLS_PORT', value: '8443' },
      ];
    case 'udp':
      return [
        { name: 'UDP_ECHO_SERVER', value: '1' },
        { name: 'UDP_PORT', value: String(port) },
      ];
    case 'grpc':
      return [
        { name: 'GRPC_ECHO_SERVER', value: '1' },
        { name: 'HTTP_PORT', value: String(port === 8443 ? 3000 : port) },
      ];
    default:
      return [
        { name: 'HTTP_PORT', value: String(port === 8443 ? 3000 : port) },
        // Not where HTTP is, which has 3001 to itself otherwise.
        { name: 'H2C_PORT', value: String(port === 3001 ? 3002 : 3001) },
      ];
  }
}

function echoDeployment({ metadata, spec }: WrittenService): object {
  const isUdp = metadata.annotations?.['echo'] === 'udp';
  const port = spec.ports?.find((p) => (p.protocol === 'UDP') === isUdp);
  const number = port?.targetPort ?? port?.port ?? 3000;
  const field = (fieldPath: string): object => ({ fieldRef: { fieldPath } });
  const {
    echo = 'http',
    'echo-certificate': certificate,
    'echo-client-authority': authority,
  } = metadata.annotations ?? {};
  const mounts = [
    ...(certificate === undefined
      ? []
      : [
          {
            name: 'certificate',
            path: CERTIFICATE_PATH,
            from: { secret: { secretName: certificate } },
          },
        ]),
    ...(authority === undefined
      ? []
      : [{ name: 'authority', path: AUTHORITY_PATH, from: { configMap: { name: authority } } }]),
  ];
  const container = {
    name: 'echo',
    image: 'registry.k8s.io/gateway-api/echo-basic:v1.5.1',
    env: [
      ...echoSettings(echo, number),
      ...(certificate === undefined ? [] : CERTIFICATE_SETTINGS),
      ...(authority === undefined
        ? []
        : [{ name: 'TLS_CLIENT_CACERTS', value: `${AUTHORITY_PATH}/ca.crt` }]),
      { name: 'SERVICE_NAME', value: metadata.name },
      { name: 'POD_NAME', valueFrom: field('metadata.name') },
      { name: 'NAMESPACE', valueFrom: field('metadata.namespace') },
    ],
    ports: [{ containerPort: number, ...(echo === 'udp' ? { protocol: 'UDP' } : {}) }],
    ...(mounts.length === 0
      ? {}
      : { volumeMounts: mounts.map(({ name, path }) => ({ name, mountPath: path })) }),
  };
  const volumes =
    mounts.length === 0 ? {} : { volumes: mounts.map(({ name, from }) => ({ name, ...from })) };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata,
    spec: {
      selector: { matchLabels: spec.selector },
      template: {
        metadata: { labels: spec.selector },
        spec: { containers: [container], ...volumes },
      },
    },
  };
}

/** What a case comes to: everything the goldens show and probes are asked of. */
export interface CaseResult {
  readonly evaluation: Evaluation;
  readonly program: ProxyProgram;
  /** Golden files by name. */
  readonly goldens: ReadonlyMap<string, string>;
}

export async function runCase(testCase: Case): Promise<CaseResult> {
  const { paths, stdin } = caseInput(testCase);
  const network = networkOfBlock(0);
  const evaluation = await evaluate({
    sources: [
      createFilesSource({
        paths,
        kinds: SERVED_KINDS,
        // One chunk, as a pipe would bring it.
        stdin: (async function* () {
          yield stdin;
        })(),
        watch: false,
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
    adoptedClasses: testCase.options.gatewayClasses ?? [],
    externalNames: testCase.options.externalBackends?.externalNameServices ?? false,
    pods: (snapshot) => ({
      images: [],
      locate: () => undefined,
      workingDir: '/',
      isDirectory: () => true,
      writtenIn: (pod) => writtenIn(snapshot, pod),
    }),
    now: new Date('2026-01-01T00:00:00Z'),
  });
  const program = compileProxy(lower(evaluation.resolution.model, 'fairway'));
  return { evaluation, program, goldens: goldensOf(testCase, evaluation, program) };
}

function goldensOf(
  { directory }: Case,
  { resolution, findings, snapshot, locate }: Evaluation,
  program: ProxyProgram,
): ReadonlyMap<string, string> {
  const statuses = allStatuses(resolution)
    .filter(({ name }) => name !== 'fairway')
    .map(({ kind, namespace, name }) => {
      const object = snapshot.get(kind, namespace, name) as { status?: unknown } | undefined;
      return { kind: kind.kind, namespace, name, status: object?.status };
    });
  const found = findings.map(({ origin, ...finding }) => {
    const position = locate(origin);
    return {
      ...finding,
      // The same wherever the project is.
      message: finding.message.replaceAll(`${directory}/`, ''),
      ...(origin.object === undefined ? {} : { object: origin.object }),
      ...(origin.field === undefined ? {} : { field: origin.field }),
      ...(position === undefined
        ? {}
        : { position: formatPosition({ ...position, file: relative(directory, position.file) }) }),
    };
  });
  return new Map([
    ['model.yaml', toYaml(printableModel(resolution.model))],
    ['status.yaml', toYaml(statuses)],
    ['findings.yaml', toYaml(found)],
    ...renderProxy(program).map(({ path, text }) => [`out/${path}`, `${text}\n`] as const),
  ]);
}

/** What holds nothing but plain values is on one line, so that a list of such reads like a table. */
function toYaml(value: unknown): string {
  const document = new Document(value, { aliasDuplicateObjects: false });
  visit(document, {
    Map: (_key, map, path) => {
      map.flow = path.length > 2 && map.items.every((item) => isPlain(item.value as Node | null));
    },
  });
  return document.toString({ lineWidth: 0, flowCollectionPadding: true });
}

function isPlain(node: Node | null): boolean {
  return !isCollection(node) || (!isMap(node) && node.items.length === 0);
}

/** A probe as the tracers take it. */
export function toProbe(probe: WrittenProbe): RequestProbe {
  const { request = '', headers = {}, address, serverName, client, from } = probe;
  const [method = '', address_ = ''] = request.split(' ');
  const match = /^(https?):\/\/([^/?]*)(.*)$/.exec(address_);
  if (match === null) throw new Error(`probe request is not METHOD URL: ${request}`);
  const [, scheme = '', host = '', target = ''] = match;
  const port = /:(\d+)$/.exec(host)?.[1];
  return {
    scheme: scheme as 'http' | 'https',
    ...(address === undefined ? {} : { address }),
    port: port === undefined ? (scheme === 'https' ? 443 : 80) : Number(port),
    method,
    host,
    target: target.startsWith('/') ? target : `/${target}`,
    headers: Object.entries(headers),
    ...(serverName === undefined ? {} : { serverName }),
    ...(client === undefined ? {} : { clientCertificate: client }),
    ...(from === undefined ? {} : { client: from }),
  };
}

/** Whether a probe is a gRPC call. */
export function isCall({ headers = {} }: WrittenProbe): boolean {
  return isGrpcContentType(headers['content-type'] ?? '');
}

/** A probe of a connection as the tracers take it. */
export function toConnectionProbe({ connect = '', address }: WrittenProbe): ConnectionProbe {
  const match = /^(tcp|tls|udp):\/\/([^:]*):(\d+)$/.exec(connect);
  if (match === null) throw new Error(`probe is not TRANSPORT://NAME:PORT: ${connect}`);
  const [, transport = '', serverName = '', port = ''] = match;
  return {
    transport: transport as ConnectionProbe['transport'],
    ...(address === undefined ? {} : { address }),
    port: Number(port),
    serverName,
  };
}

/**
 * A fate of a connection in the words probes.yaml uses: `refused`, `reset` (of datagrams: dropped),
 * `http` when requests are read from it, `default/foo:80` for one backend, and for several their
 * weights by name, broken ones under `reset`.
 */
export function describeConnection(fate: ConnectionFate): WrittenProbe['fate'] {
  if (fate.kind !== 'relay') return fate.kind;
  const weights: Record<string, number> = {};
  for (const { to, weight, endpoints } of fate.shares) {
    const name = to === null || endpoints.length === 0 ? 'reset' : to.replace('Service ', '');
    weights[name] = (weights[name] ?? 0) + weight;
  }
  const [only, ...others] = Object.keys(weights);
  return others.length === 0 && only !== undefined ? only : weights;
}

/**
 * A fate in the words probes.yaml uses: `refused`, `404`, `302 https://…`, `default/foo:80` for one
 * backend, and for several their weights by name, a broken reference under its status. What gRPC calls
 * are answered is `grpc UNAVAILABLE`.
 */
export function describeFate(fate: RequestFate, isCall = false): WrittenProbe['fate'] {
  const status = (code: number): string =>
    isCall ? `grpc ${grpcStatusName(grpcStatusOf(code))}` : String(code);
  switch (fate.kind) {
    case 'refused':
      return 'refused';
    case 'respond':
      return status(fate.statusCode);
    case 'redirect':
      return `${fate.statusCode} ${fate.location}`;
    case 'forward': {
      const weights: Record<string, number> = {};
      for (const { to, weight, endpoints } of fate.shares) {
        const name =
          typeof to !== 'string'
            ? describeOwn(status(to.statusCode), to.headers)
            : endpoints.length === 0
              ? status(503)
              : to.replace('Service ', '');
        weights[name] = (weights[name] ?? 0) + weight;
      }
      const [only, ...others] = Object.keys(weights);
      return others.length === 0 && only !== undefined ? only : weights;
    }
  }
}

/** An answer of a backend's own filters: a redirect says where to. */
function describeOwn(status: string, headers: readonly (readonly [string, string])[] = []): string {
  const location = headers.find(([name]) => name === 'location');
  return location === undefined ? status : `${status} ${location[1]}`;
}
