// Where everything listens: ranges of loopback addresses, all of which are local on Linux. Several
// Fairways on one machine each take a block of their own, the first always the same.

export interface Network {
  readonly podCidr: string;
  readonly serviceCidr: string;
  readonly gatewayCidr: string;
  readonly loadBalancerCidr: string;
  /** Where node ports are served. */
  readonly nodePortAddresses: readonly string[];
  /** What is added to port numbers on localhost; null when localhost is not used. */
  readonly localhostOffset: number | null;
}

/** How many blocks there are. */
export const BLOCKS = 12;
/** Localhost ports of later blocks would not fit below 65536. */
const LOCALHOST_BLOCKS = 5;

/** The addresses of a block, counted from 0: 127.244.x.y for pods, 127.96.x.y for Services … */
export function networkOfBlock(block: number): Network {
  return {
    podCidr: `127.${244 + block}.0.0/16`,
    serviceCidr: `127.${96 + block}.0.0/16`,
    gatewayCidr: `127.${80 + block}.0.0/17`,
    loadBalancerCidr: `127.${80 + block}.128.0/17`,
    nodePortAddresses: [`127.0.0.${block + 1}`],
    // 8080 and 8443; 18080 and 18443 for the second; and so on.
    localhostOffset: block < LOCALHOST_BLOCKS ? 8000 + block * 10_000 : null,
  };
}

/** An address of the block that nothing else uses: who listens there has the block. */
export function lockAddressOf(block: number): string {
  return `127.${80 + block}.127.254`;
}
