// Why a patch was refused: a status of HTTP and a sentence for the client. Inside this folder a refusal
// is thrown, so that the merging reads straight; patch.ts catches it and returns it as a value.

/**
 * 400: the patch is malformed. 413: it does too much. 415: the kind does not take this type of patch.
 * 422: it is well-formed, but does not fit the object.
 */
export interface PatchError {
  readonly status: 400 | 413 | 415 | 422;
  readonly message: string;
}

export class PatchRefusal extends Error {
  readonly status: PatchError['status'];

  constructor(status: PatchError['status'], message: string) {
    super(message);
    this.name = 'PatchRefusal';
    this.status = status;
  }
}

export function malformed(message: string): PatchRefusal {
  return new PatchRefusal(400, message);
}

/** Begins as kube-apiserver's answer does, which says no more than that. */
export function unfit(detail: string): PatchRefusal {
  const message = `the server rejected our request due to an error in our request: ${detail}`;
  return new PatchRefusal(422, message);
}

/** What Go's decoder says of a patch that is of another type than it must be. */
export function undecodable(value: unknown, goType: string): PatchRefusal {
  const message = `json: cannot unmarshal ${jsonType(value)} into Go value of type ${goType}`;
  return malformed(`error decoding patch: ${message}`);
}

export function jsonType(value: unknown): string {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  return typeof value === 'boolean' ? 'bool' : typeof value;
}
