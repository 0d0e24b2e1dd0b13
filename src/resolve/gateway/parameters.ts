// What a GatewayClass and a Gateway refer to for settings → the settings of the Gateway's ports. The
// class gives defaults, and what the Gateway says outranks them, value by value. References that lead
// nowhere, or to what cannot be understood, are told as InvalidParameters: nothing is served half set.

import { ConfigMap } from '../../api/core/config-map.ts';
import { GatewayParameters, PARAMETERS } from '../../api/extensions/gateway-parameters.ts';
import type { Parameters } from '../../api/extensions/gateway-parameters.ts';
import { FAIRWAY_GROUP, isOurController } from '../../api/fairway.ts';
import { durationMs } from '../../api/gateway/durations.ts';
import type { Gateway } from '../../api/gateway/gateway.ts';
import { GatewayClass } from '../../api/gateway/gatewayclass.ts';
import { normalize } from '../../api/schema/normalize.ts';
import type { Node } from '../../api/schema/schema.ts';
import { validate } from '../../api/schema/validate.ts';
import { nearest } from '../../lib/nearest.ts';
import type { ClientLimits, PortSettings } from '../../model/port-settings.ts';
import type { Reader } from '../reader.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';

/** What came of reading a reference: the settings, or why there are none. */
type Read = { readonly parameters: Parameters } | { readonly trouble: Problem };

const NONE: Read = { parameters: {} };

/** The settings a class of ours gives its Gateways. */
export function classParameters(gatewayClass: GatewayClass, reader: Reader): Read {
  const ref = gatewayClass.spec.parametersRef;
  if (ref === undefined) return NONE;
  const field = 'spec.parametersRef';
  if (ref.namespace === undefined && isKnown(ref)) {
    const message = `the reference to ${ref.kind} "${ref.name}" says no namespace`;
    return invalid(`${field}.namespace`, message, 'add the namespace the object is in');
  }
  return read({ ...ref, namespace: ref.namespace ?? '' }, field, reader);
}

/** The settings of a Gateway's ports; undefined when all are the default. */
export function gatewaySettings(
  { metadata, spec }: Gateway,
  reader: Reader,
): { readonly settings: PortSettings | undefined; readonly troubles: readonly Problem[] } {
  const gatewayClass = reader.get(GatewayClass, '', spec.gatewayClassName);
  const isOurs = gatewayClass !== undefined && isOurController(gatewayClass.spec.controllerName);
  const ofClass = isOurs ? classParameters(gatewayClass, reader) : NONE;
  const ref = spec.infrastructure?.parametersRef;
  const own =
    ref === undefined
      ? NONE
      : read(
          { ...ref, namespace: metadata.namespace ?? '' },
          'spec.infrastructure.parametersRef',
          reader,
        );
  if ('trouble' in ofClass || 'trouble' in own) {
    const troubles = [
      ...('trouble' in ofClass ? [byClass(spec.gatewayClassName, ofClass.trouble)] : []),
      ...('trouble' in own ? [own.trouble] : []),
    ];
    return { settings: undefined, troubles };
  }
  return { settings: toSettings(merge(ofClass.parameters, own.parameters)), troubles: [] };
}

function byClass(name: string, { reason, message }: Problem): Problem {
  const hint = `the Gateway is served once GatewayClass "${name}" is accepted`;
  return problem(reason, 'spec.gatewayClassName', `GatewayClass "${name}": ${message}`, hint);
}

interface Reference {
  readonly group: string;
  readonly kind: string;
  readonly name: string;
  readonly namespace: string;
}

function isKnown({ group, kind }: Pick<Reference, 'group' | 'kind'>): boolean {
  return (
    (group === '' && kind === ConfigMap.kind) ||
    (group === FAIRWAY_GROUP && kind === GatewayParameters.kind)
  );
}

function read(ref: Reference, field: string, reader: Reader): Read {
  const { group, kind, namespace, name } = ref;
  if (!isKnown(ref)) {
    const what = group === '' ? kind : `${kind}.${group}`;
    return invalid(
      field,
      `Fairway takes no parameters of kind ${what}`,
      `refer to a ${GatewayParameters.kind}.${FAIRWAY_GROUP} or to a ConfigMap, or take the reference out`,
    );
  }
  const title = `${kind} ${namespace}/${name}`;
  const missing = (): Read =>
    invalid(field, `${title} does not exist`, 'create it, or take the reference out');
  if (group === FAIRWAY_GROUP) {
    const found = reader.get(GatewayParameters, namespace, name);
    return found === undefined ? missing() : { parameters: found.spec };
  }
  const found = reader.get(ConfigMap, namespace, name);
  return found === undefined ? missing() : readConfigMap(found.data ?? {}, title, field);
}

