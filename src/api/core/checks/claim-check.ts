// What is wrong with a claim on storage, in Kubernetes' words (k8s.io/kubernetes
// pkg/apis/core/validation).

import { fieldError } from '../../schema/errors.ts';
import type { FieldError } from '../../schema/errors.ts';
import type { PersistentVolumeClaimSpec } from '../claims.ts';
import { checkLabelSelector } from './label-selector-check.ts';
import { checkName, dns1123Subdomain } from '../names.ts';
import { parseQuantity } from '../quantity.ts';

const ACCESS_MODES = ['ReadOnlyMany', 'ReadWriteMany', 'ReadWriteOnce', 'ReadWriteOncePod'];

export function checkClaimSpec(
  spec: PersistentVolumeClaimSpec,
  path: string,
  errors: FieldError[],
): void {
  const modes = spec.accessModes ?? [];
  const at = `${path}.accessModes`;
  if (modes.length === 0) {
    errors.push(fieldError.required(at, 'at least 1 access mode is required'));
  }
  checkLabelSelector(spec.selector, `${path}.selector`, errors);
  for (const mode of modes) {
    if (!ACCESS_MODES.includes(mode)) errors.push(fieldError.unsupported(at, mode, ACCESS_MODES));
  }
  if (modes.includes('ReadWriteOncePod') && modes.some((mode) => mode !== 'ReadWriteOncePod')) {
    const detail = 'may not use ReadWriteOncePod with other access modes';
    errors.push(fieldError.forbidden(at, detail));
  }
  checkStorage(spec.resources.requests?.['storage'], `${path}.resources[storage]`, errors);
  if ((spec.storageClassName ?? '') !== '') {
    const name = spec.storageClassName ?? '';
    checkName(dns1123Subdomain, name, `${path}.storageClassName`, errors);
  }
}

function checkStorage(storage: string | undefined, path: string, errors: FieldError[]): void {
  if (storage === undefined) errors.push(fieldError.required(path));
  else if ((parseQuantity(storage)?.unscaled ?? 0n) <= 0n) {
    errors.push(fieldError.invalid(path, storage, 'must be greater than zero'));
  }
}
