// Text with parts of a request in it: where a redirect points, what a backend is told, what an endpoint
// is chosen by.

import type { ShownCertificate } from './guard.ts';

/** Text, and parts of the request, in order. */
export type TextTemplate = readonly TemplatePart[];

export type TemplatePart =
  | string
  /** What a group of the expression took that the rule's path was found by; 0 is all of it. */
  | { readonly of: 'group'; readonly number: number }
  | { readonly of: RequestPart }
  /** By its name: of a header in lower case. Empty when it is absent. */
  | { readonly of: 'header' | 'cookie' | 'query'; readonly name: string };

export type RequestPart =
  | 'scheme'
  /** Without a port, in lower case. */
  | 'host'
  /** As the client wrote it, with its port if it had one. */
  | 'authority'
  /** The host, and the port HTTPS is reached at where that is not 443. */
  | 'secureAuthority'
  | 'method'
  /** Path and query as sent. */
  | 'target'
  /** The same without one slash at its end. */
  | 'trimmedTarget'
  /** The path as it was matched. */
  | 'path'
  /** The query without its question mark. */
  | 'query'
  /** A question mark where there is a query. */
  | 'queryMark'
  /** IP address of the client. */
  | 'client'
  | 'requestId'
  /** Of the certificate of the client: SUCCESS, FAILED and why, NONE, or empty where nobody asks. */
  | 'clientVerified'
  /** Empty without a certificate, like those that follow. */
  | 'clientSubject'
  | 'clientIssuer'
  /** PEM, escaped to stand in a query. */
  | 'clientCertificate'
  /** Path and query as sent, escaped to stand in a query. */
  | 'escapedTarget';

/** A part that is about the certificate a client has shown. */
export function certificatePart(
  of: Extract<
    RequestPart,
    'clientVerified' | 'clientSubject' | 'clientIssuer' | 'clientCertificate'
  >,
  scheme: 'http' | 'https',
  shown: ShownCertificate | null,
): string {
  if (shown === null) return of === 'clientVerified' && scheme === 'https' ? 'NONE' : '';
  switch (of) {
    case 'clientVerified':
      return shown.fault === null ? 'SUCCESS' : `FAILED:${shown.fault}`;
    case 'clientSubject':
      return shown.subject;
    case 'clientIssuer':
      return shown.issuer;
    case 'clientCertificate':
      return encodeURIComponent(shown.pem);
  }
}

/** What a template is filled from. */
export interface TemplateSource {
  part(of: RequestPart): string;
  header(name: string): string;
  cookie(name: string): string;
  query(name: string): string;
  group(number: number): string;
}

export function fillTemplate(template: TextTemplate, source: TemplateSource): string {
  let out = '';
  for (const part of template) {
    if (typeof part === 'string') out += part;
    else if (part.of === 'group') out += source.group(part.number);
    else if (part.of === 'header') out += source.header(part.name);
    else if (part.of === 'cookie') out += source.cookie(part.name);
    else if (part.of === 'query' && 'name' in part) out += source.query(part.name);
    else out += source.part(part.of);
  }
  return out;
}

/** `https://$host$target`, for people. */
export function describeTemplate(template: TextTemplate): string {
  return template
    .map((part) => {
      if (typeof part === 'string') return part;
      if (part.of === 'group') return `$${part.number}`;
      return 'name' in part ? `$${part.of}(${part.name})` : `$${part.of}`;
    })
    .join('');
}
