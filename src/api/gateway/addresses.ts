// Addresses of a Gateway: those asked for in its spec, and those it got in its status. They differ in
// one thing: a value may be left out only when asking.

import { fieldError } from '../schema/errors.ts';
import { isIPv4, isIPv6 } from '../schema/formats.ts';
import { def, list, object, opt, string } from '../schema/schema.ts';
import type { Combined } from '../schema/schema.ts';
import { DNS_SUBDOMAIN } from './fields.ts';
import { distinct, rule } from './rules.ts';

interface Address {
  readonly type?: string;
  readonly value?: string;
}

const HOSTNAME = `^(\\*\\.)?${DNS_SUBDOMAIN}$`;
const hostname = new RegExp(HOSTNAME);

const AddressType = string({
  minLength: 1,
  maxLength: 253,
  pattern: `^Hostname|IPAddress|NamedAddress|${DNS_SUBDOMAIN}\\/[A-Za-z0-9\\/\\-._~%!$&'()*+,;=:]+$`,
  doc: 'IPAddress, Hostname, NamedAddress (a name the implementation knows), or a type of an implementation, as example.com/type.',
});

/** An IPAddress is an IPv4 or IPv6 address; other types are not looked at. */
const ipWhenIPAddress: Combined = {
  openApi: {
    oneOf: [
      {
        properties: {
          type: { enum: ['IPAddress'] },
          value: { anyOf: [{ format: 'ipv4' }, { format: 'ipv6' }] },
        },
      },
      { properties: { type: { not: { enum: ['IPAddress'] } } } },
    ],
  },
  check: ({ type, value }, path) =>
    type !== 'IPAddress' || typeof value !== 'string' || isIPv4(value, true) || isIPv6(value)
      ? []
      : [
          fieldError.invalid(
            '',
            '',
            `"${path}" must validate one and only one schema (oneOf). Found none valid`,
          ),
          fieldError.invalid('', '', `"${path}.value" must validate at least one schema (anyOf)`),
          fieldError.format(`${path}.value`, value, 'ipv4'),
        ],
};

const hasHostname = ({ type, value }: Address) =>
  type !== 'Hostname' || value === undefined || hostname.test(value);

const distinctOfType = (type: string) =>
  rule<readonly Address[]>(`${type} values must be unique`, (addresses) =>
    distinct(addresses, (address) => (address.type === type ? address.value : undefined)),
  );

export const RequestedAddresses = list(
  object(
    {
      type: def(AddressType, 'IPAddress'),
      value: opt(
        string({ maxLength: 253, doc: 'The address wanted. Without it, any one of the type.' }),
      ),
    },
    {
      doc: 'An address asked for.',
      combined: ipWhenIPAddress,
      rules: [
        rule<Address>(
          `Hostname value must be empty or contain only valid characters (matching ${HOSTNAME})`,
          hasHostname,
        ),
      ],
    },
  ),
  {
    listType: 'atomic',
    maxItems: 16,
    doc: 'Addresses to listen on. Without any, the implementation chooses.',
    rules: [distinctOfType('IPAddress'), distinctOfType('Hostname')],
  },
);

export const BoundAddresses = list(
  object(
    {
      type: def(AddressType, 'IPAddress'),
      value: string({ minLength: 1, maxLength: 253, doc: 'The address.' }),
    },
    {
      doc: 'An address the Gateway is reached at.',
      combined: ipWhenIPAddress,
      rules: [
        rule<Address>(
          `Hostname value must only contain valid characters (matching ${HOSTNAME})`,
          hasHostname,
        ),
      ],
    },
  ),
  { listType: 'atomic', maxItems: 16, doc: 'Addresses the Gateway is reached at.' },
);
