// Volumes of storage systems that need no cloud.

import { def, described, object, opt, requiredDef } from '../schema/schema.ts';
import { LocalObjectReference } from '../meta.ts';
import { flag, int32, requiredText, text, textMap, texts } from './fields.ts';

const fsType = opt(text('File system of the volume, as ext4.'));
const readOnly = opt(flag('The volume is mounted read-only.'));
const secretRef = opt(described(LocalObjectReference, 'Secret with the credentials.'));

export const NFS = object({
  server: requiredText('Name or address of the server.'),
  path: requiredText('Path the server exports.'),
  readOnly,
});

export const ISCSI = object({
  targetPortal: requiredText('Address of the target, with port unless it is 3260.'),
  iqn: requiredText('Name of the target.'),
  lun: requiredDef(int32('Number of the disk.'), 0),
  iscsiInterface: def(text('Interface of the initiator.'), 'default'),
  fsType,
  readOnly,
  portals: opt(texts('Further addresses of the target.')),
  chapAuthDiscovery: opt(flag('Discovery uses CHAP.')),
  chapAuthSession: opt(flag('Sessions use CHAP.')),
  secretRef,
  initiatorName: opt(text('Name of the initiator.')),
});

export const FC = object({
  targetWWNs: opt(texts('World wide names of the targets.')),
  lun: opt(int32('Number of the disk.')),
  fsType,
  readOnly,
  wwids: opt(texts('World wide identifiers of the disk, instead of targets and number.')),
});

export const CephFS = object({
  monitors: requiredDef(texts('Addresses of the monitors.'), []),
  path: opt(text('The directory that is mounted; / when absent.')),
  user: opt(text('User; admin when absent.')),
  secretFile: opt(text('File with the key of the user.')),
  secretRef,
  readOnly,
});

export const RBD = object({
  monitors: requiredDef(texts('Addresses of the monitors.'), []),
  image: requiredText('Name of the image.'),
  fsType,
  pool: def(text('Name of the pool.'), 'rbd'),
  user: def(text('User.'), 'admin'),
  keyring: def(text('File with the key of the user.'), '/etc/ceph/keyring'),
  secretRef,
  readOnly,
});

export const Glusterfs = object({
  endpoints: requiredText('Name of the Endpoints with the servers.'),
  path: requiredText('Name of the volume.'),
  readOnly,
});

export const FlexVolume = object({
  driver: requiredText('Name of the driver.'),
  fsType,
  secretRef,
  readOnly,
  options: opt(textMap('Options the driver understands.')),
});

export const GitRepo = object({
  repository: requiredText('Address of the repository.'),
  revision: opt(text('The commit that is checked out.')),
  directory: opt(text('Directory the repository is put in.')),
});
