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

/** What IngressClasses name for the specification of Ingress, and nothing more. */
export const INGRESS_CONTROLLER = 'fairway.dev/ingress';

/** What IngressClasses name for the ways of ingress-nginx. */
export const NGINX_CONTROLLER = 'k8s.io/ingress-nginx';

/** Both, in the order in which they get addresses. */
export const INGRESS_CONTROLLERS: readonly string[] = [INGRESS_CONTROLLER, NGINX_CONTROLLER];

/** IngressClasses that are there without being written down, by their controller. */
export const DEFAULT_INGRESS_CLASSES: Readonly<Record<string, string>> = {
  fairway: INGRESS_CONTROLLER,
  nginx: NGINX_CONTROLLER,
};

/** The Secret whose certificate is shown for hosts of Ingresses that have none. */
export const FALLBACK_SECRET = { namespace: 'default', name: 'fairway-ingress-fallback' };
