// Image names and the configuration's patterns for them.

import type { ImageMapping } from '../types.ts';

/** The first mapping whose pattern takes the image. */
export function mappingFor(
  image: string,
  mappings: readonly ImageMapping[],
): ImageMapping | undefined {
  return mappings.find((mapping) => imageMatches(mapping.image, image));
}

/**
 * True when the pattern takes the image. `*` stands for any run of characters, slashes included; a
 * pattern without tag and digest takes all of them. Docker Hub's names may be written short or full.
 */
export function imageMatches(pattern: string, image: string): boolean {
  const full = familiarName(pattern);
  const name = familiarName(image);
  return globMatches(full, name) || globMatches(full, withoutTag(name));
}

/** `docker.io/library/nginx` and `nginx` are one image. */
function familiarName(image: string): string {
  return image.replace(/^(?:index\.)?docker\.io\/(?:library\/)?/, '');
}

/** A colon after the last slash starts the tag; one before it belongs to the registry's port. */
function withoutTag(image: string): string {
  const [name = ''] = image.split('@');
  const colon = name.indexOf(':', name.lastIndexOf('/') + 1);
  return colon === -1 ? name : name.slice(0, colon);
}

/** Matches literal parts one after the other, so a pattern cannot make it slow. */
function globMatches(pattern: string, text: string): boolean {
  const parts = pattern.split('*');
  const first = parts[0] ?? '';
  if (parts.length === 1) return pattern === text;
  const last = parts[parts.length - 1] ?? '';
  if (!text.startsWith(first)) return false;
  let position = first.length;
  for (const part of parts.slice(1, -1)) {
    const found = text.indexOf(part, position);
    if (found === -1) return false;
    position = found + part.length;
  }
  return text.length - last.length >= position && text.endsWith(last);
}