function invalid(field: string, message: string, hint: string): Read {
  return { trouble: problem('InvalidParameters', field, message, hint) };
}

/** Where each value may be written in a ConfigMap, as `timeouts.head`. */
const KEYS: ReadonlyMap<string, Node> = new Map(leavesOf(PARAMETERS, ''));

function leavesOf(node: Node, path: string): readonly (readonly [string, Node])[] {
  if (node.type !== 'object') return [[path, node]];
  return [...node.fields].flatMap(([name, field]) =>
    leavesOf(field.node, path === '' ? name : `${path}.${name}`),
  );
}

function readConfigMap(data: Readonly<Record<string, string>>, title: string, field: string): Read {
  const written: Record<string, Record<string, unknown>> = {};
  for (const [key, text] of Object.entries(data)) {
    const node = KEYS.get(key);
    if (node === undefined) {
      const meant = nearest(key, [...KEYS.keys()]);
      return invalid(
        field,
        `${title} has the key "${key}", which is no setting`,
        meant === undefined ? `settings are ${[...KEYS.keys()].join(', ')}` : `it may be ${meant}`,
      );
    }
    const [group = '', name = ''] = key.split('.');
    (written[group] ??= {})[name] = toValue(node, text.trim());
  }
  const { value } = normalize(PARAMETERS, written);
  const [wrong] = validate(PARAMETERS, value);
  if (wrong !== undefined) {
    const [, key = '', place = ''] = /^([^[]*)(.*)$/.exec(wrong.path) ?? [];
    const text = data[key];
    const told = text === undefined ? '' : ` is ${JSON.stringify(text)}, which is not valid`;
    return invalid(field, `${title}: ${key}${place}${told}: ${plain(wrong.message)}`, 'correct it');
  }
  return { parameters: value as Parameters };
}

/** The last words of a validation message: what ought to be. */
function plain(message: string): string {
  const integer = / must be of type integer/.test(message);
  return integer ? 'must be a whole number' : message.replace(/^Invalid value: [^:]*: /, '');
}

/** A text as the value it stands for; as it is where it is none, for validation to complain of. */
function toValue(node: Node, text: string): unknown {
  if (node.type === 'integer') return /^-?[0-9]{1,15}$/.test(text) ? Number(text) : text;
  if (node.type === 'list') return text.split(/[\s,]+/).filter((part) => part !== '');
  return text;
}

/** Value by value, but for the client's address: whom to trust belongs to how it is said. */
function merge(defaults: Parameters, own: Parameters): Parameters {
  const clientAddress = own.clientAddress ?? defaults.clientAddress;
  return {
    limits: { ...defaults.limits, ...own.limits },
    timeouts: { ...defaults.timeouts, ...own.timeouts },
    tls: { ...defaults.tls, ...own.tls },
    ...(clientAddress === undefined ? {} : { clientAddress }),
  };
}

function toSettings({
  limits = {},
  timeouts = {},
  tls = {},
  clientAddress,
}: Parameters): PortSettings | undefined {
  const values: Record<keyof ClientLimits, number | undefined> = {
    targetBytesMax: limits.targetBytes,
    headBytesMax: limits.headBytes,
    headFieldsMax: limits.headFields,
    streamsMax: limits.streams,
    headTimeoutMs: milliseconds(timeouts.head),
    bodyIdleTimeoutMs: milliseconds(timeouts.bodyIdle),
    keepAliveTimeoutMs: milliseconds(timeouts.keepAlive),
    handshakeTimeoutMs: milliseconds(timeouts.handshake),
  };
  const set = Object.fromEntries(Object.entries(values).filter(([, v]) => v !== undefined));
  const settings: PortSettings = {
    limits: set as ClientLimits,
    ...(tls.minVersion === undefined ? {} : { tlsMinVersion: `TLSv${tls.minVersion}` as const }),
    ...(clientAddress === undefined
      ? {}
      : {
          clientAddress: {
            from: clientAddress.from === 'ProxyProtocol' ? 'proxyProtocol' : 'xForwardedFor',
            trusted: clientAddress.trustedProxies,
          } as const,
        }),
  };
  const isDefault = Object.keys(set).length === 0 && Object.keys(settings).length === 1;
  return isDefault ? undefined : settings;
}

function milliseconds(duration: string | undefined): number | undefined {
  return duration === undefined ? undefined : durationMs(duration);
}
