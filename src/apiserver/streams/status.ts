// Outcomes in Kubernetes' words: the Status objects that end a remote command, and those that refuse a
// request (k8s.io/apimachinery, meta/v1).

export interface Status {
  readonly kind: 'Status';
  readonly apiVersion: 'v1';
  readonly metadata: Readonly<Record<string, never>>;
  readonly status: 'Success' | 'Failure';
  readonly message?: string;
  readonly reason?: string;
  readonly details?: {
    readonly name?: string;
    readonly kind?: string;
    readonly causes?: readonly { readonly reason?: string; readonly message: string }[];
  };
  readonly code?: number;
}

const HEAD = { kind: 'Status', apiVersion: 'v1', metadata: {} } as const;

export const SUCCESS: Status = { ...HEAD, status: 'Success' };

export function failure(code: number, reason: string, message: string): Status {
  return { ...HEAD, status: 'Failure', message, reason, code };
}

export function badRequest(message: string): Status {
  return failure(400, 'BadRequest', message);
}

/** Something of ours, or of the machine, went wrong. */
export function internalError(message: string): Status {
  return {
    ...failure(500, 'InternalError', `Internal error occurred: ${message}`),
    details: { causes: [{ message }] },
  };
}

/** A command that ran and did not succeed: clients end with its exit code. */
export function commandFailed(exitCode: number): Status {
  return {
    ...HEAD,
    status: 'Failure',
    message: `command terminated with non-zero exit code: exit status ${exitCode}`,
    reason: 'NonZeroExitCode',
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}
