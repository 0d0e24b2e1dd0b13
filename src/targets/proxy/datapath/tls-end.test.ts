// Who was let in on one port must not come in on another by the ticket it got there, as ports may ask
// different things of clients.

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { connect } from 'node:tls';
import { parseAllDocuments } from 'yaml';
import type { ClientValidation } from '../../../model/model.ts';
import { Certificate, CertificateIndex } from './certificates.ts';
import { TlsEnd } from './tls-end.ts';

const folder = join(import.meta.dirname, '../../../../testdata/cases/client-certificates/required');
const objects = parseAllDocuments(readFileSync(join(folder, 'in.yaml'), 'utf8')).map(
  (document) => document.toJS() as Written,
);
interface Written {
  readonly metadata: { readonly name: string };
  readonly stringData?: Readonly<Record<string, string>>;
  readonly data?: Readonly<Record<string, string>>;
}
const named = (name: string): Written => objects.find((o) => o.metadata.name === name) as Written;

const ticketKeys = Buffer.alloc(48, 1);
const certificate = new Certificate(
  {
    key: 'c',
    chain: named('books-certificate').stringData?.['tls.crt'] ?? '',
    privateKey: named('books-certificate').stringData?.['tls.key'] ?? '',
    names: ['books.example'],
  },
  ticketKeys,
);
const required: ClientValidation = {
  isRequired: true,
  authorities: [named('client-authority').data?.['ca.crt'] ?? ''],
};

async function start(name: string, validation: ClientValidation | null): Promise<TlsEnd> {
  const end = new TlsEnd({
    name,
    validation,
    handshakeTimeoutMs: 5000,
    onSecure: (socket) => socket.end('let in'),
  });
  const listener = { id: 'l', hostname: '', certificates: ['c'], named: [], stream: null };
  end.update(
    new CertificateIndex(
      {
        id: name,
        addresses: [],
        port: 0,
        protocol: 'https',
        clientValidation: validation,
        settings: null,
        backendCertificate: null,
        conduct: null,
        listeners: [listener],
      },
      () => certificate,
    ),
  );
  end.server.listen(0, '127.0.0.1');
  await once(end.server, 'listening');
  return end;
}

interface Visit {
  readonly text: string;
  readonly session: Buffer | undefined;
  readonly isReused: boolean;
}

function visit(
  end: TlsEnd,
  session: Buffer | undefined,
  maxVersion: 'TLSv1.2' | 'TLSv1.3',
): Promise<Visit> {
  const { port } = end.server.address() as AddressInfo;
  return new Promise((resolve) => {
    let text = '';
    let received: Buffer | undefined;
    let isReused = false;
    const socket = connect({
      port,
      host: '127.0.0.1',
      servername: 'books.example',
      rejectUnauthorized: false,
      maxVersion,
      ...(session === undefined ? {} : { session }),
    });
    socket.on('secureConnect', () => (isReused = socket.isSessionReused()));
    socket.on('session', (s: Buffer) => (received = s));
    socket.on('data', (bytes: Buffer) => (text += bytes.toString()));
    socket.on('error', () => undefined);
    socket.on('close', () => resolve({ text, session: received, isReused }));
  });
}

describe('a session ticket', () => {
  for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
    it(`is good where it was given, by ${version}`, async () => {
      const open = await start('open', null);
      const first = await visit(open, undefined, version);
      const second = await visit(open, first.session, version);
      open.server.close();
      assert.equal(first.text, 'let in');
      assert.equal(second.text, 'let in');
      assert.ok(second.isReused);
    });

    it(`lets nobody in where a certificate is asked for, by ${version}`, async () => {
      const open = await start('open', null);
      const closed = await start('closed', required);
      const first = await visit(open, undefined, version);
      const second = await visit(closed, first.session, version);
      open.server.close();
      closed.server.close();
      assert.equal(first.text, 'let in');
      assert.equal(second.text, '');
    });
  }
});
