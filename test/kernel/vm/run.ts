// Asks a kernel that has IPVS: boots Debian's in a virtual machine of qemu, with this tree, and runs the
// packet table and the tests of the target there. By hand, as root on a Debian with apt:
//
//   npm run vm                                           the tests of IPVS, which take a quarter of an hour
//   npm run vm -- nftables test/kernel/packets.test.ts   of another mode, in this file
//
// Packages are downloaded, not installed, but for qemu. Nothing needs KVM; without it everything takes longer.

import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  globSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { Initramfs } from './initramfs.ts';

const root = join(import.meta.dirname, '..', '..', '..');
const [mode = 'ipvs'] = process.argv.slice(2);
const tests =
  process.argv.length > 3
    ? process.argv.slice(3).join(' ')
    : 'test/kernel/packets.test.ts test/kernel/ipvs.test.ts';
const MEMORY_MB = 3072;
const BOOT_TIMEOUT_MS = 1_200_000;
const DONE = /^fairway-vm: status (\d+)/m;
const TOOLS = ['ip', 'ipset', 'ipvsadm', 'nft', 'conntrack'];
const XTABLES = ['iptables', 'ip6tables'].flatMap((t) => [t, `${t}-restore`, `${t}-save`]);

function run(program: string, args: readonly string[], cwd = root): string {
  const done = spawnSync(program, args, { cwd, encoding: 'utf8' });
  if (done.status !== 0) {
    throw new Error(`${program} ${args.join(' ')}: ${done.stderr || String(done.error)}`);
  }
  return done.stdout;
}

/** Folder with the files of the packages, downloaded when they are not there. */
function packages(): string {
  const cache = join(tmpdir(), `fairway-vm-${process.getuid?.() ?? 0}`);
  mkdirSync(cache, { recursive: true });
  const names = run('apt-cache', ['depends', 'linux-image-cloud-amd64']);
  const image = /Depends: (\S+)/.exec(names)?.[1];
  if (image === undefined) throw new Error('apt knows no linux-image-cloud-amd64');
  for (const name of [image, 'busybox-static']) {
    if (existsSync(join(cache, `${name}.done`))) continue;
    run('apt-get', ['download', name], cache);
    const [file] = globSync(`${name}_*.deb`, { cwd: cache });
    run('dpkg', ['-x', file!, cache], cache);
    mkdirSync(join(cache, `${name}.done`));
  }
  return cache;
}

/** Modules of the kernel for networks, in an order in which each comes after those it needs. */
function modulesIn(folder: string): readonly string[] {
  const patterns = [
    'net/netfilter/**/*',
    'net/ipv4/**/*',
    'net/ipv6/**/*',
    'net/bridge/*',
    'net/sctp/*',
    'drivers/net/{dummy,veth}',
  ];
  const all = new Map(
    globSync('**/*.ko', { cwd: folder }).map((f) => [basename(f, '.ko').replaceAll('-', '_'), f]),
  );
  const ordered: string[] = [];
  const visit = (file: string): void => {
    if (ordered.includes(file)) return;
    const text = readFileSync(join(folder, file), 'latin1');
    for (const name of /depends=([^\0]*)\0/.exec(text)?.[1]?.split(',') ?? []) {
      const needed = all.get(name.replaceAll('-', '_'));
      if (needed !== undefined) visit(needed);
    }
    ordered.push(file);
  };
  for (const pattern of patterns) {
    for (const file of globSync(`${pattern}.ko`, { cwd: folder }).toSorted()) visit(file);
  }
  return ordered;
}

/** Packages that the program needs when it runs, with those they need. */
function dependencies(): readonly string[] {
  const found = new Set<string>();
  const visit = (manifest: string): void => {
    const { dependencies: needed = {} } = JSON.parse(readFileSync(manifest, 'utf8')) as {
      dependencies?: Readonly<Record<string, string>>;
    };
    for (const name of Object.keys(needed)) {
      const folder = join(root, 'node_modules', name);
      if (found.has(name) || !existsSync(folder)) continue;
      found.add(name);
      visit(join(folder, 'package.json'));
    }
  };
  visit(join(root, 'package.json'));
  return [...found];
}

