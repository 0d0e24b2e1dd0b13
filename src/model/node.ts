// What a node has to know of itself and of the cluster's networks to decide about a packet. It comes
// from configuration and from the Node object, not from Services.

export interface NodeFacts {
  readonly name: string;
  /** Empty when unknown. */
  readonly zone: string;
  /** Addresses of the node itself, of both families. */
  readonly addresses: readonly string[];
  /** Networks whose local addresses serve node ports; empty: every local address but loopback. */
  readonly nodePortAddresses: readonly string[];
  /** Where pods live; a source outside of them is no pod. Empty: pods cannot be told from others. */
  readonly podCidrs: readonly string[];
  /** Where cluster IPs are from. What is dialled there and belongs to no Service is refused. */
  readonly serviceCidrs: readonly string[];
  /** Whether pods, too, reach cluster IPs under the node's address. */
  readonly masqueradeAll: boolean;
}

/** Where a packet comes from, as far as Services are concerned. */
export type SourceKind = 'pod' | 'node' | 'outside';
