// Names of the Gateway API that several resolvers ask for.

export const GATEWAY_GROUP = 'gateway.networking.k8s.io';
