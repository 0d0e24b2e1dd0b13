// fairway explain tls://NAME:PORT: where a connection or a datagram would go that no request is read
// from, and why.

import { FairwayError } from '../lib/errors.ts';
import type { ConnectionFate, ConnectionProbe } from '../model/answer.ts';
import type { Model } from '../model/model.ts';

const CONNECTION = /^(tls|tcp|udp):\/\/([^/:]*):(\d{1,5})\/?$/;

export function isConnection(text: string): boolean {
  return /^(?:tls|tcp|udp):/.test(text);
}

/** The connection asked about: `tls://books.example:443`, `tcp://:5432`, `udp://:53`. */
export function parseConnection(text: string, model: Model): ConnectionProbe {
  const match = CONNECTION.exec(text);
  if (match === null) {
    throw new FairwayError('FW_USAGE', `"${text}" is not a connection`, {
      hint: 'as in: fairway explain tls://books.example:443 examples, or tcp://127.80.0.1:5432',
    });
  }
  const [, transport = '', host = '', port = ''] = match;
  const isAddress = model.entryPoints.some((e) => e.addresses.includes(host));
  return {
    transport: transport as ConnectionProbe['transport'],
    ...(isAddress ? { address: host } : {}),
    port: Number(port),
    serverName: isAddress ? '' : host,
  };
}

/** What becomes of the connection, a line for each backend. */
export function describeConnection(fate: ConnectionFate): readonly string[] {
  switch (fate.kind) {
    case 'refused':
      return [`refused: ${fate.reason}`];
    case 'reset':
      return [`broken off (a datagram: dropped): ${fate.reason}`];
    case 'http':
      return [`requests are read from it by ${fate.listener}: ask with http:// or https://`];
    case 'relay': {
      const total = fate.shares.reduce((sum, { weight }) => sum + weight, 0);
      return fate.shares.map(({ weight, to, endpoints }) => {
        const percent = weight === total ? '' : `${Math.round((weight * 1000) / total) / 10} %: `;
        if (to === null) return `${percent}broken off, as the backend does not exist`;
        if (endpoints.length === 0) return `${percent}broken off, as ${to} has no ready endpoint`;
        return `${percent}handed on to ${to} (${endpoints.join(', ')}), ${MODES[fate.mode]}`;
      });
    }
  }
}

const MODES = {
  passthrough: 'with its TLS untouched',
  terminate: 'without its TLS, which ends here',
  plain: 'as it is',
};
