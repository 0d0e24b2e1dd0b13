// Why an echo pod did not start. One class for every cause, told apart by `code`, so that the runtime can put the
// message into the pod's status as it is.

export type EchoStartCode =
  /** The image is none of those echo.ts knows. */
  | 'FW_ECHO_IMAGE'
  /** Arguments or environment the program would refuse, or that name a feature this stand-in does not have. */
  | 'FW_ECHO_CONFIG'
  /** A certificate, key or CA file is missing, unreadable or does not parse. */
  | 'FW_ECHO_CERTIFICATE'
  /** A port cannot be opened; `cause` is the system's error. */
  | 'FW_ECHO_LISTEN';

export class EchoStartError extends Error {
  readonly code: EchoStartCode;

  constructor(code: EchoStartCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'EchoStartError';
    this.code = code;
  }
}

/** The text of anything thrown, for messages and logs. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
