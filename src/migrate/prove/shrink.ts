// The smallest request that still shows what a larger one showed.

import type { RequestProbe } from '../../model/answer.ts';

/** Requests that are tried. */
const TRIES_MAX = 300;

export function shrink(probe: RequestProbe, shows: (probe: RequestProbe) => boolean): RequestProbe {
  let least = probe;
  let tries = 0;
  for (;;) {
    const next = smaller(least).find((candidate) => tries++ < TRIES_MAX && shows(candidate));
    if (next === undefined) return least;
    least = next;
  }
}

/** Requests with one thing less, the largest steps first. */
function smaller(probe: RequestProbe): readonly RequestProbe[] {
  const { method, target, headers, client, ...rest } = probe;
  const whole = { ...rest, method, target, headers };
  const out: RequestProbe[] = [];
  const withClient = client === undefined ? {} : { client };
  if (method !== 'GET') out.push({ ...whole, ...withClient, method: 'GET' });
  if (client !== undefined) out.push(whole);
  headers.forEach((_, i) =>
    out.push({ ...whole, ...withClient, headers: headers.toSpliced(i, 1) }),
  );
  const mark = target.indexOf('?');
  const path = mark === -1 ? target : target.slice(0, mark);
  if (mark !== -1) out.push({ ...whole, ...withClient, target: path });
  const query = mark === -1 ? '' : target.slice(mark);
  const segments = path.split('/').slice(1);
  segments.forEach((_, i) => {
    const left = `/${segments.toSpliced(i, 1).join('/')}`;
    if (left.length < path.length) out.push({ ...whole, ...withClient, target: left + query });
  });
  if (path.length > 1 && path.length <= 60)
    out.push({ ...whole, ...withClient, target: path.slice(0, -1) + query });
  return out;
}
