// Makes the root file system of a virtual machine: files of this host and of packages as a cpio archive, the
// form in which Linux takes it. Shared libraries that a program needs come with it.

import { spawnSync } from 'node:child_process';
import {
  closeSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  statSync,
  writeSync,
} from 'node:fs';
import { dirname, join } from 'node:path';

const MODE = { directory: 0o040755, link: 0o120777, program: 0o100755 } as const;

export class Initramfs {
  readonly #file: number;
  readonly #paths = new Set<string>(['/']);
  #inode = 1;

  constructor(path: string) {
    this.#file = openSync(path, 'w');
  }

  addText(path: string, text: string): void {
    this.#add(path, MODE.program, Buffer.from(text));
  }

  addLink(path: string, target: string): void {
    this.#add(path, MODE.link, Buffer.from(target));
  }

  /** A directory with nothing in it yet. */
  addDirectory(path: string): void {
    if (this.#paths.has(path)) return;
    this.#parents(path);
    this.#write(path, MODE.directory, Buffer.alloc(0));
  }

  /** A file or a folder with everything below it, from another place of the host where one is given. */
  addTree(path: string, from = path, isWanted: (path: string) => boolean = () => true): void {
    if (!isWanted(from)) return;
    const stat = lstatSync(from);
    if (stat.isSymbolicLink() && !statSync(from, { throwIfNoEntry: false })?.isDirectory()) {
      this.addLink(path, readlinkSync(from));
      return;
    }
    if (!statSync(from).isDirectory()) {
      this.#add(path, MODE.program, readFileSync(from));
      return;
    }
    this.addDirectory(path);
    for (const name of readdirSync(from))
      this.addTree(join(path, name), join(from, name), isWanted);
  }

  /** A program of the host with the libraries it needs. */
  addProgram(path: string, from = path): void {
    this.#add(path, MODE.program, readFileSync(realpathSync(from)));
    const { stdout } = spawnSync('ldd', [from], { encoding: 'utf8' });
    for (const [, library = ''] of stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)) {
      if (!this.#paths.has(library)) this.#add(library, MODE.program, readFileSync(library));
    }
  }

  end(): void {
    this.#write('TRAILER!!!', 0, Buffer.alloc(0));
    closeSync(this.#file);
  }

  #add(path: string, mode: number, content: Buffer): void {
    if (this.#paths.has(path)) return;
    this.#parents(path);
    this.#write(path, mode, content);
  }

  #parents(path: string): void {
    const parent = dirname(path);
    if (!this.#paths.has(parent)) this.addDirectory(parent);
  }

  #write(path: string, mode: number, content: Buffer): void {
    this.#paths.add(path);
    const name = path.replace(/^\//, '');
    // The newc form: a magic number and thirteen fields of eight digits.
    const fields = [
      this.#inode++,
      mode,
      0,
      0,
      1,
      0,
      content.length,
      0,
      0,
      0,
      0,
      name.length + 1,
      0,
    ];
    const head = `070701${fields.map((n) => n.toString(16).padStart(8, '0')).join('')}${name}\0`;
    for (const part of [Buffer.from(head), content]) {
      writeSync(this.#file, Buffer.concat([part, Buffer.alloc(-part.length & 3)]));
    }
  }
}
