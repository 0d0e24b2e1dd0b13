// The forms of names in Kubernetes. Each function returns what is wrong with a text, nothing when it is
// well formed, in Kubernetes' own words (k8s.io/apimachinery/pkg/util/validation): people search for
// them, and clients match on them.

import { fieldError } from '../schema/errors.ts';
import type { FieldError } from '../schema/errors.ts';

export type NameForm = (value: string) => readonly string[];

const OK: readonly string[] = [];

const LABEL_1123 = '[a-z0-9]([-a-z0-9]*[a-z0-9])?';
const SUBDOMAIN_1123 = `${LABEL_1123}(\\.${LABEL_1123})*`;
const UNDERSCORE_LABEL = '_?[a-z0-9]([-_a-z0-9]*[a-z0-9])?';
const UNDERSCORE_SUBDOMAIN = `${UNDERSCORE_LABEL}(\\.${UNDERSCORE_LABEL})*`;
const LABEL_1035 = '[a-z]([-a-z0-9]*[a-z0-9])?';
const WILDCARD_SUBDOMAIN = `\\*\\.${SUBDOMAIN_1123}`;
const LABEL_KEY = '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]';
const LABEL_VALUE = `(${LABEL_KEY})?`;
const HTTP_HEADER = '[-A-Za-z0-9]+';
const HTTP_PATH = "[A-Za-z0-9/\\-._~%!$&'()*+,;=:]+";
const CONFIG_KEY = '[-._a-zA-Z0-9]+';
const PERCENT = '[0-9]+%';

const label1123 = whole(LABEL_1123);
const subdomain1123 = whole(SUBDOMAIN_1123);
const underscoreSubdomain = whole(UNDERSCORE_SUBDOMAIN);
const label1035 = whole(LABEL_1035);
const wildcardSubdomain = whole(WILDCARD_SUBDOMAIN);
const labelKeyName = whole(LABEL_KEY);
const labelValueText = whole(LABEL_VALUE);
const httpHeader = whole(HTTP_HEADER);
const httpPath = whole(HTTP_PATH);
const configKeyText = whole(CONFIG_KEY);
const percentText = whole(PERCENT);

/** A label of a DNS name: containers, ports of Services, namespaces. */
export function dns1123Label(value: string): readonly string[] {
  const fits = value.length <= 63;
  if (fits && label1123.test(value)) return OK;
  const errors = fits ? [] : [tooLong(63)];
  if (label1123.test(value)) return errors;
  const detail = subdomain1123.test(value)
    ? 'must not contain dots'
    : regexError(
        "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character",
        LABEL_1123,
        ['my-name', '123-abc'],
      );
  return [...errors, detail];
}

/** A DNS name: most objects. */
export function dns1123Subdomain(value: string): readonly string[] {
  return limited(value, 253, subdomain1123, () =>
    regexError(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character",
      SUBDOMAIN_1123,
      ['example.com'],
    ),
  );
}

/** A search domain of a resolver, where labels may begin with an underscore. */
export function dnsSearchDomain(value: string): readonly string[] {
  return limited(value, 253, underscoreSubdomain, () =>
    regexError(
      "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '_', '-' or '.', and must start and end with an alphanumeric character",
      UNDERSCORE_SUBDOMAIN,
      ['example.com'],
    ),
  );
}

/** `*.` and a DNS name: hosts of Ingresses. */
export function wildcardDns1123Subdomain(value: string): readonly string[] {
  return limited(value, 253, wildcardSubdomain, () =>
    regexError(
      "a wildcard DNS-1123 subdomain must start with '*.', followed by a valid DNS subdomain, which must consist of lower case alphanumeric characters, '-' or '.' and end with an alphanumeric character",
      WILDCARD_SUBDOMAIN,
      ['*.example.com'],
    ),
  );
}

/** The stricter label of RFC 1035, which begins with a letter. */
export function dns1035Label(value: string): readonly string[] {
  return limited(value, 63, label1035, () =>
    regexError(
      "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character",
      LABEL_1035,
      ['my-name', 'abc-123'],
    ),
  );
}

/** A name that stands in a URL as it is. */
export function pathSegment(value: string): readonly string[] {
  if (value === '.' || value === '..') return [`may not be '${value}'`];
  return ['/', '%']
    .filter((part) => value.includes(part))
    .map((part) => `may not contain '${part}'`);
}

const LABEL_KEY_DETAIL = regexError(
  "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
  LABEL_KEY,
  ['MyName', 'my.name', '123-abc'],
);

/** A key of a label, with or without prefix: `app`, `app.kubernetes.io/name`. */
export function labelKey(value: string): readonly string[] {
  if (value.length <= 63 && labelKeyName.test(value)) return OK;
  const parts = value.split('/');
  if (parts.length > 2) {
    return [
      `a valid label key ${LABEL_KEY_DETAIL} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')`,
    ];
  }
  const name = parts[parts.length - 1] ?? '';
  const errors: string[] = parts.length === 2 ? [...prefixErrors(parts[0] ?? '')] : [];
  if (name === '') errors.push('name part must be non-empty');
  else if (name.length > 63) errors.push(`name part ${tooManyBytes(63)}`);
  if (!labelKeyName.test(name)) errors.push(`name part ${LABEL_KEY_DETAIL}`);
  return errors;
}

function prefixErrors(prefix: string): readonly string[] {
  if (prefix === '') return ['prefix part must be non-empty'];
  // Upstream checks this part with a newer function, which counts bytes.
  return dns1123Subdomain(prefix).map(
    (error) => `prefix part ${error === tooLong(253) ? tooManyBytes(253) : error}`,
  );
}

