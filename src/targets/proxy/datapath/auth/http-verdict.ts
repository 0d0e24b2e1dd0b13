// A question over HTTP and its answer: a request like the one in question, without its body unless that
// is asked for, whose status says whether the other may go on.
//
// Budget: small beside the request itself. Allocates the request and its verdict.

import type { HttpQuestion } from '../../../../model/filter.ts';
import { fillTemplate } from '../../../../model/template.ts';
import { sourceOf } from '../request-source.ts';
import type { Routed } from '../dispatch.ts';
import { withForwarded } from '../forwarded.ts';
import type { RequestHead, ResponseHead } from '../stream.ts';
import { named, without } from './fields.ts';

/** The head of the question. */
export function httpQuestion(question: HttpQuestion, routed: Routed): RequestHead {
  const { head, target, entry } = routed;
  const { method, host, path, sends, tells = [] } = question;
  const source = sourceOf({ groupsOf: null }, routed);
  const told = tells.map(({ name, value }) => ({ name, value: fillTemplate(value, source) }));
  const adds = [...(question.adds ?? []), ...told.filter(({ value }) => value !== '')];
  // What a client says in the name of a proxy is not worth asking about: who asks is said by us.
  const known = withForwarded(routed);
  const names = sends === 'all' ? sends : [...sends, 'authorization'];
  const added = new Set(adds.map((field) => field.name));
  const fields = without(named(known, names), (name) => added.has(name));
  for (const { name, value } of adds) fields.push(name, value);
  return {
    // Of a change of protocol, only the request for it is in question.
    method: method ?? (head.method === 'CONNECT' ? 'GET' : head.method),
    target: path.kind === 'fixed' ? path.value : path.value + target.path + target.query,
    authority: host ?? head.authority,
    scheme: entry.scheme,
    fields,
    contentLength: 0,
    protocol: '',
    expectContinue: false,
  };
}

/** Whether the answer lets the request go on. */
export function isAllowed({ allows }: HttpQuestion, { status }: ResponseHead): boolean {
  return status === 200 || (allows === '2xx' && status > 200 && status < 300);
}

/** Whether the client may be given the answer as it is: it must look like a refusal. */
export function isRefusal({ status }: ResponseHead): boolean {
  return status >= 300;
}
