// The named limits of the files source. Input beyond one is refused as a whole, with a finding that
// names the limit; it never slows down or changes anything else.

export interface FilesLimits {
  /** Size of one file, and of standard input. Larger files are refused without being read. */
  readonly fileBytesMax: number;
  /** Files below all given paths. */
  readonly filesMax: number;
  /** Objects in all files. The file that would exceed it is refused. */
  readonly objectsMax: number;
  /** Nesting of mappings and lists in one document. */
  readonly nestingMax: number;
  /** Nodes that the aliases of one document may add to it. */
  readonly aliasNodesMax: number;
  /** Findings reported for one file; the rest is counted. */
  readonly fileFindingsMax: number;
  /** Time that `kubectl kustomize` has for one folder. */
  readonly renderTimeoutMs: number;
  /** What `kubectl kustomize` may print for one folder. */
  readonly renderBytesMax: number;
}

export const DEFAULT_LIMITS: FilesLimits = {
  fileBytesMax: 32 * 1024 * 1024,
  filesMax: 50_000,
  objectsMax: 100_000,
  nestingMax: 100,
  aliasNodesMax: 100_000,
  fileFindingsMax: 500,
  renderTimeoutMs: 30_000,
  renderBytesMax: 64 * 1024 * 1024,
};
