// The bookshop with the built-in echo server in place of its own programs: the same objects, and no
// process to start for any pod.

import { globSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { parseAllDocuments, isMap, isSeq } from 'yaml';
import type { Document } from 'yaml';
import type { Scratch } from '../support/scratch.ts';

const IMAGE = 'registry.k8s.io/gateway-api/echo-basic:v1.5.1';
const CONTAINERS = ['spec', 'template', 'spec', 'containers'];

/** Writes the folder and gives its path. */
export function makeEchoFolder(scratch: Scratch, bookshop: string): string {
  for (const path of globSync('**/*.yaml', { cwd: bookshop })) {
    const documents = parseAllDocuments(readFileSync(join(bookshop, path), 'utf8'));
    if (!Array.isArray(documents)) continue;
    documents.forEach(useEcho);
    scratch.write(join('echo', relative('.', path)), documents.map(String).join(''));
  }
  return scratch.file('echo');
}

function useEcho(document: Document): void {
  const containers = document.getIn(CONTAINERS);
  if (!isSeq(containers)) return;
  for (const container of containers.items) {
    if (!isMap(container)) continue;
    container.set('image', IMAGE);
    container.delete('command');
  }
}
