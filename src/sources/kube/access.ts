// A kubeconfig, or the account of the pod we run in → where the API server is and what lets one in, made
// anew for each request, because tokens, certificates and whole kubeconfigs are replaced while we run.
// Reading and credentials are the official client's; it is heavy, so it is loaded when it is asked for.

import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent as HttpAgent } from 'node:http';
import { Agent as HttpsAgent } from 'node:https';
import type { AgentOptions } from 'node:https';
import { dirname, resolve } from 'node:path';
import type { KubeConfig } from '@kubernetes/client-node';
import { parse } from 'yaml';
import { FairwayError } from '../../lib/errors.ts';

/** What one request is made with. */
export interface Access {
  /** As `https://10.0.0.1:6443`, perhaps with a path. */
  readonly server: URL;
  readonly headers: Readonly<Record<string, string>>;
  readonly agent: HttpAgent;
}

export interface AccessProvider {
  /** What it is, for people: `kubeconfig /etc/kube.conf, context prod`. */
  readonly about: string;
  /** Rejects with a FairwayError that says which file or field is at fault. */
  get(): Promise<Access>;
  close(): void;
}

export type AccessOptions =
  | { readonly kind: 'kubeconfig'; readonly file: string; readonly context?: string }
  | { readonly kind: 'in-cluster'; readonly root?: string };

/** A silent peer is asked after this time whether it is there, and given up ten seconds later. */
const KEEP_ALIVE_MS = 30_000;

/** Loads what there is. Rejects with a FairwayError when it cannot be used. */
export async function openAccess(options: AccessOptions): Promise<AccessProvider> {
  const client = await import('@kubernetes/client-node');
  const provider = new Provider(options, () => new client.KubeConfig());
  await provider.get();
  return provider;
}

class Provider implements AccessProvider {
  readonly about: string;
  readonly #options: AccessOptions;
  readonly #make: () => KubeConfig;
  /** The kubeconfig as text, for which the rest was made. */
  #text: string | undefined;
  #config: KubeConfig | undefined;
  #tokenFile: string | undefined;
  #agent: { readonly key: string; readonly agent: HttpAgent } | undefined;

  constructor(options: AccessOptions, make: () => KubeConfig) {
    this.#options = options;
    this.#make = make;
    const context =
      options.kind === 'kubeconfig' && options.context !== undefined
        ? `, context ${options.context}`
        : '';
    this.about =
      options.kind === 'in-cluster' ? "the pod's account" : `kubeconfig ${options.file}${context}`;
  }

  async get(): Promise<Access> {
    const config = this.#load();
    const cluster = config.getCurrentCluster();
    if (cluster === null) throw this.#unusable('it has no cluster for the context');
    const server = parsed(cluster.server);
    if (server === undefined) throw this.#unusable(`server ${cluster.server} is no URL`);
    const asked: Asked = { headers: {} };
    try {
      await config.applyToHTTPSOptions(asked as never);
    } catch (error) {
      throw this.#unusable((error as Error).message, error);
    }
    const headers = { ...asked.headers };
    if (asked.auth !== undefined) {
      headers.Authorization = `Basic ${Buffer.from(asked.auth).toString('base64')}`;
    }
    // The client remembers what is in a token file for a minute, and knows them in the cluster only.
    if (this.#tokenFile !== undefined) headers.Authorization = `Bearer ${this.#token()}`;
    const hasProxy = (cluster as { readonly proxyUrl?: string }).proxyUrl !== undefined;
    const agent = hasProxy ? asked.agent! : this.#agentFor(server, asked);
    return { server, headers, agent };
  }

  close(): void {
    this.#agent?.agent.destroy();
    this.#agent = undefined;
  }

  #load(): KubeConfig {
    const text = this.#read();
    if (this.#config !== undefined && text === this.#text) return this.#config;
    const config = this.#make();
    try {
      if (this.#options.kind === 'in-cluster') config.loadFromCluster(this.#options.root ?? '');
      else this.#fromText(config, text, this.#options);
    } catch (error) {
      if (error instanceof FairwayError) throw error;
      throw this.#unusable((error as Error).message, error);
    }
    const cluster = config.getCurrentCluster();
    // The client wants this for plain HTTP, where there is nothing to verify.
    if (cluster?.server.startsWith('http:') === true) {
      config.clusters = config.clusters.map((c) => ({ ...c, skipTLSVerify: true }));
    }
    this.#text = text;
    this.#config = config;
    const provider = config.getCurrentUser()?.authProvider as
      | { readonly config?: { readonly tokenFile?: string } }
      | null
      | undefined;
    this.#tokenFile = provider?.config?.tokenFile;
    return config;
  }

  #fromText(
    config: KubeConfig,
    text: string,
    { file, context }: { readonly file: string; readonly context?: string },
  ): void {
    config.loadFromString(text);
    const root = dirname(resolve(file));
    config.makePathsAbsolute(root);
    if (context !== undefined) config.setCurrentContext(context);
    const names = config.getContexts().map(({ name }) => name);
    const current = config.getCurrentContext() as string | undefined;
    if (current === undefined || current === '') {
      throw this.#unusable('it names no current-context', undefined, `--context ${names[0] ?? ''}`);
    }
    if (!names.includes(current)) {
      throw this.#unusable(
        `it has no context ${current}`,
        undefined,
        names.length === 0 ? 'write one into it' : `it has ${names.join(', ')}`,
      );
    }
    const user = config.getCurrentUser();
    const tokenFile = user === null ? undefined : tokenFileOf(text, user.name);
    if (user === null || tokenFile === undefined) return;
    const provider = { name: 'tokenFile', config: { tokenFile: resolve(root, tokenFile) } };
    config.users = config.users.map((u) =>
      u.name === user.name ? { ...u, authProvider: provider } : u,
    );
  }

