// References across namespaces → the ReferenceGrants that consent to them.

import type { CrossReference } from './context.ts';
import type { GeneratedObject } from './types.ts';

/** Objects one grant may name. */
const NAMES_MAX = 16;

export function grantReferences(references: readonly CrossReference[]): readonly GeneratedObject[] {
  const groups = new Map<string, { reference: CrossReference; names: Set<string> }>();
  for (const reference of references) {
    const { fromKind, fromNamespace, toKind, toNamespace, toName } = reference;
    const key = [toNamespace, toKind, fromKind, fromNamespace].join('/');
    const known = groups.get(key) ?? { reference, names: new Set<string>() };
    groups.set(key, known);
    known.names.add(toName);
  }
  return [...groups.entries()]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([, { reference, names }]) => {
      const { fromKind, fromNamespace, toKind, toNamespace, origin } = reference;
      const sorted = [...names].toSorted();
      return Array.from(
        { length: Math.ceil(sorted.length / NAMES_MAX) },
        (_, i): GeneratedObject => {
          const base = `${fromKind}-from-${fromNamespace}-to-${toKind}`.toLowerCase();
          return {
            apiVersion: 'gateway.networking.k8s.io/v1',
            kind: 'ReferenceGrant',
            namespace: toNamespace,
            name: i === 0 ? base : `${base}-${String(i + 1).padStart(2, '0')}`,
            spec: {
              from: [
                { group: 'gateway.networking.k8s.io', kind: fromKind, namespace: fromNamespace },
              ],
              to: sorted
                .slice(i * NAMES_MAX, (i + 1) * NAMES_MAX)
                .map((name) => ({ group: '', kind: toKind, name })),
            },
            remarks: [{ path: [], text: 'consent to references from another namespace', origin }],
          };
        },
      );
    });
}
