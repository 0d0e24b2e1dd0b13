import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ConfigMap } from './config-map.ts';
import { Secret } from './secret.ts';
import { cells, named, testRows, valid } from './testing.ts';

function secret(rest: object): object {
  return { apiVersion: 'v1', kind: 'Secret', metadata: named('web'), ...rest };
}

function configMap(rest: object): object {
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata: named('web'), ...rest };
}

const KEY =
  "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')";
const tooMuch = 'a'.repeat(1024 * 1024 + 1);
const IMMUTABLE = 'Forbidden: field is immutable when `immutable` is set';

describe('a Secret', () => {
  it('plain text is stored encoded, over what was there', () => {
    const { data, ...rest } = valid(
      Secret,
      secret({ type: '', data: { a: 'YQ==', b: 'YQ==' }, stringData: { b: 'é', c: '' } }),
    );
    assert.deepEqual(data, { a: 'YQ==', b: 'w6k=', c: '' });
    assert.equal('stringData' in rest, false);
    assert.equal(rest.type, 'Opaque');
  });

  it('columns show its type and how much it holds', () =>
    assert.deepEqual(cells(Secret, secret({ data: { a: 'YQ==' }, stringData: { b: 'x' } })), {
      Type: 'Opaque',
      Data: 2,
    }));

  testRows(Secret, [
    {
      title: 'keys become names of files',
      object: secret({ data: { 'a b': '', '..': '' } }),
      errors: [
        `data[a b]: Invalid value: "a b": ${KEY}`,
        'data[..]: Invalid value: "..": must not be \'..\'',
      ],
    },
    {
      title: 'what is not base64 is not shown',
      object: secret({ data: { password: 'hunter2!' } }),
      errors: ['data.password: Invalid value: "<contents redacted>": illegal base64 data'],
    },
    {
      title: 'line ends in base64 do no harm',
      object: secret({ data: { a: 'YWFh\nYQ==\n' } }),
      errors: [],
    },
    {
      title: 'text that is no text is left for validation',
      object: secret({ stringData: { a: 5 } }),
      errors: [
        'stringData.a: Invalid value: "integer": stringData.a in body must be of type string: "integer"',
      ],
    },
    {
      title: 'a certificate comes with its key',
      object: secret({ type: 'kubernetes.io/tls', data: { 'ca.crt': '' } }),
      errors: ['data[tls.crt]: Required value', 'data[tls.key]: Required value'],
    },
    {
      title: 'a user or a password is enough',
      object: secret({ type: 'kubernetes.io/basic-auth', stringData: { password: '' } }),
      errors: [],
    },
    {
      title: 'without user and password there is nothing',
      object: secret({ type: 'kubernetes.io/basic-auth' }),
      errors: ['data[username]: Required value', 'data[password]: Required value'],
    },
    {
      title: 'an SSH key is not empty',
      object: secret({ type: 'kubernetes.io/ssh-auth', data: { 'ssh-privatekey': '' } }),
      errors: ['data[ssh-privatekey]: Required value'],
    },
    {
      title: 'settings for registries are JSON',
      object: secret({
        type: 'kubernetes.io/dockerconfigjson',
        stringData: { '.dockerconfigjson': 'user: me' },
      }),
      errors: [
        'data[.dockerconfigjson]: Invalid value: "<secret contents redacted>": must be a JSON object',
      ],
    },
    {
      title: 'settings for registries are there',
      object: secret({ type: 'kubernetes.io/dockercfg' }),
      errors: ['data[.dockercfg]: Required value'],
    },
    {
      title: 'a token says whose it is',
      object: secret({ type: 'kubernetes.io/service-account-token' }),
      errors: ['metadata.annotations[kubernetes.io/service-account.name]: Required value'],
    },
    {
      title: 'a mebibyte is enough',
      object: secret({ stringData: { a: tooMuch } }),
      errors: ['data: Too long: may not be more than 1048576 bytes'],
    },
    {
      title: 'the type is for life',
      object: secret({ type: 'example.com/a' }),
      old: secret({}),
      errors: ['type: Invalid value: "example.com/a": field is immutable'],
    },
    {
      title: 'what is immutable stays',
      object: secret({ data: { a: 'YQ==' } }),
      old: secret({ immutable: true, data: { a: '' } }),
      errors: [`immutable: ${IMMUTABLE}`, `data: ${IMMUTABLE}`],
    },
  ]);
});

describe('a ConfigMap', () => {
  it('columns count text and bytes', () =>
    assert.deepEqual(cells(ConfigMap, configMap({ data: { a: '' }, binaryData: { b: 'YQ==' } })), {
      Data: 2,
    }));

  testRows(ConfigMap, [
    {
      title: 'keys become names of files, and come once',
      object: configMap({ data: { '..a': '', b: '' }, binaryData: { b: '' } }),
      errors: [
        'data[..a]: Invalid value: "..a": must not start with \'..\'',
        'data[b]: Invalid value: "b": duplicate of key present in binaryData',
      ],
    },
    {
      title: 'a mebibyte is enough',
      object: configMap({ data: { a: tooMuch } }),
      errors: ['Too long: may not be more than 1048576 bytes'],
    },
    {
      title: 'what is immutable stays',
      object: configMap({ immutable: true, data: { a: 'c' }, binaryData: { b: 'YQ==' } }),
      old: configMap({ immutable: true, data: { a: 'b' } }),
      errors: [`data: ${IMMUTABLE}`, `binaryData: ${IMMUTABLE}`],
    },
  ]);
});
