// The format of log files, that of the Kubernetes container runtime interface, so that log collectors
// which read a node's files read ours:
//
//   2026-05-04T10:00:00.123000000Z stdout F a whole line
//   2026-05-04T10:00:00.124000000Z stderr P the beginning of a line that is too long,
//   2026-05-04T10:00:00.124000000Z stderr F and its end

export type LogStream = 'stdout' | 'stderr';

/** One line of a log file: all of a line of output, or a part of one. */
export interface LogRecord {
  /** RFC 3339 with nine digits, as written. */
  readonly time: string;
  readonly stream: LogStream;
  /** True when the line goes on in the next record of the same stream. */
  readonly partial: boolean;
  readonly text: Buffer;
}

const NEWLINE = 0x0a;
const SPACE = 0x20;

/** One record as bytes, with its line break. */
export function formatRecord(
  time: Date,
  stream: LogStream,
  partial: boolean,
  text: Buffer,
): Buffer {
  const iso = time.toISOString().slice(0, -1);
  const head = Buffer.from(`${iso}000000Z ${stream} ${partial ? 'P' : 'F'} `, 'latin1');
  const record = Buffer.allocUnsafe(head.length + text.length + 1);
  head.copy(record, 0);
  text.copy(record, head.length);
  record[record.length - 1] = NEWLINE;
  return record;
}

/** Reads one record, without its line break; undefined for what is none (a torn write). */
export function parseRecord(line: Buffer): LogRecord | undefined {
  const afterTime = line.indexOf(SPACE);
  const afterStream = line.indexOf(SPACE, afterTime + 1);
  const afterTag = line.indexOf(SPACE, afterStream + 1);
  if (afterTime <= 0 || afterStream === -1 || afterTag === -1) return undefined;
  const stream = line.toString('latin1', afterTime + 1, afterStream);
  const tag = line.toString('latin1', afterStream + 1, afterTag);
  if ((stream !== 'stdout' && stream !== 'stderr') || (tag !== 'F' && tag !== 'P'))
    return undefined;
  return {
    time: line.toString('latin1', 0, afterTime),
    stream,
    partial: tag === 'P',
    text: line.subarray(afterTag + 1),
  };
}

/** Joins the parts of long lines again, each stream for itself. */
export class LineJoiner {
  readonly #parts = new Map<LogStream, Buffer[]>();
  /** When the first part of the line in work was written. */
  readonly #times = new Map<LogStream, string>();

  /** The line a record completes, with the time it began, or undefined while it is not complete. */
  push(record: LogRecord): { time: string; stream: LogStream; text: string } | undefined {
    const { stream } = record;
    const parts = this.#parts.get(stream) ?? [];
    if (parts.length === 0) this.#times.set(stream, record.time);
    parts.push(record.text);
    if (record.partial) {
      this.#parts.set(stream, parts);
      return undefined;
    }
    this.#parts.delete(stream);
    const time = this.#times.get(stream) ?? record.time;
    return { time, stream, text: Buffer.concat(parts).toString('utf8') };
  }
}