export function labelValue(value: string): readonly string[] {
  const fits = value.length <= 63;
  if (labelValueText.test(value)) return fits ? OK : [tooManyBytes(63)];
  const detail = regexError(
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character",
    LABEL_VALUE,
    ['MyValue', 'my_value', '12345'],
  );
  return fits ? [detail] : [tooManyBytes(63), detail];
}

/** A name of a container port (RFC 6335). */
export function portName(value: string): readonly string[] {
  const errors: string[] = [];
  if (value.length > 15) errors.push(tooLong(15));
  if (!/^[-a-z0-9]+$/.test(value)) {
    errors.push('must contain only alpha-numeric characters (a-z, 0-9), and hyphens (-)');
  }
  if (!/[a-z]/.test(value)) errors.push('must contain at least one letter (a-z)');
  if (value.includes('--')) errors.push('must not contain consecutive hyphens');
  if (value.startsWith('-') || value.endsWith('-')) {
    errors.push('must not begin or end with a hyphen');
  }
  return errors;
}

/** A key of a ConfigMap or Secret, which becomes the name of a file. */
export function configKey(value: string): readonly string[] {
  const errors = limited(value, 253, configKeyText, () =>
    regexError(
      "a valid config key must consist of alphanumeric characters, '-', '_' or '.'",
      CONFIG_KEY,
      ['key.name', 'KEY_NAME', 'key-name'],
    ),
  );
  if (value === '.' || value === '..') return [...errors, `must not be '${value}'`];
  return value.startsWith('..') ? [...errors, "must not start with '..'"] : errors;
}

/** A name of an environment variable. */
export function envVarName(value: string): readonly string[] {
  if (value === '') return ['environment variable name must be non-empty'];
  return /^[ -<>-~]+$/.test(value)
    ? OK
    : [
        "a valid environment variable name must consist only of printable ASCII characters other than '='",
      ];
}

export function httpHeaderName(value: string): readonly string[] {
  return httpHeader.test(value)
    ? OK
    : [
        regexError(
          "a valid HTTP header must consist of alphanumeric characters or '-'",
          HTTP_HEADER,
          ['X-Header-Name'],
        ),
      ];
}

export function percent(value: string): readonly string[] {
  return percentText.test(value)
    ? OK
    : [
        regexError(
          "a valid percent string must be a numeric string followed by an ending '%'",
          PERCENT,
          ['1%', '93%'],
        ),
      ];
}

export function portNumber(value: number): readonly string[] {
  return inRange(value, 1, 65535);
}

export function inRange(value: number, lowest: number, highest: number): readonly string[] {
  return value >= lowest && value <= highest
    ? OK
    : [`must be between ${lowest} and ${highest}, inclusive`];
}

/** A DNS name of two labels or more; a final dot is allowed. */
export function checkFullyQualifiedName(value: string, path: string): readonly FieldError[] {
  if (value === '') return [fieldError.required(path)];
  const name = value.endsWith('.') ? value.slice(0, -1) : value;
  const subdomain = dns1123Subdomain(name);
  if (subdomain.length > 0) return [fieldError.invalid(path, name, subdomain.join(','))];
  const labels = name.split('.');
  if (labels.length < 2) {
    const detail = 'should be a domain with at least two segments separated by dots';
    return [fieldError.invalid(path, name, detail)];
  }
  for (const label of labels) {
    const errors = dns1123Label(label);
    if (errors.length > 0) return [fieldError.invalid(path, label, errors.join(','))];
  }
  return [];
}

/** `example.com/controller`, as an IngressClass names its controller. */
export function checkDomainPrefixedPath(value: string, path: string): readonly FieldError[] {
  if (value === '') return [fieldError.required(path)];
  const slash = value.indexOf('/');
  if (slash < 1 || slash === value.length - 1) {
    const detail = 'must be a domain-prefixed path (such as "acme.io/foo")';
    return [fieldError.invalid(path, value, detail)];
  }
  const host = value.slice(0, slash);
  const rest = value.slice(slash + 1);
  const errors = dns1123Subdomain(host).map((detail) => fieldError.invalid(path, host, detail));
  return httpPath.test(rest)
    ? errors
    : [...errors, fieldError.invalid(path, rest, regexError('Invalid path', HTTP_PATH, []))];
}

/** Adds one error for everything that is wrong with `value`. */
export function checkName(form: NameForm, value: string, path: string, errors: FieldError[]): void {
  for (const detail of form(value)) errors.push(fieldError.invalid(path, value, detail));
}

/** A port by number or by name. */
export function checkPortReference(
  port: number | string,
  path: string,
  errors: FieldError[],
): void {
  const details = typeof port === 'number' ? portNumber(port) : portName(port);
  for (const detail of details) errors.push(fieldError.invalid(path, port, detail));
}

function whole(source: string): RegExp {
  return new RegExp(`^${source}$`);
}

function limited(
  value: string,
  lengthMax: number,
  form: RegExp,
  detail: () => string,
): readonly string[] {
  const fits = value.length <= lengthMax;
  if (form.test(value)) return fits ? OK : [tooLong(lengthMax)];
  return fits ? [detail()] : [tooLong(lengthMax), detail()];
}

function tooManyBytes(bytesMax: number): string {
  return `must be no more than ${bytesMax} bytes`;
}

function tooLong(lengthMax: number): string {
  return `must be no more than ${lengthMax} characters`;
}

function regexError(detail: string, source: string, examples: readonly string[]): string {
  const used = `regex used for validation is '${source}')`;
  if (examples.length === 0) return `${detail} (${used}`;
  return `${detail} (e.g. ${examples.map((example) => `'${example}', `).join(' or ')}${used}`;
}
