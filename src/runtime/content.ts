// The data of Secrets and ConfigMaps as bytes, whichever of their fields it is written in.

import type { ConfigMap } from '../api/core/config-map.ts';
import type { Secret } from '../api/core/secret.ts';

/** The keys and values of a Secret, decoded. */
export function secretData(secret: Secret): ReadonlyMap<string, Buffer> {
  const entries = Object.entries(secret.data ?? {});
  return new Map(entries.map(([key, value]) => [key, Buffer.from(value, 'base64')]));
}

/** The keys and values of a ConfigMap, text and binary. */
export function configMapData(configMap: ConfigMap): ReadonlyMap<string, Buffer> {
  const data = new Map<string, Buffer>();
  for (const [key, value] of Object.entries(configMap.data ?? {})) {
    data.set(key, Buffer.from(value, 'utf8'));
  }
  for (const [key, value] of Object.entries(configMap.binaryData ?? {})) {
    data.set(key, Buffer.from(value, 'base64'));
  }
  return data;
}
