// Volumes of one cloud or storage vendor each. Kubernetes replaced them by CSI drivers, but manifests
// still name them.

import { def, described, object, opt, requiredDef } from '../schema/schema.ts';
import { LocalObjectReference } from '../meta.ts';
import { flag, int32, requiredText, text } from './fields.ts';

const fsType = opt(text('File system of the volume, as ext4.'));
const readOnly = opt(flag('The volume is mounted read-only.'));
const secretRef = opt(described(LocalObjectReference, 'Secret with the credentials.'));
const partition = opt(int32('Number of the partition; the whole disk when 0.'));

export const GCEPersistentDisk = object({
  pdName: requiredText('Name of the disk.'),
  fsType,
  partition,
  readOnly,
});

export const AWSElasticBlockStore = object({
  volumeID: requiredText('ID of the disk.'),
  fsType,
  partition,
  readOnly,
});

export const AzureDisk = object({
  diskName: requiredText('Name of the disk.'),
  diskURI: requiredText('Address of the disk.'),
  cachingMode: def(text('None, ReadOnly or ReadWrite.'), 'ReadWrite'),
  fsType: def(text('File system of the volume.'), 'ext4'),
  readOnly: def(flag('The volume is mounted read-only.'), false),
  kind: def(text('Shared, Dedicated or Managed.'), 'Shared'),
});

export const AzureFile = object({
  secretName: requiredText('Secret with the name and key of the storage account.'),
  shareName: requiredText('Name of the share.'),
  readOnly,
});

export const Cinder = object({
  volumeID: requiredText('ID of the disk.'),
  fsType,
  readOnly,
  secretRef,
});

export const VsphereVolume = object({
  volumePath: requiredText('Path of the disk.'),
  fsType,
  storagePolicyName: opt(text('Name of the storage policy.')),
  storagePolicyID: opt(text('ID of the storage policy.')),
});

export const Portworx = object({
  volumeID: requiredText('ID of the volume.'),
  fsType,
  readOnly,
});

export const Flocker = object({
  datasetName: opt(text('Name of the dataset.')),
  datasetUUID: opt(text('UUID of the dataset.')),
});

export const Quobyte = object({
  registry: requiredText('Addresses of the registry.'),
  volume: requiredText('Name of the volume.'),
  readOnly,
  user: opt(text('User that accesses the volume.')),
  group: opt(text('Group that accesses the volume.')),
  tenant: opt(text('Tenant of the volume.')),
});

export const PhotonPersistentDisk = object({
  pdID: requiredText('ID of the disk.'),
  fsType,
});

export const ScaleIO = object({
  gateway: requiredText('Address of the gateway.'),
  system: requiredText('Name of the storage system.'),
  secretRef: requiredDef(described(LocalObjectReference, 'Secret with the credentials.'), {}),
  sslEnabled: opt(flag('The gateway is spoken to by TLS.')),
  protectionDomain: opt(text('Protection domain of the storage.')),
  storagePool: opt(text('Pool of the protection domain.')),
  storageMode: def(text('ThickProvisioned or ThinProvisioned.'), 'ThinProvisioned'),
  volumeName: opt(text('Name of the volume.')),
  fsType: def(text('File system of the volume.'), 'xfs'),
  readOnly,
});

export const StorageOS = object({
  volumeName: opt(text('Name of the volume.')),
  volumeNamespace: opt(text('Scope of the volume.')),
  fsType,
  readOnly,
  secretRef,
});
