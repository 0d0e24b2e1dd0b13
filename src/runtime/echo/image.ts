// Which echo program an image name stands for. Decided by the last two parts of the repository, so that a mirror
// (`mirror.example/proxy/hashicorp/http-echo`) works as well as the original; tags and digests do not matter.
//
//   echo-basic      registry.k8s.io/gateway-api/echo-basic
//                   gcr.io/k8s-staging-gateway-api/echo-basic
//   echo-advanced   registry.k8s.io/gateway-api/echo-advanced
//                   gcr.io/k8s-staging-gateway-api/echo-advanced
//                   docker.io/istio/app, gcr.io/istio-testing/app (the same program)
//   http-echo       docker.io/hashicorp/http-echo
//   agnhost         registry.k8s.io/e2e-test-images/agnhost
//                   gcr.io/k8s-staging-e2e-test-images/agnhost, k8s.gcr.io/e2e-test-images/agnhost
//   whoami          docker.io/traefik/whoami

export type EchoProgram = 'echo-basic' | 'echo-advanced' | 'http-echo' | 'agnhost' | 'whoami';

const PROGRAMS: ReadonlyMap<string, EchoProgram> = new Map([
  ['gateway-api/echo-basic', 'echo-basic'],
  ['k8s-staging-gateway-api/echo-basic', 'echo-basic'],
  ['gateway-api/echo-advanced', 'echo-advanced'],
  ['k8s-staging-gateway-api/echo-advanced', 'echo-advanced'],
  ['istio/app', 'echo-advanced'],
  ['istio-testing/app', 'echo-advanced'],
  ['hashicorp/http-echo', 'http-echo'],
  ['e2e-test-images/agnhost', 'agnhost'],
  ['k8s-staging-e2e-test-images/agnhost', 'agnhost'],
  ['traefik/whoami', 'whoami'],
]);

/** The program an image name stands for, or undefined if it is not one of the list above. */
export function echoProgram(image: string): EchoProgram | undefined {
  return PROGRAMS.get(repository(image).split('/').slice(-2).join('/'));
}

/** The tag of an image name, without digest; empty if it has none. */
export function imageTag(image: string): string {
  const [name = ''] = image.split('@');
  return name.slice(repository(image).length + 1);
}

/** A colon after the last slash starts the tag; one before it belongs to the registry's port. */
function repository(image: string): string {
  const [name = ''] = image.split('@');
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return colon === -1 ? name : name.slice(0, colon);
}
