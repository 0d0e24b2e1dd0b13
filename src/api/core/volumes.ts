// Volumes of a pod. Fairway itself mounts hostPath, emptyDir, Secrets, ConfigMaps and what is projected;
// the others are read so that a real manifest is understood whole.

import { def, described, object, oneOf, opt } from '../schema/schema.ts';
import type { Infer } from '../schema/schema.ts';
import { LocalObjectReference } from '../meta.ts';
import { PersistentVolumeClaimTemplate } from './claims.ts';
import { PULL_POLICIES } from './containers.ts';
import { atomicList, flag, int32, quantity, requiredText, text, textMap } from './fields.ts';
import {
  AWSElasticBlockStore,
  AzureDisk,
  AzureFile,
  Cinder,
  Flocker,
  GCEPersistentDisk,
  PhotonPersistentDisk,
  Portworx,
  Quobyte,
  ScaleIO,
  StorageOS,
  VsphereVolume,
} from './volumes-cloud.ts';
import { CephFS, FC, FlexVolume, GitRepo, Glusterfs, ISCSI, NFS, RBD } from './volumes-network.ts';
import {
  DownwardAPIVolumeFile,
  KeyToPath,
  VolumeProjection,
  defaultUser,
} from './volumes-projected.ts';

/** 0644: everybody reads, the owner writes. */
const MODE_DEFAULT = 0o644;

const HOST_PATH_TYPES = [
  '',
  'BlockDevice',
  'CharDevice',
  'Directory',
  'DirectoryOrCreate',
  'File',
  'FileOrCreate',
  'Socket',
] as const;

const HostPath = object({
  path: requiredText('Path on the node.'),
  type: def(
    oneOf(HOST_PATH_TYPES, { doc: 'What must be there, or is made; empty for no check.' }),
    '',
  ),
});

const EmptyDir = object({
  medium: opt(text('Memory for a file system in memory; the disk of the node when absent.')),
  sizeLimit: opt(quantity('The most it may hold.')),
  mode: opt(int32('Permissions of the directory.')),
});

const SecretVolume = object({
  secretName: opt(text('Name of the Secret.')),
  items: opt(atomicList(KeyToPath, 'The keys that become files; all of them when absent.')),
  defaultMode: def(int32('Permissions of the files.'), MODE_DEFAULT),
  optional: opt(flag('The pod starts even when the Secret or a key is missing.')),
  defaultUser,
});

const ConfigMapVolume = object({
  name: def(text('Name of the ConfigMap.'), ''),
  items: opt(atomicList(KeyToPath, 'The keys that become files; all of them when absent.')),
  defaultMode: def(int32('Permissions of the files.'), MODE_DEFAULT),
  optional: opt(flag('The pod starts even when the ConfigMap or a key is missing.')),
  defaultUser,
});

const DownwardAPIVolume = object({
  items: opt(atomicList(DownwardAPIVolumeFile, 'The files.')),
  defaultMode: def(int32('Permissions of the files.'), MODE_DEFAULT),
  defaultUser,
});

const ProjectedVolume = object({
  sources: opt(atomicList(VolumeProjection, 'What is put together in one directory.')),
  defaultMode: def(int32('Permissions of the files.'), MODE_DEFAULT),
  defaultUser,
});

const PersistentVolumeClaimVolume = object({
  claimName: requiredText('Name of the claim.'),
  readOnly: opt(flag('Every container mounts it read-only.')),
});

const CSIVolume = object({
  driver: requiredText('Name of the CSI driver.'),
  readOnly: opt(flag('The volume is mounted read-only.')),
  fsType: opt(text('File system of the volume.')),
  volumeAttributes: opt(textMap('Properties the driver understands.')),
  nodePublishSecretRef: opt(described(LocalObjectReference, 'Secret handed to the driver.')),
});

const EphemeralVolume = object({
  volumeClaimTemplate: opt(
    described(PersistentVolumeClaimTemplate, 'The claim that lives as long as the pod.'),
  ),
});

const ImageVolume = object({
  reference: opt(text('The image whose files are mounted.')),
  pullPolicy: opt(oneOf(PULL_POLICIES, { doc: 'When the image is pulled.' })),
});

export const Volume = object({
  name: requiredText('Name containers mount the volume by.'),
  hostPath: opt(described(HostPath, 'A directory or file of the node.')),
  emptyDir: opt(described(EmptyDir, 'A directory that lives as long as the pod.')),
  secret: opt(described(SecretVolume, 'Files from a Secret.')),
  configMap: opt(described(ConfigMapVolume, 'Files from a ConfigMap.')),
  downwardAPI: opt(described(DownwardAPIVolume, 'Files with fields of the pod.')),
  projected: opt(described(ProjectedVolume, 'Several sources in one directory.')),
  persistentVolumeClaim: opt(described(PersistentVolumeClaimVolume, 'A claim on storage.')),
  ephemeral: opt(described(EphemeralVolume, 'A claim made for this pod.')),
  csi: opt(described(CSIVolume, 'A volume made by a CSI driver for this pod.')),
  image: opt(described(ImageVolume, 'The files of an image.')),
  nfs: opt(described(NFS, 'A directory of an NFS server.')),
  iscsi: opt(described(ISCSI, 'An iSCSI disk.')),
  fc: opt(described(FC, 'A Fibre Channel disk.')),
  cephfs: opt(described(CephFS, 'No longer supported: a Ceph file system.')),
  rbd: opt(described(RBD, 'No longer supported: a Rados block device.')),
  glusterfs: opt(described(Glusterfs, 'No longer supported: a Glusterfs volume.')),
  flexVolume: opt(described(FlexVolume, 'Deprecated: a volume of an exec driver.')),
  gitRepo: opt(described(GitRepo, 'No longer supported: a git repository.')),
  gcePersistentDisk: opt(described(GCEPersistentDisk, 'Deprecated: a Google disk.')),
  awsElasticBlockStore: opt(described(AWSElasticBlockStore, 'Deprecated: an Amazon disk.')),
  azureDisk: opt(described(AzureDisk, 'Deprecated: an Azure disk.')),
  azureFile: opt(described(AzureFile, 'Deprecated: an Azure file share.')),
  cinder: opt(described(Cinder, 'Deprecated: an OpenStack disk.')),
  vsphereVolume: opt(described(VsphereVolume, 'Deprecated: a vSphere disk.')),
  portworxVolume: opt(described(Portworx, 'Deprecated: a Portworx volume.')),
  flocker: opt(described(Flocker, 'No longer supported: a Flocker volume.')),
  quobyte: opt(described(Quobyte, 'No longer supported: a Quobyte volume.')),
  photonPersistentDisk: opt(described(PhotonPersistentDisk, 'No longer supported.')),
  scaleIO: opt(described(ScaleIO, 'No longer supported: a ScaleIO volume.')),
  storageos: opt(described(StorageOS, 'No longer supported: a StorageOS volume.')),
});
export type Volume = Infer<typeof Volume>;

/** Every field of a volume that is a source; exactly one is set. */
export type VolumeSourceName = Exclude<keyof Volume, 'name'>;
