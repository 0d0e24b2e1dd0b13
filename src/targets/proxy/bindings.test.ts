import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { claimLocalhost, planBindings } from './bindings.ts';
import { EMPTY_PROGRAM } from './patch.ts';
import type { ProxyProgram, SocketProgram } from './program.ts';

const RULES = { firstOpenPort: 0, localhostOffset: 8000 };

function socket(gateway: string, ...addresses: readonly string[]): SocketProgram {
  return {
    id: `${gateway}:80`,
    addresses,
    port: 80,
    protocol: 'http',
    clientValidation: null,
    settings: null,
    backendCertificate: null,
    conduct: null,
    listeners: [],
  };
}

/** Which Gateway has localhost in each of several programs, one after the other. */
function onLocalhost(...programs: readonly (readonly SocketProgram[])[]): readonly unknown[] {
  let claims: readonly string[] = [];
  return programs.map((sockets) => {
    const program: ProxyProgram = { ...EMPTY_PROGRAM, sockets };
    claims = claimLocalhost(program, claims);
    const bindings = planBindings(program, RULES, claims);
    return bindings.filter(({ address }) => address === '127.0.0.1').map((b) => b.socket);
  });
}

describe('localhost', () => {
  const web = socket('default/web', '127.80.0.1');
  const before = socket('default/a', '127.80.0.2');

  it('is of the Gateway with the lowest address', () => {
    const late = socket('default/a', '127.80.0.10');
    assert.deepEqual(onLocalhost([late, web]), [['default/web:80']]);
    assert.deepEqual(onLocalhost([socket('default/none'), web]), [['default/web:80']]);
  });

  it('is not taken away by who comes later', () => {
    const lower = socket('default/a', '127.80.0.0');
    assert.deepEqual(onLocalhost([web], [before, web], [lower, web]), [
      ['default/web:80'],
      ['default/web:80'],
      ['default/web:80'],
    ]);
  });

  it('goes on when its Gateway goes, and back when it comes back', () => {
    assert.deepEqual(onLocalhost([before, web], [before], [before, web], []), [
      ['default/web:80'],
      ['default/a:80'],
      ['default/web:80'],
      [],
    ]);
  });

  it('is of a Gateway without addresses when there is no other', () => {
    assert.deepEqual(onLocalhost([socket('b/b'), socket('c/c')]), [['b/b:80']]);
  });
});
