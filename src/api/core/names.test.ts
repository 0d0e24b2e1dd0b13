import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  checkDomainPrefixedPath,
  checkFullyQualifiedName,
  configKey,
  dns1035Label,
  dns1123Label,
  dns1123Subdomain,
  dnsSearchDomain,
  envVarName,
  httpHeaderName,
  inRange,
  labelKey,
  labelValue,
  pathSegment,
  percent,
  portName,
  portNumber,
  wildcardDns1123Subdomain,
} from './names.ts';

const LABEL =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const SUBDOMAIN =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const KEY =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

const rows = [
  { form: dns1123Label, value: 'web-1', errors: [] },
  { form: dns1123Label, value: '1', errors: [] },
  { form: dns1123Label, value: 'Web', errors: [LABEL] },
  { form: dns1123Label, value: 'web-', errors: [LABEL] },
  { form: dns1123Label, value: 'web.shop', errors: ['must not contain dots'] },
  { form: dns1123Label, value: 'a'.repeat(64), errors: ['must be no more than 63 characters'] },
  { form: dns1123Subdomain, value: 'web.shop', errors: [] },
  { form: dns1123Subdomain, value: 'web..shop', errors: [SUBDOMAIN] },
  { form: dns1123Subdomain, value: '', errors: [SUBDOMAIN] },
  {
    form: dns1123Subdomain,
    value: 'a'.repeat(254),
    errors: ['must be no more than 253 characters'],
  },
  { form: dnsSearchDomain, value: '_tcp.shop.local', errors: [] },
  {
    form: dns1035Label,
    value: '1web',
    errors: [
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')",
    ],
  },
  { form: wildcardDns1123Subdomain, value: '*.example.com', errors: [] },
  {
    form: wildcardDns1123Subdomain,
    value: 'a*.example.com',
    errors: [
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character (e.g. '*.example.com', regex used for validation is '\\*\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')",
    ],
  },
  { form: labelKey, value: 'app.kubernetes.io/name', errors: [] },
  { form: labelKey, value: 'App_1', errors: [] },
  { form: labelKey, value: 'a b', errors: [KEY] },
  { form: labelKey, value: '', errors: ['name part must be non-empty', KEY] },
  { form: labelKey, value: '/name', errors: ['prefix part must be non-empty'] },
  { form: labelKey, value: 'Bad/name', errors: [`prefix part ${SUBDOMAIN}`] },
  { form: labelKey, value: 'a'.repeat(64), errors: ['name part must be no more than 63 bytes'] },
  {
    form: labelKey,
    value: `${'a'.repeat(254)}/name`,
    errors: ['prefix part must be no more than 253 bytes'],
  },
  {
    form: labelKey,
    value: 'a/b/c',
    errors: [
      "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')",
    ],
  },
  { form: labelValue, value: '', errors: [] },
  {
    form: labelValue,
    value: '-x',
    errors: [
      "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
    ],
  },
  { form: labelValue, value: 'x'.repeat(64), errors: ['must be no more than 63 bytes'] },
  { form: pathSegment, value: 'web.17a', errors: [] },
  { form: pathSegment, value: '..', errors: ["may not be '..'"] },
  { form: pathSegment, value: 'a/b%c', errors: ["may not contain '/'", "may not contain '%'"] },
  { form: portName, value: 'http-2', errors: [] },
  { form: portName, value: '8080', errors: ['must contain at least one letter (a-z)'] },
  {
    form: portName,
    value: '-A--',
    errors: [
      'must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)',
      'must contain at least one letter (a-z)',
      'must not contain consecutive hyphens',
      'must not begin or end with a hyphen',
    ],
  },
  { form: portName, value: 'much-too-long-name', errors: ['must be no more than 15 characters'] },
  { form: configKey, value: 'tls.crt', errors: [] },
  { form: configKey, value: '..', errors: ["must not be '..'"] },
  { form: configKey, value: '..data', errors: ["must not start with '..'"] },
  {
    form: configKey,
    value: 'a b',
    errors: [
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')",
    ],
  },
  { form: envVarName, value: 'MY VAR.1', errors: [] },
  { form: envVarName, value: '', errors: ['environment variable name must be non-empty'] },
  {
    form: envVarName,
    value: 'A=B',
    errors: [
      "a valid environment variable name must consist only of printable ASCII characters other than '='",
    ],
  },
  {
    form: httpHeaderName,
    value: 'X Header',
    errors: [
      "a valid HTTP header must consist of alphanumeric characters or '-' (e.g. 'X-Header-Name', regex used for validation is '[-A-Za-z0-9]+')",
    ],
  },
  { form: percent, value: '25%', errors: [] },
  {
    form: percent,
    value: '25',
    errors: [
      "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')",
    ],
  },
];

describe('forms of names', () => {
  for (const { form, value, errors } of rows) {
    it(`${form.name} of ${JSON.stringify(value.slice(0, 30))}`, () =>
      assert.deepEqual(form(value), errors));
  }

  it('ports and ranges name their bounds', () => {
    assert.deepEqual(portNumber(65535), []);
    assert.deepEqual(portNumber(0), ['must be between 1 and 65535, inclusive']);
    assert.deepEqual(inRange(11, 1, 10), ['must be between 1 and 10, inclusive']);
  });

  it('a fully qualified name has two labels or more', () => {
    assert.deepEqual(checkFullyQualifiedName('db.example.com.', 'a'), []);
    assert.match(
      checkFullyQualifiedName('db', 'a')[0]?.message ?? '',
      /should be a domain with at least two segments separated by dots$/,
    );
    assert.equal(checkFullyQualifiedName('', 'a')[0]?.message, 'Required value');
  });

  it('the name of a controller is a path with a domain before it', () => {
    assert.deepEqual(checkDomainPrefixedPath('example.com/a/b', 'a'), []);
    assert.match(
      checkDomainPrefixedPath('example.com', 'a')[0]?.message ?? '',
      /must be a domain-prefixed path \(such as "acme.io\/foo"\)$/,
    );
    assert.equal(
      checkDomainPrefixedPath('example.com/a b', 'a')[0]?.message,
      "Invalid value: \"a b\": Invalid path (regex used for validation is '[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+')",
    );
  });

  it('a long hostile name is refused quickly', () => {
    const started = process.cpuUsage();
    for (const form of [dns1123Subdomain, labelKey, wildcardDns1123Subdomain]) {
      assert.notDeepEqual(form(`${'a-'.repeat(50_000)}!`), []);
    }
    // Backtracking without bound would take minutes.
    assert.ok(process.cpuUsage(started).user < 5_000_000);
  });
});
