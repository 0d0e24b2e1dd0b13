// What is wrong with the volumes of a Pod, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation). Volumes of clouds and storage systems are only checked for being volumes:
// nothing here mounts them.

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import { checkClaimSpec } from './claim-check.ts';
import { checkFieldRef, checkResourceFieldRef } from './env-check.ts';
import { checkAnnotations, checkLabels } from '../metadata.ts';
import { checkName, dns1123Label, dns1123Subdomain } from '../names.ts';
import { compareQuantities, parseQuantity } from '../quantity.ts';
import { checkFilePath, checkMode, checkNoBacksteps } from './volume-path-check.ts';
import type { DownwardAPIVolumeFile, KeyToPath, VolumeProjection } from '../volumes-projected.ts';
import type { Volume, VolumeSourceName } from '../volumes.ts';

/** Reports what is wrong, and returns the volumes that are sound, by name. */
export function checkVolumes(
  volumes: readonly Volume[],
  path: string,
  errors: FieldError[],
): ReadonlyMap<string, Volume> {
  const sound = new Map<string, Volume>();
  for (const [i, volume] of volumes.entries()) {
    const at = `${path}[${i}]`;
    const before = errors.length;
    checkVolume(volume, at, errors);
    if (volume.name === '') errors.push(fieldError.required(`${at}.name`));
    else checkName(dns1123Label, volume.name, `${at}.name`, errors);
    if (sound.has(volume.name)) errors.push(fieldError.duplicate(`${at}.name`, volume.name));
    if (errors.length === before) sound.set(volume.name, volume);
  }
  return sound;
}

/** The order in which upstream looks at sources: of several, the first of these counts. */
const FIRST_SOURCES: readonly VolumeSourceName[] = ['emptyDir', 'hostPath', 'secret', 'nfs'];

function checkVolume(volume: Volume, path: string, errors: FieldError[]): void {
  const given = Object.keys(volume).filter((key) => key !== 'name') as VolumeSourceName[];
  const first = FIRST_SOURCES.find((source) => given.includes(source)) ?? given[0];
  if (first === undefined) {
    errors.push(fieldError.required(path, 'must specify a volume type'));
    return;
  }
  checkSource(volume, first, `${path}.${first}`, errors);
  for (const source of given) {
    if (source === first) continue;
    const detail = 'may not specify more than 1 volume type';
    errors.push(fieldError.forbidden(`${path}.${source}`, detail));
  }
}

function checkSource(
  volume: Volume,
  source: VolumeSourceName,
  path: string,
  errors: FieldError[],
): void {
  const { emptyDir, hostPath, secret, configMap, downwardAPI, projected, csi, nfs } = volume;
  if (source === 'emptyDir' && emptyDir?.sizeLimit !== undefined) {
    checkSizeLimit(emptyDir.sizeLimit, `${path}.sizeLimit`, errors);
  } else if (source === 'hostPath' && hostPath !== undefined) {
    if (hostPath.path === '') errors.push(fieldError.required(`${path}.path`));
    checkNoBacksteps(hostPath.path, `${path}.path`, errors);
  } else if (source === 'secret' && secret !== undefined) {
    if ((secret.secretName ?? '') === '') errors.push(fieldError.required(`${path}.secretName`));
    checkMode(secret.defaultMode, `${path}.defaultMode`, errors);
    checkItems(secret.items, path, errors);
  } else if (source === 'configMap' && configMap !== undefined) {
    if (configMap.name === '') errors.push(fieldError.required(`${path}.name`));
    checkMode(configMap.defaultMode, `${path}.defaultMode`, errors);
    checkItems(configMap.items, path, errors);
  } else if (source === 'downwardAPI' && downwardAPI !== undefined) {
    checkMode(downwardAPI.defaultMode, `${path}.defaultMode`, errors);
    checkDownwardFiles(downwardAPI.items ?? [], path, errors);
  } else if (source === 'projected' && projected !== undefined) {
    checkMode(projected.defaultMode, `${path}.defaultMode`, errors);
    checkProjections(projected.sources ?? [], path, errors);
  } else if (source === 'csi' && csi !== undefined) {
    checkDriver(csi.driver, `${path}.driver`, errors);
  } else if (source === 'nfs' && nfs !== undefined) {
    checkNfs(nfs, path, errors);
  } else {
    checkOtherSource(volume, source, path, errors);
  }
}

function checkOtherSource(
  volume: Volume,
  source: VolumeSourceName,
  path: string,
  errors: FieldError[],
): void {
  if (source === 'persistentVolumeClaim' && volume.persistentVolumeClaim?.claimName === '') {
    errors.push(fieldError.required(`${path}.claimName`));
  } else if (source === 'image' && (volume.image?.reference ?? '') === '') {
    errors.push(fieldError.required(`${path}.reference`));
  } else if (source === 'ephemeral') {
    const template = volume.ephemeral?.volumeClaimTemplate;
    const at = `${path}.volumeClaimTemplate`;
    if (template === undefined) {
      errors.push(fieldError.required(at));
      return;
    }
    checkAnnotations(template.metadata.annotations, `${at}.metadata.annotations`, errors);
    checkLabels(template.metadata.labels, `${at}.metadata.labels`, errors);
    checkClaimSpec(template.spec, `${at}.spec`, errors);
  }
}

const DRIVER_BYTES_MAX = 63;

