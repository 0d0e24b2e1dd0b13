// Large answers by gzip, for clients that take it: kubectl does. As in kube-apiserver, only what is read
// at once and is larger than a limit; a watch is never held back for it. The work is done in threads of
// the system, at the lowest level: it is there for slow links, and must not cost on fast ones.

import type { IncomingMessage, ServerResponse } from 'node:http';
import { constants, createGzip, gzip } from 'node:zlib';

/** Bytes below which an answer is sent as it is (kube-apiserver: defaultGzipThresholdBytes). */
export const GZIP_BYTES_MIN = 128 * 1024;
const OPTIONS = { level: constants.Z_BEST_SPEED };

type Headers = Readonly<Record<string, string | number>>;

/** From now on, what is large of an answer is compressed, if the client takes that. */
export function compressLarge(request: IncomingMessage, response: ServerResponse): void {
  if (!acceptsGzip(request.headers['accept-encoding'])) return;
  const writeHead = response.writeHead.bind(response);
  response.writeHead = ((code: number, headers: Headers = {}) => {
    response.writeHead = writeHead;
    const length = Number(headers['content-length'] ?? Infinity);
    const isPlain = code === 200 && headers['content-encoding'] === undefined;
    // Who says neither how long it is nor that it is in chunks sends a long list; a watch says so.
    const isWatch = headers['transfer-encoding'] !== undefined;
    if (!isPlain || isWatch || length < GZIP_BYTES_MIN) return writeHead(code, headers);
    const { 'content-length': _length, ...rest } = headers;
    const compressed = { ...rest, 'content-encoding': 'gzip', vary: 'accept-encoding' };
    if (length === Infinity) compressStream(response);
    else
      compressWhole(response, (bytes) =>
        writeHead(code, { ...compressed, 'content-length': bytes }),
      );
    return length === Infinity ? writeHead(code, compressed) : response;
  }) as typeof response.writeHead;
}

/** `gzip, deflate`, `*`, but not `gzip;q=0`. */
function acceptsGzip(header: string | readonly string[] | undefined): boolean {
  return String(header ?? '')
    .split(',')
    .some((each) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/.test(each));
}

/** All of it is given at the end: its length is then known. */
function compressWhole(response: ServerResponse, sendHead: (bytes: number) => void): void {
  const end = response.end.bind(response);
  response.end = ((text: string) => {
    response.end = end;
    gzip(text, OPTIONS, (error, bytes) => {
      if (error !== null) response.destroy(error);
      else if (!response.destroyed) {
        sendHead(bytes.length);
        end(bytes);
      }
    });
    return response;
  }) as typeof response.end;
}

/** Piece by piece; `write` still says whether there is room, and `drain` that there is again. */
function compressStream(response: ServerResponse): void {
  const write = response.write.bind(response);
  const end = response.end.bind(response);
  const stream = createGzip(OPTIONS);
  stream.on('data', (bytes: Buffer) => {
    if (!write(bytes)) {
      stream.pause();
      response.once('drain', () => stream.resume());
    }
  });
  stream.on('drain', () => response.emit('drain'));
  stream.once('end', () => end());
  response.once('close', () => stream.destroy());
  response.write = ((text: string) => stream.write(text)) as typeof response.write;
  response.end = ((text: string) => {
    stream.end(text);
    return response;
  }) as typeof response.end;
}
