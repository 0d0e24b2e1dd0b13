// What we tell the user about their objects: a value, never an exception. Whoever reads an object and
// cannot do all it says returns a finding; nothing is ignored silently.

/** Names one object. Namespace is empty for kinds of the whole cluster. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

/** A place in a file, counted from 1. */
export interface Position {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** Where something comes from: an object and a field in it, or a place in a file that holds no object. */
export interface Origin {
  readonly object?: ObjectRef;
  /** As `spec.rules[0].backendRefs[1].port`; empty for the object as a whole. */
  readonly field?: string;
  /** Known at once for files that cannot be read; found on demand for objects. */
  readonly position?: Position;
}

export interface Finding {
  /** error: something asked for does not work. warning: it works, but likely not as meant. */
  readonly severity: 'error' | 'warning' | 'info';
  /** One CamelCase word for programs: a condition's reason where there is one. */
  readonly reason: string;
  /** What is wrong, on which field, as one sentence. */
  readonly message: string;
  /** What to do about it. */
  readonly hint?: string;
  readonly origin: Origin;
}

/** `HTTPRoute shop/storefront`, or `GatewayClass fairway`. */
export function formatRef(ref: ObjectRef): string {
  return ref.namespace === ''
    ? `${ref.kind} ${ref.name}`
    : `${ref.kind} ${ref.namespace}/${ref.name}`;
}
