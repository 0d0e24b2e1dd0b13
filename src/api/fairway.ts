// Names of our own that appear in people's manifests.

/** What GatewayClasses name to have their Gateways served by Fairway. */
export const CONTROLLER_NAME = 'fairway.dev/gateway';

/** The same behaviour under a name that will keep it, when the plain name means something newer. */
const VERSIONED_NAMES: readonly string[] = [`${CONTROLLER_NAME}/v1`];

/** Whether a controller name means Fairway. */
export function isOurController(name: string): boolean {
  return name === CONTROLLER_NAME || VERSIONED_NAMES.includes(name);
}

/** The GatewayClass that is there without being written down. */
export const DEFAULT_GATEWAY_CLASS = 'fairway';

/** The group of kinds of our own. */
export const FAIRWAY_GROUP = 'fairway.dev';
