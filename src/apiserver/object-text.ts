// Objects as JSON text. An object that is written is told to its writer, kept on disk, sent to whoever
// watches and found in every list from then on: it is turned into text once, as objects never change.

import type { KubeObject } from '../api/kind.ts';

/** Held only as long as somebody holds the object. */
const texts = new WeakMap<KubeObject, string>();

export function objectText(object: KubeObject): string {
  let text = texts.get(object);
  if (text === undefined) {
    text = JSON.stringify(object);
    texts.set(object, text);
  }
  return text;
}

/** The same for an object that may be of the past already: of those no text is kept. */
export function passingText(object: KubeObject): string {
  return texts.get(object) ?? JSON.stringify(object);
}

/** Lets go of the text of an object that another has taken the place of. */
export function forgetText(object: KubeObject): void {
  texts.delete(object);
}