  #read(): string {
    if (this.#options.kind === 'in-cluster') {
      if ((process.env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') return 'in-cluster';
      throw new FairwayError('FW_KUBECONFIG', 'there is no cluster around this process', {
        hint: 'give --kubeconfig FILE, or run it in a pod with a service account',
      });
    }
    const { file } = this.#options;
    try {
      return readFileSync(file, 'utf8');
    } catch (error) {
      throw this.#unusable((error as Error).message, error, 'check --kubeconfig');
    }
  }

  #token(): string {
    try {
      return readFileSync(this.#tokenFile!, 'utf8').trim();
    } catch (error) {
      throw this.#unusable(`its token cannot be read: ${(error as Error).message}`, error);
    }
  }

  #agentFor(server: URL, { ca, cert, key, rejectUnauthorized, servername }: Asked): HttpAgent {
    const hash = createHash('sha256');
    for (const part of [ca, cert, key]) hash.update(part ?? '').update('\0');
    const name = `${server.origin} ${rejectUnauthorized} ${servername} ${hash.digest('hex')}`;
    if (this.#agent?.key === name) return this.#agent.agent;
    const common = { keepAlive: true, keepAliveMsecs: KEEP_ALIVE_MS };
    const tls: AgentOptions = {
      ...common,
      ...(ca === undefined ? {} : { ca }),
      ...(cert === undefined ? {} : { cert }),
      ...(key === undefined ? {} : { key }),
      ...(rejectUnauthorized === undefined ? {} : { rejectUnauthorized }),
      ...(servername === undefined ? {} : { servername }),
    };
    const agent = server.protocol === 'http:' ? new HttpAgent(common) : new HttpsAgent(tls);
    // What still runs over the one before goes on until it ends.
    this.#agent = { key: name, agent };
    return agent;
  }

  #unusable(why: string, cause?: unknown, hint = 'kubectl config view shows it'): FairwayError {
    return new FairwayError('FW_KUBECONFIG', `${this.about} cannot be used: ${why}`, {
      hint,
      cause,
    });
  }
}

/** What the client fills in. */
interface Asked {
  readonly headers: Record<string, string>;
  readonly auth?: string;
  readonly agent?: HttpAgent;
  readonly ca?: Buffer;
  readonly cert?: Buffer;
  readonly key?: Buffer;
  readonly rejectUnauthorized?: boolean;
  readonly servername?: string;
}

function parsed(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** `tokenFile` of a user, which the client does not know; its file is read again for each request. */
function tokenFileOf(text: string, user: string): string | undefined {
  if (!text.includes('tokenFile')) return undefined;
  const { users = [] } = parse(text) as { readonly users?: readonly UserEntry[] };
  return users.find(({ name }) => name === user)?.user?.tokenFile;
}

interface UserEntry {
  readonly name?: string;
  readonly user?: { readonly tokenFile?: string };
}
