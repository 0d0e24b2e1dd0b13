import assert from 'node:assert/strict';
import { describe, it } from 'node:test';

import fc from 'fast-check';

import { parseAccept } from './accept.ts';
import {
  DISCOVERY_CONVERSIONS,
  LIST_CONVERSIONS,
  OBJECT_CONVERSIONS,
  TABLE,
  negotiate,
} from './negotiate.ts';
import type { Conversion } from './negotiate.ts';

/** `json Table v1`, or `406` */
function chosen(accept: string | undefined, offered: readonly Conversion[] = LIST_CONVERSIONS) {
  const form = negotiate(accept, offered);
  if ('notAcceptable' in form) return String(form.notAcceptable['code']);
  const { format, conversion } = form;
  return conversion === undefined ? format : `${format} ${conversion.kind} ${conversion.version}`;
}

const table = (version: string) => `application/json;as=Table;v=${version};g=meta.k8s.io`;

describe('negotiation', () => {
  const rows: readonly [string, string | undefined, string][] = [
    ['no header', undefined, 'json'],
    ['an empty header', '', 'json'],
    ['anything', '*/*', 'json'],
    ['anything of application', 'application/*', 'json'],
    ['a browser', 'text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8', 'json'],
    ['YAML', 'application/yaml', 'yaml'],
    ['YAML rather than JSON', 'application/json;q=0.5, application/yaml', 'yaml'],
    ['the first of equals', 'application/yaml, application/json', 'yaml'],
    ['the specific of equals', '*/*, application/yaml', 'yaml'],
    ['kubectl get', `${table('v1')},${table('v1beta1')},application/json`, 'json Table v1'],
    ['an old kubectl', `${table('v1beta1')},application/json`, 'json Table v1beta1'],
    ['a Table that is not offered, or JSON', `${table('v9')},application/json`, 'json'],
    ['a Table that is not offered', table('v9'), '406'],
    ['a Table without group', 'application/json;as=Table;v=v1', '406'],
    [
      'a Table in protobuf',
      'application/vnd.kubernetes.protobuf;as=Table;v=v1;g=meta.k8s.io',
      'json Table v1',
    ],
    [
      'metadata',
      'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1',
      'json PartialObjectMetadataList v1',
    ],
    [
      'metadata in protobuf, as controllers ask',
      'application/vnd.kubernetes.protobuf;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json',
      'json PartialObjectMetadataList v1',
    ],
    ['protobuf only', 'application/vnd.kubernetes.protobuf', 'json'],
    ['protobuf or anything', 'application/vnd.kubernetes.protobuf, */*', 'json'],
    ['protobuf or YAML', 'application/vnd.kubernetes.protobuf, application/yaml;q=0.1', 'yaml'],
    ['CBOR only', 'application/cbor', '406'],
    ['CBOR or JSON', 'application/cbor, application/json;q=0.9', 'json'],
    ['parameters without meaning here', 'application/json;stream=watch;charset=utf-8', 'json'],
    [
      'capitals and spaces',
      ' Application/JSON ; Q=1.0 ; AS="Table" ; V=v1 ; G=meta.k8s.io',
      'json Table v1',
    ],
    ['not JSON', 'application/json;q=0, */*', 'yaml'],
    ['nothing at all', '*/*;q=0', '406'],
    ['a quality that is none', 'application/yaml;q=high, application/json', 'yaml'],
    ['no media type', 'nonsense, application/json', 'json'],
    ['only what is no media type', ';;,,', '406'],
  ];
  for (const [name, accept, wanted] of rows) {
    it(name, () => assert.equal(chosen(accept), wanted));
  }

  it('offers a list and an object each their own', () => {
    const one = 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1';
    assert.equal(chosen(one, OBJECT_CONVERSIONS), 'json PartialObjectMetadata v1');
    assert.equal(chosen(one, LIST_CONVERSIONS), '406');
    assert.equal(chosen(one, TABLE), '406');
  });

  it('says of discovery what it gives', () => {
    const v2 = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList';
    const form = negotiate(`${v2};profile=nopeer`, DISCOVERY_CONVERSIONS);
    assert.equal('contentType' in form && form.contentType, v2);
  });

  it('takes any header', () => {
    const piece = fc.constantFrom(
      'application/json',
      '*/*',
      ';',
      ',',
      '=',
      '"',
      '\\',
      'q=0',
      'as=Table',
      ' ',
    );
    const header = fc.oneof(
      fc.string(),
      fc.array(piece).map((p) => p.join('')),
    );
    fc.assert(
      fc.property(header, (text) => {
        chosen(text);
        for (const { quality } of parseAccept(text)) assert.ok(quality >= 0 && quality <= 1);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads a long header up to a limit', () => {
    assert.ok(parseAccept('application/json,'.repeat(100_000)).length <= 64);
  });
});
