// Files made from API objects: the items of Secret, ConfigMap, downward API and projected volumes.

import { def, described, object, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { LabelSelector } from '../meta.ts';
import { ObjectFieldSelector, ResourceFieldSelector } from './env.ts';
import { atomicList, flag, int32, int64, requiredText, text, textMap } from './fields.ts';

/** The owner of a volume's files. */
export const defaultUser = opt(int64('User ID that owns the files.'));

/** The owner of one file. */
const user = opt(int64('User ID that owns the file.'));

export const KeyToPath = object({
  key: requiredText('The key.'),
  path: requiredText('Path of the file below the mount.'),
  mode: opt(int32('Permissions of the file; those of the volume when absent.')),
  user,
});
export type KeyToPath = Infer<typeof KeyToPath>;

export const DownwardAPIVolumeFile = object({
  path: requiredText('Path of the file below the mount.'),
  fieldRef: opt(described(ObjectFieldSelector, 'The field of the pod.')),
  resourceFieldRef: opt(described(ResourceFieldSelector, 'The limit or request of a container.')),
  mode: opt(int32('Permissions of the file; those of the volume when absent.')),
  user,
});
export type DownwardAPIVolumeFile = Infer<typeof DownwardAPIVolumeFile>;

const SecretProjection = object({
  name: def(text('Name of the Secret.'), ''),
  items: opt(atomicList(KeyToPath, 'The keys that become files; all of them when absent.')),
  optional: opt(flag('The pod starts even when the Secret or a key is missing.')),
});

const ConfigMapProjection = object({
  name: def(text('Name of the ConfigMap.'), ''),
  items: opt(atomicList(KeyToPath, 'The keys that become files; all of them when absent.')),
  optional: opt(flag('The pod starts even when the ConfigMap or a key is missing.')),
});

const DownwardAPIProjection = object({
  items: opt(atomicList(DownwardAPIVolumeFile, 'The files.')),
});

const ServiceAccountTokenProjection = object({
  audience: opt(text('Whom the token is for; the API server when absent.')),
  expirationSeconds: def(int64('Seconds the token is valid; it is renewed before.'), 3600),
  path: requiredText('Path of the file below the mount.'),
  user,
});

const ClusterTrustBundleProjection = object({
  name: opt(text('The one bundle by name.')),
  signerName: opt(text('All bundles of a signer.')),
  labelSelector: opt(described(LabelSelector, 'The bundles of the signer that are taken.')),
  optional: opt(flag('The pod starts even when there is no such bundle.')),
  path: requiredText('Path of the file below the mount.'),
  user,
});

const PodCertificateProjection = object({
  signerName: opt(text('Who signs the certificate.')),
  keyType: opt(text('Kind of key that is made, as ED25519.')),
  maxExpirationSeconds: opt(int32('Seconds the certificate may be valid at most.')),
  credentialBundlePath: opt(text('File with key and certificates together.')),
  keyPath: opt(text('File with the key alone.')),
  certificateChainPath: opt(text('File with the certificates alone.')),
  userAnnotations: opt(textMap('What the signer is told.')),
  user,
});

export const VolumeProjection = object({
  secret: opt(described(SecretProjection, 'Files from a Secret.')),
  downwardAPI: opt(described(DownwardAPIProjection, 'Files with fields of the pod.')),
  configMap: opt(described(ConfigMapProjection, 'Files from a ConfigMap.')),
  serviceAccountToken: opt(
    described(ServiceAccountTokenProjection, 'A token of the service account of the pod.'),
  ),
  clusterTrustBundle: opt(described(ClusterTrustBundleProjection, 'Certificates to trust.')),
  podCertificate: opt(described(PodCertificateProjection, 'A key and certificate for the pod.')),
});
export type VolumeProjection = Infer<typeof VolumeProjection>;
