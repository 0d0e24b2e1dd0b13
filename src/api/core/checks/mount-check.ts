// What is wrong with the mounts and devices of a container, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation).

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import type { Container, VolumeMount } from '../containers.ts';
import { notFound } from '../not-found.ts';
import { checkRelativePath, stepsBack } from './volume-path-check.ts';
import type { Volume } from '../volumes.ts';

type Volumes = ReadonlyMap<string, Volume>;

/** `path` is that of the container. */
export function checkVolumeMounts(
  container: Container,
  volumes: Volumes,
  path: string,
  errors: FieldError[],
): void {
  const devices = container.volumeDevices ?? [];
  const seen = new Set<string>();
  for (const [i, mount] of (container.volumeMounts ?? []).entries()) {
    const at = `${path}.volumeMounts[${i}]`;
    const { name, mountPath } = mount;
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    if (!volumes.has(name)) errors.push(notFound(`${at}.name`, name));
    if (mountPath === '') errors.push(fieldError.required(`${at}.mountPath`));
    if (seen.has(mountPath)) {
      errors.push(fieldError.invalid(`${at}.mountPath`, mountPath, 'must be unique'));
    }
    seen.add(mountPath);
    if (devices.some((device) => device.name === name)) {
      const detail = 'must not already exist in volumeDevices';
      errors.push(fieldError.invalid(`${at}.name`, name, detail));
    }
    if (devices.some((device) => device.devicePath === mountPath)) {
      const detail = 'must not already exist as a path in volumeDevices';
      errors.push(fieldError.invalid(`${at}.mountPath`, mountPath, detail));
    }
    checkSubPath(mount, at, errors);
    checkPropagation(mount, container, at, errors);
  }
}

function checkSubPath(mount: VolumeMount, path: string, errors: FieldError[]): void {
  const { subPath = '', subPathExpr = '' } = mount;
  if (subPath !== '') checkRelativePath(subPath, `${path}.subPath`, errors);
  if (subPathExpr === '') return;
  if (subPath !== '') {
    const detail = 'subPathExpr and subPath are mutually exclusive';
    errors.push(fieldError.invalid(`${path}.subPathExpr`, subPathExpr, detail));
  }
  checkRelativePath(subPathExpr, `${path}.subPathExpr`, errors);
}

function checkPropagation(
  mount: VolumeMount,
  container: Container,
  path: string,
  errors: FieldError[],
): void {
  const { mountPropagation, recursiveReadOnly = 'Disabled' } = mount;
  if (mountPropagation === 'Bidirectional' && container.securityContext?.privileged !== true) {
    const detail = 'Bidirectional mount propagation is available only to privileged containers';
    errors.push(fieldError.forbidden(`${path}.mountPropagation`, detail));
  }
  if (recursiveReadOnly === 'Disabled') return;
  const at = `${path}.recursiveReadOnly`;
  if (mount.readOnly !== true) {
    errors.push(fieldError.forbidden(at, 'may only be specified when readOnly is true'));
  }
  if (mountPropagation !== undefined && mountPropagation !== 'None') {
    const detail = 'may only be specified when mountPropagation is None or not specified';
    errors.push(fieldError.forbidden(at, detail));
  }
}

/** `path` is that of the container. */
export function checkVolumeDevices(
  container: Container,
  volumes: Volumes,
  path: string,
  errors: FieldError[],
): void {
  const names = new Set<string>();
  const paths = new Set<string>();
  for (const [i, { name, devicePath }] of (container.volumeDevices ?? []).entries()) {
    const at = `${path}.volumeDevices[${i}]`;
    if (name === '') errors.push(fieldError.required(`${at}.name`));
    if (names.has(name)) errors.push(fieldError.invalid(`${at}.name`, name, 'must be unique'));
    names.add(name);
    const volume = volumes.get(name);
    if (volume === undefined) errors.push(notFound(`${at}.name`, name));
    else if (volume.persistentVolumeClaim === undefined && volume.ephemeral === undefined) {
      const detail =
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode';
      errors.push(fieldError.invalid(`${at}.name`, name, detail));
    }
    if (devicePath === '') errors.push(fieldError.required(`${at}.devicePath`));
    if (paths.has(devicePath)) {
      errors.push(fieldError.invalid(`${at}.devicePath`, devicePath, 'must be unique'));
    }
    paths.add(devicePath);
    if (stepsBack(devicePath)) {
      const detail = "can not contain backsteps ('..')";
      errors.push(fieldError.invalid(`${at}.devicePath`, devicePath, detail));
    }
  }
}
