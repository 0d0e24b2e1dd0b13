// npm run golden -- AREA/CASE…  writes the golden files of cases anew; without a name, of all.

import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { listCases, runCase } from './support/cases.ts';

const wanted = process.argv.slice(2);
const cases = listCases().filter(({ name }) => wanted.length === 0 || wanted.includes(name));
if (cases.length === 0) throw new Error(`no case ${wanted.join(' ')}`);

for (const testCase of cases) {
  const { goldens } = await runCase(testCase);
  for (const [file, text] of goldens) {
    const path = join(testCase.directory, file);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
}
process.stdout.write(`${cases.length} cases written\n`);
