// An HTTP request with `Upgrade: SPDY/3.1` → the protocol both sides speak over it, and the answer that
// makes it so.

import { badRequest, failure } from '../status.ts';
import { listHeader, refuseUpgrade } from '../upgrade.ts';
import type { Upgrade } from '../upgrade.ts';

const VERSION_HEADER = 'x-stream-protocol-version';

/**
 * Picks the first protocol of the client's that the server has too, and switches. Undefined when there
 * is none: the request was refused then.
 */
export function acceptSpdy(upgrade: Upgrade, supported: readonly string[]): string | undefined {
  const offered = listHeader(upgrade.request, VERSION_HEADER);
  if (offered.length === 0) {
    refuseUpgrade(upgrade, badRequest('unable to upgrade: X-Stream-Protocol-Version is required'));
    return undefined;
  }
  const protocol = offered.find((each) => supported.includes(each));
  if (protocol === undefined) {
    const message =
      `unable to upgrade: unable to negotiate protocol: client supports [${offered.join(' ')}], ` +
      `server accepts [${supported.join(' ')}]`;
    refuseUpgrade(upgrade, failure(403, 'Forbidden', message), {
      'x-accepted-stream-protocol-versions': supported.join(','),
    });
    return undefined;
  }
  upgrade.socket.write(
    'HTTP/1.1 101 Switching Protocols\r\n' +
      'Connection: Upgrade\r\nUpgrade: SPDY/3.1\r\n' +
      `X-Stream-Protocol-Version: ${protocol}\r\n\r\n`,
  );
  return protocol;
}
