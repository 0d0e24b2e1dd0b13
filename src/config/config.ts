// The FairwayConfiguration kind: everything that can be set, with its default. Flags outrank the
// environment, which outranks the file.

import { readFile } from 'node:fs/promises';
import { formatFieldError } from '../api/schema/errors.ts';
import { normalize } from '../api/schema/normalize.ts';
import {
  boolean,
  def,
  integer,
  list,
  map,
  object,
  oneOf,
  opt,
  string,
} from '../api/schema/schema.ts';
import type { Infer } from '../api/schema/schema.ts';
import { validate } from '../api/schema/validate.ts';
import { FairwayError } from '../lib/errors.ts';
import { checkNetwork } from './check.ts';

export const CONFIG_API_VERSION = 'fairway.dev/v1alpha1';
export const CONFIG_KIND = 'FairwayConfiguration';

const cidr = (doc: string) =>
  opt(string({ pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$', doc }));

const CIDR_PATTERN = '^[0-9a-fA-F.:]+(/[0-9]{1,3})?$';

/** The schema of the configuration; docs/configuration.md lists its fields. */
export const CONFIGURATION = object({
  apiVersion: oneOf([CONFIG_API_VERSION]),
  kind: oneOf([CONFIG_KIND]),
  network: def(
    object(
      {
        podCIDR: cidr('Addresses of pods. By default 127.244.0.0/16.'),
        serviceCIDR: cidr('Cluster addresses of Services. By default 127.96.0.0/16.'),
        gatewayCIDR: cidr('Addresses of Gateways. By default 127.80.0.0/17.'),
        loadBalancerCIDR: cidr('Addresses of load balancers. By default 127.80.128.0/17.'),
        nodePortAddresses: opt(
          list(string({ doc: 'A local address.' }), {
            listType: 'atomic',
            doc: 'Where node ports are served. By default 127.0.0.1.',
          }),
        ),
        allowNonLoopback: def(
          boolean({ doc: 'Let the addresses above be others than loopback: open to the network.' }),
          false,
        ),
        localhost: def(
          boolean({ doc: 'Serve one Gateway on localhost too: 80 as 8080, 443 as 8443.' }),
          true,
        ),
      },
      { doc: 'Where everything listens. All of it is loopback unless you say otherwise.' },
    ),
    {},
  ),
  gatewayClasses: def(
    list(string({ doc: 'A name, or * for all.' }), {
      listType: 'set',
      doc: 'GatewayClasses to serve whatever their controller, even if they do not exist here.',
    }),
    [],
  ),
  workers: def(
    integer({ minimum: 0, maximum: 64, doc: 'Threads of the data path; 0 is one for each core.' }),
    0,
  ),
  pods: def(
    object(
      {
        enabled: def(boolean({ doc: 'Run pods as processes of this user.' }), true),
        images: def(
          list(
            object({
              image: string({ minLength: 1, doc: 'Name of the image; * stands for any text.' }),
              command: list(string(), {
                listType: 'atomic',
                minItems: 1,
                doc: 'What to run in its place.',
              }),
              workingDir: opt(string({ doc: 'Where; relative to the folder of the manifest.' })),
            }),
            { listType: 'map', keys: ['image'], doc: 'What to run in place of images.' },
          ),
          [],
        ),
      },
      { doc: 'How pods run.' },
    ),
    {},
  ),
  paths: def(
    object(
      {
        escapedSlashes: def(
          oneOf(['reject', 'keep'], {
            doc: 'reject answers 400 to paths with %2F, %5C or a backslash; keep passes them on.',
          }),
          'reject',
        ),
      },
      { doc: 'How paths of requests are read.' },
    ),
    {},
  ),
  externalBackends: def(
    object(
      {
        externalNameServices: def(
          boolean({
            doc: 'Let routes send requests to Services of type ExternalName. Who may write such a Service chooses where the gateway goes.',
          }),
          false,
        ),
        allowNetworks: def(
          list(string({ pattern: CIDR_PATTERN, doc: 'A network, or an address.' }), {
            listType: 'set',
            doc: 'Where hosts outside may be although it is not outside: loopback, link-local, the cluster.',
          }),
          [],
        ),
        denyNetworks: def(
          list(string({ pattern: CIDR_PATTERN, doc: 'A network, or an address.' }), {
            listType: 'set',
            doc: 'Where hosts outside may not be, besides those networks.',
          }),
          [],
        ),
        nameservers: def(
          list(
            string({
              pattern: '^[0-9a-fA-F.:\\[\\]]+$',
              doc: 'Address, with a port if it is not 53.',
            }),
            {
              listType: 'set',
              doc: 'Who knows their names. By default the servers of the machine.',
            },
          ),
          [],
        ),
      },
      { doc: 'Backends outside the cluster: XBackend, and ExternalName.' },
    ),
    {},
  ),
  limits: def(
    map(integer({ minimum: 0, doc: 'The value.' }), {
      doc: 'Limits of the data path by name, in place of their defaults; docs/limits.md lists them.',
    }),
    {},
  ),
  accessLog: opt(
    object(
      {
        path: string({ minLength: 1, doc: 'A file, or - for standard output.' }),
        format: def(
          oneOf(['json', 'common'], {
            doc: 'One JSON object for each line, or the Common Log Format.',
          }),
          'json',
        ),
      },
      { doc: 'A line for each request. By default there is none.' },
    ),
  ),
  metrics: opt(
    object(
      {
        port: integer({
          minimum: 0,
          maximum: 65_535,
          doc: 'On 127.0.0.1; 0 takes any that is free.',
        }),
      },
      { doc: 'Metrics for Prometheus. By default there are none.' },
    ),
  ),
  requestIds: def(
    boolean({ doc: 'Give requests without x-request-id one, and tell it to clients.' }),
    false,
  ),
  tracing: def(
    oneOf(['pass', 'begin'], {
      doc: 'pass leaves traceparent as it is; begin gives requests without a valid one a new trace.',
    }),
    'pass',
  ),
  explain: def(
    boolean({
      doc: 'Answer requests that carry x-fairway-explain with the rule that took them.',
    }),
    true,
  ),
});
export type Configuration = Infer<typeof CONFIGURATION>;

/** The configuration when nothing is configured. */
export function defaultConfiguration(): Configuration {
  return readConfiguration({ apiVersion: CONFIG_API_VERSION, kind: CONFIG_KIND }, 'defaults');
}

/** Reads a configuration file. Throws FW_CONFIG_INVALID naming every field that is wrong. */
export async function loadConfiguration(path: string): Promise<Configuration> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (cause) {
    throw new FairwayError('FW_CONFIG_UNREADABLE', `cannot read the configuration ${path}`, {
      cause,
      hint: 'check --config and FAIRWAY_CONFIG',
    });
  }
  // Loaded only when there is a file: most starts have none.
  const { LineCounter, parseDocument } = await import('yaml');
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  let value: unknown;
  try {
    const [error] = document.errors;
    if (error !== undefined) throw error;
    value = document.toJS();
  } catch (cause) {
    throw new FairwayError('FW_CONFIG_INVALID', `${path} is not YAML: ${String(cause)}`, { cause });
  }
  return readConfiguration(value, path, (field) => {
    const steps = field.match(/[^.[\]]+/g) ?? [];
    // What is missing stands where it belongs.
    for (let depth = steps.length; depth >= 0; depth--) {
      const node = document.getIn(steps.slice(0, depth).map(indexOrKey), true);
      if (!isScalarOrCollection(node) || node.range === null || node.range === undefined) continue;
      const { line, col } = lines.linePos(node.range[0]);
      const shown = depth === steps.length && isShort(node.value) ? JSON.stringify(node.value) : '';
      return { place: `${path}:${line}:${col}: `, shown };
    }
    return { place: `${path}: `, shown: '' };
  });
}

interface PlacedNode {
  readonly range?: readonly [number, number, number] | null;
  readonly value?: unknown;
}

function isScalarOrCollection(node: unknown): node is PlacedNode {
  return typeof node === 'object' && node !== null && 'range' in node;
}

function indexOrKey(step: string): string | number {
  return /^\d+$/.test(step) ? Number(step) : step;
}

function isShort(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value) && String(value).length <= 60;
}

/** Where a field is written, for the beginning of a line, and its value where that is short. */
type Locate = (field: string) => { readonly place: string; readonly shown: string };

function readConfiguration(
  written: unknown,
  path: string,
  locate: Locate = () => ({ place: '', shown: '' }),
): Configuration {
  const { value, unknown } = normalize(CONFIGURATION, written);
  const wrong = validate(CONFIGURATION, value);
  const { network } = value as Configuration;
  const faults = wrong.length > 0 || unknown.length > 0 ? [] : checkNetwork(network);
  const all = [
    ...wrong.map((error) => [error.path, formatFieldError(error)] as const),
    ...unknown.map((field) => [field, `unknown field "${field}"`] as const),
    ...faults.map((fault) => [fault.path, `${fault.path}: ${fault.message}`] as const),
  ];
  if (all.length > 0) {
    const told = all.map(([field, message]) => {
      const { place, shown } = locate(field);
      return `${place}${message}${shown === '' || message.includes(shown.replaceAll('"', '')) ? '' : ` (it is ${shown})`}`;
    });
    throw new FairwayError('FW_CONFIG_INVALID', `${path} is not valid:\n  ${told.join('\n  ')}`, {
      hint: `docs/configuration.md lists every field`,
    });
  }
  return value as Configuration;
}
