// echo-basic's `/retry/…`: a backend that fails a given number of times per uuid, to try a gateway's retries.
//
//   /retry/x?uuid=u1&succeedAfter=2                    two connections reset, then a normal echo
//   /retry/x?uuid=u2&succeedAfter=2&responseCode=503   two answers 503, then a normal echo
//   …&delayRetry=2s                                    each failure comes two seconds late

import type { Exchange } from '../exchange.ts';
import { readForm } from '../form.ts';
import { parseInteger, queryValue } from '../go-url.ts';
import { echo, replyError, waited, type EchoSettings } from './echo.ts';

/** The real server remembers every uuid for ever; here the oldest are forgotten. */
const UUIDS_MAX = 10_000;

export class RetrySimulation {
  readonly #settings: EchoSettings;
  /** uuid → failures so far. */
  readonly #attempts = new Map<string, number>();
  /** Requests are served one after the other, delays included, as under the real server's one mutex. */
  #turn: Promise<void> = Promise.resolve();

  constructor(settings: EchoSettings) {
    this.#settings = settings;
  }

  async answer(exchange: Exchange, query: string): Promise<void> {
    const uuid = queryValue(query, 'uuid') ?? '';
    if (uuid === '') return badRequest(exchange, 'uuid is required');
    const succeedAfter = parseInteger(queryValue(query, 'succeedAfter'));
    if (succeedAfter === undefined) return badRequest(exchange, 'succeedAfter is required');
    const previous = this.#turn;
    const mine = previous.then(() => this.#attempt(exchange, query, uuid, succeedAfter));
    this.#turn = mine.catch(ignore);
    await mine;
  }

  async #attempt(
    exchange: Exchange,
    query: string,
    uuid: string,
    succeedAfter: number,
  ): Promise<void> {
    const attempts = this.#attempts.get(uuid) ?? 0;
    if (attempts >= succeedAfter) {
      await echo(exchange, query, this.#settings);
      return;
    }
    this.#remember(uuid, attempts + 1);
    const form = await readForm(exchange, query);
    if (!(await waited(exchange, form.value('delayRetry'), this.#settings.listeners))) return;
    fail(exchange, parseInteger(queryValue(query, 'responseCode')));
  }

  #remember(uuid: string, attempts: number): void {
    const [oldest] = this.#attempts.keys();
    if (this.#attempts.size >= UUIDS_MAX && oldest !== undefined) this.#attempts.delete(oldest);
    this.#attempts.set(uuid, attempts);
  }
}

function fail(exchange: Exchange, responseCode: number | undefined): void {
  if (responseCode !== undefined) replyStatus(exchange, responseCode);
  else if (!exchange.reset()) replyError(exchange, 'response writer does not support hijacking');
}

function badRequest(exchange: Exchange, message: string): void {
  exchange.reply(400, ['Content-Type', 'text/plain; charset=utf-8'], message);
}

/** The failure has reached its own request; the next one in turn must not suffer from it. */
function ignore(): void {}

/**
 * Answers with a status and no body, as Go's WriteHeader takes it: 1xx goes out as informational and 200 follows;
 * outside 100 to 999 the handler panics, which breaks the exchange off.
 */
export function replyStatus(exchange: Exchange, status: number): void {
  if (status < 100 || status > 999) {
    exchange.abort();
  } else if (status < 200 && status !== 101) {
    exchange.inform(status);
    exchange.reply(200);
  } else {
    exchange.reply(status);
  }
}
