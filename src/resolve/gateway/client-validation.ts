// Which certificates clients of an HTTPS port must show (spec.tls.frontend). A port without an entry of
// its own has the default; one with an entry has that as a whole. When no authority can be read, the
// listeners of the port are not served: to let everybody in would be the wrong way to fail.

import { ConfigMap } from '../../api/core/config-map.ts';
import type { Gateway } from '../../api/gateway/gateway.ts';
import type { ClientValidation } from '../../model/model.ts';
import { problem } from '../status/conditions.ts';
import type { Problem } from '../status/conditions.ts';
import { readAuthority } from './authorities.ts';
import type { Surroundings } from './grants.ts';
import { GATEWAY_GROUP } from './names.ts';

export interface ResolvedClientValidation {
  /** Undefined when nothing is asked of clients, or nothing can be. */
  readonly validation: ClientValidation | undefined;
  readonly unaccepted: readonly Problem[];
  readonly unresolved: readonly Problem[];
}

const NOTHING: ResolvedClientValidation = {
  validation: undefined,
  unaccepted: [],
  unresolved: [],
};

export function resolveClientValidation(
  gateway: Gateway,
  port: number,
  surroundings: Surroundings,
): ResolvedClientValidation {
  const { frontend } = gateway.spec.tls ?? {};
  if (frontend === undefined) return NOTHING;
  const index = (frontend.perPort ?? []).findIndex((entry) => entry.port === port);
  const own = frontend.perPort?.[index];
  const written = own === undefined ? frontend.default.validation : own.tls.validation;
  if (written === undefined) return NOTHING;
  const place = own === undefined ? 'default' : `perPort[${index}].tls`;
  const field = `spec.tls.frontend.${place}.validation.caCertificateRefs`;
  const authorities: string[] = [];
  const unresolved: Problem[] = [];
  written.caCertificateRefs.forEach((ref, i) => {
    const found = resolveRef(ref, gateway.metadata.namespace ?? '', `${field}[${i}]`, surroundings);
    if ('pem' in found) authorities.push(found.pem);
    else unresolved.push(found);
  });
  if (authorities.length === 0) {
    const message = `port ${port}: no authority to check clients by can be used, so none is let in`;
    const unaccepted = [problem('NoValidCACertificate', field, message)];
    return { validation: undefined, unaccepted, unresolved };
  }
  const isRequired = written.mode === 'AllowValidOnly';
  return { validation: { isRequired, authorities }, unaccepted: [], unresolved };
}

type Ref = NonNullable<
  NonNullable<NonNullable<Gateway['spec']['tls']>['frontend']>['default']['validation']
>['caCertificateRefs'][number];

function resolveRef(
  ref: Ref,
  namespace: string,
  field: string,
  { reader, grants }: Surroundings,
): { readonly pem: string } | Problem {
  const to = { ...ref, namespace: ref.namespace ?? namespace };
  if (ref.group !== '' || ref.kind !== ConfigMap.kind) {
    const message = `authorities of clients come from ConfigMaps, not from ${ref.kind} "${ref.name}"`;
    return problem('InvalidCACertificateKind', field, message);
  }
  if (!grants.permits({ group: GATEWAY_GROUP, kind: 'Gateway', namespace }, to)) {
    const message = `no ReferenceGrant in namespace "${to.namespace}" lets Gateways of "${namespace}" use ConfigMap "${ref.name}"`;
    return problem(
      'RefNotPermitted',
      field,
      message,
      `add a ReferenceGrant to namespace ${to.namespace}`,
    );
  }
  const found = readAuthority(to, reader);
  return 'pem' in found ? found : problem('InvalidCACertificateRef', field, found.trouble);
}

/** Whether some port lets clients in whose certificate is not valid. */
export function isInsecure({ spec }: Gateway): boolean {
  const { default: general, perPort = [] } = spec.tls?.frontend ?? {};
  const modes = [general?.validation?.mode, ...perPort.map(({ tls }) => tls.validation?.mode)];
  return modes.includes('AllowInsecureFallback');
}
