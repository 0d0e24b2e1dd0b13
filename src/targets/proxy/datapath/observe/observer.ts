// Who looks at requests, and what they are given: the access log a line, the metrics a duration, the
// subscribers of diagnostics channels a record, backends the ids that tie it together.
//
//   import { subscribe } from 'node:diagnostics_channel';
//   subscribe('fairway:request', (record) => …);   // see record.ts; in each worker thread
//
// Budget: when nobody looks, one comparison for each request. Guarded by bench/proxy.ts.

import { channel } from 'node:diagnostics_channel';
import type { Clock } from '../clock.ts';
import type { Counters } from '../counters.ts';
import { fieldValue } from '../fields.ts';
import type { Limits } from '../limits.ts';
import type { Receiver, RequestHead, ServerStream } from '../stream.ts';
import type { Durations } from '../tally.ts';
import { AccessLog } from './access-log.ts';
import { formatRecord } from './log-line.ts';
import type { LogFormat } from './log-line.ts';
import { ObservedStream } from './observed.ts';
import type { RequestRecord } from './record.ts';
import { withRequestId, withTrace } from './trace-context.ts';

/** What is to be looked at, as the configuration says. */
export interface Observation {
  /** Null for no log; the path may be `-`. */
  readonly accessLog: { readonly path: string; readonly format: LogFormat } | null;
  /** Whether durations and statuses are counted. */
  readonly measures: boolean;
  /** Whether requests without an id, or without a trace, are given one. */
  readonly requestIds: boolean;
  readonly beginsTraces: boolean;
}

export const NO_OBSERVATION: Observation = {
  accessLog: null,
  measures: false,
  requestIds: false,
  beginsTraces: false,
};

export interface ObserverOptions {
  readonly observation: Observation;
  readonly durations: Durations;
  readonly limits: Limits;
  readonly clock: Clock;
  readonly counters: Counters;
}

/** Who asks, and over what. */
export interface Asker {
  readonly address: string;
  readonly protocol: RequestRecord['protocol'];
}

type Dispatch = (stream: ServerStream, head: RequestHead) => Receiver;

const requests = channel('fairway:request');

export class Observer {
  readonly #observation: Observation;
  readonly #durations: Durations | null;
  readonly #log: AccessLog | null;
  readonly #isAsked: boolean;
  readonly #onOver = (record: RequestRecord): void => this.#tell(record);

  constructor({ observation, durations, ...rest }: ObserverOptions) {
    const { accessLog, measures, requestIds, beginsTraces } = observation;
    this.#observation = observation;
    this.#durations = measures ? durations : null;
    this.#log = accessLog === null ? null : new AccessLog({ path: accessLog.path, ...rest });
    this.#isAsked = accessLog !== null || measures || requestIds || beginsTraces;
  }

  /** Whether anybody looks at requests now. */
  get looks(): boolean {
    return this.#isAsked || requests.hasSubscribers;
  }

  /** Passes a request on with somebody looking. Gives what receives its body. */
  observe(stream: ServerStream, head: RequestHead, asker: Asker, dispatch: Dispatch): Receiver {
    const { requestIds, beginsTraces } = this.#observation;
    let { fields } = head;
    let requestId = '';
    if (requestIds) ({ fields, id: requestId } = withRequestId(fields));
    if (beginsTraces) fields = withTrace(fields);
    const told = fields === head.fields ? head : { ...head, fields };
    const observed = new ObservedStream(stream, newRecord(head, asker, requestId), this.#onOver);
    observed.receiver = dispatch(observed, told);
    return observed;
  }

  /** Tells of bytes that were no request. */
  refused(address: string, scheme: RequestRecord['scheme'], status: number): void {
    if (!this.looks) return;
    const head = { method: '', authority: '', target: '', scheme, fields: [] };
    const record = newRecord(head, { address, protocol: 'HTTP/1.1' }, '');
    record.status = status;
    this.#tell(record);
  }

  /** Writes what is left of the log. */
  async flush(): Promise<void> {
    await this.#log?.flush();
  }

  #tell(record: RequestRecord): void {
    const { accessLog } = this.#observation;
    this.#durations?.add(record.durationMs / 1000, record.status);
    if (accessLog !== null) this.#log?.add(formatRecord(record, accessLog.format));
    if (requests.hasSubscribers) requests.publish(record);
  }
}

function newRecord(
  head: Pick<RequestHead, 'method' | 'authority' | 'target' | 'scheme' | 'fields'>,
  { address, protocol }: Asker,
  requestId: string,
): RequestRecord {
  const { method, authority, target, scheme, fields } = head;
  return {
    startedMs: Date.now(),
    client: address,
    protocol,
    scheme,
    method,
    authority,
    target,
    requestId,
    userAgent: fieldValue(fields, 'user-agent') ?? '',
    referer: fieldValue(fields, 'referer') ?? '',
    rule: '',
    backend: '',
    endpoint: '',
    attempts: 0,
    status: 0,
    bytesIn: 0,
    bytesOut: 0,
    durationMs: 0,
    end: 'done',
  };
}