function checkDriver(driver: string, path: string, errors: FieldError[]): void {
  if (driver === '') {
    errors.push(fieldError.required(path));
    return;
  }
  if (Buffer.byteLength(driver) > DRIVER_BYTES_MAX) {
    errors.push(fieldError.tooLong(path, DRIVER_BYTES_MAX));
  }
  for (const detail of dns1123Subdomain(driver.toLowerCase())) {
    errors.push(fieldError.invalid(path, driver, detail));
  }
}

function checkSizeLimit(text: string, path: string, errors: FieldError[]): void {
  const size = parseQuantity(text);
  if (size !== undefined && compareQuantities(size, { ...size, unscaled: 0n }) >= 0) return;
  errors.push(fieldError.forbidden(path, 'SizeLimit field must be a valid resource quantity'));
}

function checkNfs(nfs: NonNullable<Volume['nfs']>, path: string, errors: FieldError[]): void {
  if (nfs.server === '') errors.push(fieldError.required(`${path}.server`));
  if (nfs.path === '') errors.push(fieldError.required(`${path}.path`));
  if (!nfs.path.startsWith('/')) {
    errors.push(fieldError.invalid(`${path}.path`, nfs.path, 'must be an absolute path'));
  }
}

/** `path` is that of the volume or projection the items belong to. */
function checkItems(items: readonly KeyToPath[] = [], path: string, errors: FieldError[]): void {
  for (const [i, item] of items.entries()) {
    const at = `${path}.items[${i}]`;
    if (item.key === '') errors.push(fieldError.required(`${at}.key`));
    if (item.path === '') errors.push(fieldError.required(`${at}.path`));
    checkFilePath(item.path, `${at}.path`, errors);
    checkMode(item.mode, `${at}.mode`, errors);
  }
}

const VOLUME_FIELD_PATHS = [
  'metadata.annotations',
  'metadata.labels',
  'metadata.name',
  'metadata.namespace',
  'metadata.uid',
];

function checkDownwardFiles(
  files: readonly DownwardAPIVolumeFile[],
  path: string,
  errors: FieldError[],
): void {
  for (const [i, file] of files.entries()) {
    const at = `${path}.items[${i}]`;
    if (file.path === '') errors.push(fieldError.required(`${at}.path`));
    checkFilePath(file.path, `${at}.path`, errors);
    const { fieldRef, resourceFieldRef } = file;
    if (fieldRef !== undefined) {
      checkFieldRef(fieldRef, VOLUME_FIELD_PATHS, `${at}.fieldRef`, errors);
      if (resourceFieldRef !== undefined) {
        const detail = 'fieldRef and resourceFieldRef can not be specified simultaneously';
        errors.push(fieldError.invalid(at, 'resource', detail));
      }
    } else if (resourceFieldRef !== undefined) {
      checkResourceFieldRef(resourceFieldRef, true, `${at}.resourceFieldRef`, errors);
    } else {
      const detail = 'one of fieldRef and resourceFieldRef is required';
      errors.push(fieldError.required(at, detail));
    }
    checkMode(file.mode, `${at}.mode`, errors);
  }
}

function checkProjections(
  sources: readonly VolumeProjection[],
  path: string,
  errors: FieldError[],
): void {
  const files = new Set<string>();
  for (const [i, source] of sources.entries()) {
    const at = `${path}.sources[${i}]`;
    if (Object.keys(source).length > 1) {
      const detail = 'may not specify more than 1 volume type per source';
      errors.push(fieldError.forbidden(at, detail));
    }
    checkProjection(source, at, errors);
    for (const file of filesOf(source)) {
      if (file === '') continue;
      if (files.has(file)) {
        errors.push(fieldError.invalid(path, file, 'conflicting duplicate paths'));
      }
      files.add(file);
    }
  }
}

function filesOf(source: VolumeProjection): readonly string[] {
  const items = [
    ...(source.secret?.items ?? []),
    ...(source.configMap?.items ?? []),
    ...(source.downwardAPI?.items ?? []),
  ];
  return [...items.map((item) => item.path), source.clusterTrustBundle?.path ?? ''];
}

/** Seconds a token of a service account is valid at least, and at most. */
const TOKEN_SECONDS_MIN = 600;
const TOKEN_SECONDS_MAX = 2 ** 32;

function checkProjection(source: VolumeProjection, path: string, errors: FieldError[]): void {
  for (const kind of ['secret', 'configMap'] as const) {
    const projection = source[kind];
    if (projection === undefined) continue;
    if (projection.name === '') errors.push(fieldError.required(`${path}.${kind}.name`));
    checkItems(projection.items, `${path}.${kind}`, errors);
  }
  checkDownwardFiles(source.downwardAPI?.items ?? [], `${path}.downwardAPI`, errors);
  const token = source.serviceAccountToken;
  if (token === undefined) return;
  const at = `${path}.serviceAccountToken`;
  if (token.expirationSeconds < TOKEN_SECONDS_MIN) {
    const detail = 'may not specify a duration less than 10 minutes';
    errors.push(fieldError.invalid(`${at}.expirationSeconds`, token.expirationSeconds, detail));
  } else if (token.expirationSeconds > TOKEN_SECONDS_MAX) {
    const detail = 'may not specify a duration larger than 2^32 seconds';
    errors.push(fieldError.invalid(`${at}.expirationSeconds`, token.expirationSeconds, detail));
  }
  if (token.path === '') errors.push(fieldError.required(`${at}.path`));
  else checkFilePath(token.path, `${at}.path`, errors);
}
