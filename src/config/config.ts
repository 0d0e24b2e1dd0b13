// The FairwayConfiguration kind: everything that can be set, with its default. Flags outrank the
// environment, which outranks the file.

import { readFile } from 'node:fs/promises';
import { formatFieldError } from '../api/schema/errors.ts';
import { normalize } from '../api/schema/normalize.ts';
import { boolean, def, integer, list, object, oneOf, opt, string } from '../api/schema/schema.ts';
import type { Infer } from '../api/schema/schema.ts';
import { validate } from '../api/schema/validate.ts';
import { FairwayError } from '../lib/errors.ts';

export const CONFIG_API_VERSION = 'fairway.dev/v1alpha1';
export const CONFIG_KIND = 'FairwayConfiguration';

const cidr = (doc: string) =>
  opt(string({ pattern: '^[0-9]{1,3}(\\.[0-9]{1,3}){3}/[0-9]{1,2}$', doc }));

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
        localhost: def(
          boolean({ doc: 'Serve the first Gateway on localhost too: 80 as 8080, 443 as 8443.' }),
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
  const { parse } = await import('yaml');
  let value: unknown;
  try {
    value = parse(text);
  } catch (cause) {
    throw new FairwayError('FW_CONFIG_INVALID', `${path} is not YAML: ${String(cause)}`, { cause });
  }
  return readConfiguration(value, path);
}

function readConfiguration(written: unknown, path: string): Configuration {
  const { value, unknown } = normalize(CONFIGURATION, written);
  const errors = validate(CONFIGURATION, value).map(formatFieldError);
  const all = [...errors, ...unknown.map((field) => `unknown field "${field}"`)];
  if (all.length > 0) {
    throw new FairwayError('FW_CONFIG_INVALID', `${path} is not valid: ${all.join('; ')}`, {
      hint: `docs/configuration.md lists every field`,
    });
  }
  return value as Configuration;
}
