// Names of our own that appear in people's manifests.

/** What GatewayClasses name to have their Gateways served by Fairway. */
export const CONTROLLER_NAME = 'fairway.dev/gateway';

/** The GatewayClass that is there without being written down. */
export const DEFAULT_GATEWAY_CLASS = 'fairway';

/** The group of kinds of our own. */
export const FAIRWAY_GROUP = 'fairway.dev';
