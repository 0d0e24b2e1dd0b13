// `pods/log`: the options of the query, and a log as bytes of an HTTP response.

import type { Writable } from 'node:stream';
import { badRequest, failure } from './status.ts';
import type { Status } from './status.ts';
import { parseBool } from './command/streams.ts';
import { drained } from './wait.ts';

export interface LogOptions {
  /** Undefined when the client leaves the choice to us. */
  readonly container: string | undefined;
  readonly follow: boolean;
  readonly previous: boolean;
  readonly timestamps: boolean;
  readonly tailLines: number | undefined;
  readonly sinceSeconds: number | undefined;
  /** RFC 3339. */
  readonly sinceTime: string | undefined;
  readonly limitBytes: number | undefined;
  /** One of the two outputs, or both (Kubernetes' PodLogsQuerySplitStreams). */
  readonly stream: 'stdout' | 'stderr' | undefined;
}

type Parsed<T> =
  | { readonly ok: true; readonly options: T }
  | { readonly ok: false; readonly status: Status };

const RFC3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/i;

const STREAMS: Readonly<Record<string, LogOptions['stream']>> = {
  All: undefined,
  Stdout: 'stdout',
  Stderr: 'stderr',
};

/** Reads the query of `pods/log`. `pod` is the pod's name, for messages. */
export function parseLogOptions(query: URLSearchParams, pod: string): Parsed<LogOptions> {
  const faults: Fault[] = [];
  const texts: string[] = [];
  const flag = (name: string): boolean => {
    const text = query.get(name);
    const value = text === null ? false : parseBool(text);
    if (value === undefined) texts.push(`${name}: ${JSON.stringify(text)} is not true or false`);
    return value === true;
  };
  const number = (name: string, min: number): number | undefined => {
    const text = query.get(name);
    if (text === null || text === '') return undefined;
    const value = /^-?\d{1,15}$/.test(text) ? Number(text) : undefined;
    if (value === undefined) texts.push(`${name}: ${JSON.stringify(text)} is not a whole number`);
    else if (value < min) faults.push({ field: name, value, message: minimum(min) });
    return value;
  };
  const sinceTime = query.get('sinceTime') ?? '';
  if (sinceTime !== '' && (!RFC3339.test(sinceTime) || Number.isNaN(Date.parse(sinceTime)))) {
    texts.push(`sinceTime: ${JSON.stringify(sinceTime)} is not a time as 2006-01-02T15:04:05Z`);
  }
  const stream = query.get('stream') ?? 'All';
  if (!Object.hasOwn(STREAMS, stream)) {
    faults.push({ field: 'stream', value: stream, message: 'must be All, Stdout or Stderr' });
  }
  const container = query.get('container') ?? '';
  const options: LogOptions = {
    container: container === '' ? undefined : container,
    follow: flag('follow'),
    previous: flag('previous'),
    timestamps: flag('timestamps'),
    tailLines: number('tailLines', 0),
    sinceSeconds: number('sinceSeconds', 1),
    sinceTime: sinceTime === '' ? undefined : sinceTime,
    limitBytes: number('limitBytes', 1),
    stream: STREAMS[stream],
  };
  if (texts.length > 0) return { ok: false, status: badRequest(texts.join('; ')) };
  if (options.sinceSeconds !== undefined && options.sinceTime !== undefined) {
    faults.push({
      field: '',
      message: 'at most one of `sinceTime` or `sinceSeconds` may be specified',
    });
  }
  if (options.stream !== undefined && options.tailLines !== undefined) {
    faults.push({
      field: '',
      message: '`tailLines` counts lines of both outputs: leave it out, or `stream`',
    });
  }
  return faults.length === 0 ? { ok: true, options } : { ok: false, status: invalid(pod, faults) };
}

interface Fault {
  readonly field: string;
  readonly value?: number | string;
  readonly message: string;
}

function minimum(min: number): string {
  return min === 0 ? 'must be greater than or equal to 0' : 'must be greater than 0';
}

function invalid(pod: string, faults: readonly Fault[]): Status {
  const texts = faults.map(({ field, value, message }) => {
    if (field === '') return `Forbidden: ${message}`;
    return `${field}: Invalid value: ${JSON.stringify(value)}: ${message}`;
  });
  const [only] = texts;
  const text = texts.length === 1 ? only : `[${texts.join(', ')}]`;
  return {
    ...failure(422, 'Invalid', `PodLogOptions ${JSON.stringify(pod)} is invalid: ${text}`),
    details: {
      name: pod,
      kind: 'PodLogOptions',
      causes: faults.map(({ message }) => ({ reason: 'FieldValueInvalid', message })),
    },
  };
}

/** Lines that are ready together are written together, up to so much. */
const BATCH_CHARS = 32 * 1024;

/**
 * Writes lines to a response, each with a line break, not faster than the client takes them, and at
 * most `limitBytes` in all. Resolves when the lines have ended, the limit is reached or the client has
 * gone (`signal`). A log that cannot be read any more cuts the response off, so that nobody takes it
 * for the whole.
 */
export async function writeLog(
  lines: AsyncIterable<string>,
  sink: Writable,
  signal: AbortSignal,
  limitBytes?: number,
): Promise<void> {
  const writer = new BatchWriter(sink, signal, limitBytes ?? Infinity);
  try {
    for await (const line of lines) {
      if (signal.aborted || sink.destroyed || !(await writer.line(line))) break;
    }
  } catch (error) {
    sink.destroy(error instanceof Error ? error : new Error(String(error)));
    return;
  }
  writer.flush();
  if (!sink.destroyed) sink.end();
}

class BatchWriter {
  readonly #sink: Writable;
  readonly #signal: AbortSignal;
  #room: number;
  #batch = '';
  #flush: NodeJS.Immediate | undefined;

  constructor(sink: Writable, signal: AbortSignal, room: number) {
    this.#sink = sink;
    this.#signal = signal;
    this.#room = room;
  }

  /** False when nothing more may be written. */
  async line(text: string): Promise<boolean> {
    this.#batch += `${text}\n`;
    if (this.#batch.length >= BATCH_CHARS) this.flush();
    else this.#flush ??= setImmediate(() => this.flush());
    if (this.#sink.writableNeedDrain) await drained(this.#sink, this.#signal);
    return this.#room > 0;
  }

  flush(): void {
    clearImmediate(this.#flush);
    this.#flush = undefined;
    if (this.#batch === '' || this.#sink.destroyed || this.#sink.writableEnded) return;
    const bytes = Buffer.from(this.#batch);
    this.#batch = '';
    const part = bytes.length > this.#room ? bytes.subarray(0, this.#room) : bytes;
    this.#room -= part.length;
    if (part.length > 0) this.#sink.write(part);
  }
}
