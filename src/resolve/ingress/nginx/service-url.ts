// URLs of Services, as they are written where only the cluster's own names can be meant.

import { Service } from '../../../api/core/service.ts';
import type { Snapshot } from '../../../store/snapshot.ts';
import type { BackendUse } from '../../gateway/backends.ts';
import { useOf } from '../backends.ts';

/** The Service a URL of the cluster names; undefined when it names none. */
export function serviceOfUrl(url: string, own: string, snapshot: Snapshot): BackendUse | undefined {
  const match =
    /^http:\/\/([a-z0-9-]+)(?:\.([a-z0-9-]+)(?:\.svc(?:\.[a-z0-9.-]+)?)?)?(?::(\d+))?(?:[/?$].*)?$/.exec(
      url,
    );
  if (match === null) return undefined;
  const [, name = '', namespace = own, port = '80'] = match;
  const service = snapshot.get(Service, namespace, name);
  const found = service?.spec.ports?.find((p) => p.port === Number(port) && p.protocol === 'TCP');
  return found === undefined ? undefined : useOf(namespace, name, found);
}
