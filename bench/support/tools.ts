// Programs of others that benchmarks need: installed by apt when we are root and may, else missed.

import { accessSync, constants, writeFileSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Context } from './benchmark.ts';

/** Program → the Debian package it comes in. */
const PACKAGES = {
  nginx: 'nginx-light',
  haproxy: 'haproxy',
  wrk: 'wrk',
  h2load: 'nghttp2-client',
  taskset: 'util-linux',
} as const;

export type Tool = keyof typeof PACKAGES;

/** Packages of servers start them; an answer of 101 here is Debian's way to say no. */
const POLICY = '/usr/sbin/policy-rc.d';
const INSTALL_MS = 300_000;

/** Tries to have all tools there. Gives those that are not, each with the reason. */
export async function needTools(
  { scratch, progress }: Context,
  tools: readonly Tool[],
): Promise<ReadonlyMap<Tool, string>> {
  const missing = tools.filter((tool) => !isThere(tool));
  if (missing.length === 0) return new Map();
  const explain = (reason: string): ReadonlyMap<Tool, string> =>
    new Map(
      tools
        .filter((tool) => !isThere(tool))
        .map((tool) => [tool, `${tool} is missing (${PACKAGES[tool]} ${reason})`]),
    );
  if (process.getuid?.() !== 0 || !isInPath('apt-get'))
    return explain('is to be installed by root');
  progress(`installing ${missing.map((tool) => PACKAGES[tool]).join(', ')}`);
  const withdraw = forbidServices();
  try {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    const options = { env, limitMs: INSTALL_MS };
    await scratch.run(['apt-get', 'update', '-q'], options);
    await scratch.run(
      [
        'apt-get',
        'install',
        '-q',
        '-y',
        '--no-install-recommends',
        ...missing.map((tool) => PACKAGES[tool]),
      ],
      options,
    );
    return explain('did not bring it');
  } catch (error) {
    return explain(`could not be installed: ${String(error).split('\n')[0]}`);
  } finally {
    withdraw();
  }
}

/** Keeps the installed servers from being started. Leaves a policy that is there as it is. */
function forbidServices(): () => void {
  try {
    writeFileSync(POLICY, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
    return () => rmSync(POLICY);
  } catch {
    return () => undefined;
  }
}

function isThere(tool: Tool): boolean {
  return isInPath(tool);
}

function isInPath(program: string): boolean {
  const folders = (process.env['PATH'] ?? '').split(delimiter);
  // Servers live where the path of ordinary users does not lead.
  return [...folders, '/usr/sbin'].some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