function build(cache: string, path: string): void {
  const image = new Initramfs(path);
  const [version = ''] = readdirSync(join(cache, 'lib', 'modules'));
  const modules = join(cache, 'lib', 'modules', version, 'kernel');
  const ordered = modulesIn(modules);
  for (const file of ordered) image.addTree(`/modules/${basename(file)}`, join(modules, file));
  image.addTree('/bin/busybox', join(cache, 'bin', 'busybox'));
  for (const name of [
    'sh',
    'mount',
    'insmod',
    'poweroff',
    'mkdir',
    'tee',
    'cat',
    'true',
    'unshare',
    'ls',
    'dmesg',
  ]) {
    image.addLink(`/bin/${name}`, 'busybox');
  }
  for (const name of TOOLS) {
    const from = run('sh', ['-c', `command -v ${name}`]).trim();
    image.addProgram(`/usr/sbin/${name}`, from);
  }
  image.addProgram('/usr/sbin/xtables-nft-multi');
  for (const name of XTABLES) image.addLink(`/usr/sbin/${name}`, 'xtables-nft-multi');
  for (const folder of globSync('/usr/lib/*/xtables')) image.addTree(folder);
  image.addProgram('/usr/bin/node', process.execPath);
  for (const folder of ['src', 'test', 'testdata', 'package.json']) {
    image.addTree(`/fairway/${folder}`, join(root, folder));
  }
  for (const name of dependencies()) {
    image.addTree(
      `/fairway/node_modules/${name}`,
      join(root, 'node_modules', name),
      (file) => !/\.(?:map|d\.[cm]?ts|md)$/.test(file),
    );
  }
  for (const folder of ['/proc', '/sys', '/dev', '/tmp', '/run', '/root'])
    image.addDirectory(folder);
  // ipset reads names of protocols there.
  image.addText(
    '/etc/protocols',
    'icmp 1 ICMP\ntcp 6 TCP\nudp 17 UDP\nipv6-icmp 58\nsctp 132 SCTP\n',
  );
  image.addText(
    '/init',
    [
      '#!/bin/sh',
      'export PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root FAIRWAY_VM=1',
      'mount -t proc proc /proc; mount -t sysfs sys /sys; mount -t devtmpfs dev /dev',
      'mount -t tmpfs tmp /tmp; mount -t tmpfs run /run',
      ...ordered.map((file) => `insmod /modules/${basename(file)} 2>/dev/null`),
      'ip link set lo up',
      'cd /fairway',
      `node --disable-warning=ExperimentalWarning --test --test-timeout=600000 --test-name-pattern='by ${mode}' ${tests}`,
      'echo "fairway-vm: status $?"',
      'poweroff -f',
      '',
    ].join('\n'),
  );
  image.end();
}

async function boot(cache: string, image: string): Promise<number> {
  const [kernel = ''] = globSync('boot/vmlinuz-*', { cwd: cache });
  const child = spawn(
    'qemu-system-x86_64',
    [
      // With several processors, Node.js has been seen to end in the midst of compiling.
      ...'-accel tcg -cpu max,pku=off -smp 1 -nographic -no-reboot -nodefaults'.split(' '),
      ...`-serial stdio -m ${MEMORY_MB} -kernel ${join(cache, kernel)} -initrd ${image}`.split(' '),
      '-append',
      'console=ttyS0 quiet panic=-1 mitigations=off',
    ],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const timer = setTimeout(() => child.kill('SIGKILL'), BOOT_TIMEOUT_MS);
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => {
    text = (text + part).slice(-4000);
    process.stdout.write(part.replaceAll('\r', ''));
  });
  await new Promise((resolve) => child.once('close', resolve));
  clearTimeout(timer);
  return Number(DONE.exec(text)?.[1] ?? 1);
}

if (spawnSync('sh', ['-c', 'command -v qemu-system-x86_64']).status !== 0) {
  run('apt-get', ['install', '-y', '--no-install-recommends', 'qemu-system-x86']);
}
const cache = packages();
const folder = mkdtempSync(join(tmpdir(), 'fairway-initramfs-'));
try {
  const image = join(folder, 'initramfs');
  build(cache, image);
  process.exitCode = await boot(cache, image);
} finally {
  rmSync(folder, { recursive: true });
}
