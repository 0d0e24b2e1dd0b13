// All a worker thread runs: the tables, backends, certificates, ports and relays of the program in
// force. A patch is applied between two requests and seen whole: what is new is made before anything
// points to it, what is gone is let go last.
//
// Not hot: once for each change of programs, and then in the time of what changed.

import { deepEqual } from '../../../lib/equal.ts';
import type { BackendTls } from '../../../model/model.ts';
import type {
  ActionProgram,
  BackendProgram,
  EndpointProgram,
  SocketProgram,
  StreamProgram,
  TableProgram,
} from '../program.ts';
import { splitTableKey } from '../program.ts';
import type { Patch, TableDelta } from '../patch.ts';
import { activate, Forward } from './action.ts';
import type { Action } from './action.ts';
import { Backend } from './backend.ts';
import { Certificate, CertificateIndex } from './certificates.ts';
import type { ConnectionListener } from './connection-relay.ts';
import type { Listener, TableSlot, RunningConduct } from './dispatch.ts';
import { Endpoint } from './endpoint.ts';
import type { EndpointCommon } from './endpoint.ts';
import { HostIndex } from './hosts.ts';
import { Networks } from './request-source.ts';
import type { OutsideHosts } from './hosts-outside.ts';
import { RetryMeter } from './retry-budget.ts';
import { RouteTable } from './router.ts';

export interface StateOptions extends EndpointCommon {
  readonly ticketKeys: Buffer;
  readonly hosts: OutsideHosts;
}

export class State {
  readonly #options: StateOptions;
  readonly #tables = new Map<string, TableSlot>();
  /** The hosts of each listener, kept up to date while requests come in: there may be thousands. */
  readonly #hosts = new Map<string, HostIndex<TableSlot>>();
  readonly #listeners = new WeakMap<SocketProgram, HostIndex<Listener>>();
  readonly #connectionListeners = new WeakMap<SocketProgram, HostIndex<ConnectionListener>>();
  readonly #conducts = new WeakMap<SocketProgram, RunningConduct>();
  readonly #backends = new Map<string, Backend>();
  readonly #endpoints = new Map<string, Endpoint>();
  readonly #certificates = new Map<string, Certificate>();
  /** Keys of the certificates that backends are shown, by key of the backend. */
  readonly #shown = new Map<string, string>();
  #isApplying = false;
  #certificateIndexes = new WeakMap<SocketProgram, CertificateIndex>();
  readonly #tlsNames = new Map<string, string>();
  readonly #sockets = new Map<string, SocketProgram>();

  constructor(options: StateOptions) {
    this.#options = options;
  }

  /** Applies everything of a patch but the listening itself. */
  apply(patch: Patch): void {
    this.#isApplying = true;
    for (const [, program] of patch.backends.set) this.#setBackend(program);
    this.#setTables(patch.tables.set, patch.changedTables);
    for (const [key, program] of patch.certificates.set) {
      this.#certificates.set(key, new Certificate(program, this.#options.ticketKeys));
    }
    for (const [id, program] of patch.sockets.set) this.#sockets.set(id, program);
    for (const id of patch.sockets.removed) this.#sockets.delete(id);
    for (const key of patch.certificates.removed) this.#certificates.delete(key);
    if (patch.certificates.set.length + patch.certificates.removed.length > 0) {
      this.#certificateIndexes = new WeakMap();
    }
    for (const key of patch.tables.removed) this.#removeTable(key);
    if (patch.sockets.set.length + patch.sockets.removed.length > 0) this.#dropHosts();
    for (const key of patch.backends.removed) {
      this.#backend(key).endpoints = [];
      this.#backends.delete(key);
      this.#shown.delete(key);
      this.#options.hosts.leave(key);
    }
    for (const [key, certificate] of this.#shown) {
      const backend = this.#backends.get(key);
      if (backend !== undefined) backend.identity = this.#certificates.get(certificate) ?? null;
    }
    if (patch.backends.set.length + patch.backends.removed.length > 0) this.#dropEndpoints();
    this.#isApplying = false;
  }

  /** The listeners of a port, by host. Made once for each program of the port. */
  listeners(socket: SocketProgram): HostIndex<Listener> {
    let listeners = this.#listeners.get(socket);
    if (listeners === undefined) {
      listeners = this.#makeListeners(socket);
      this.#listeners.set(socket, listeners);
    }
    return listeners;
  }

  #makeListeners(socket: SocketProgram): HostIndex<Listener> {
    const listeners = new HostIndex<Listener>();
    for (const { id, hostname } of socket.listeners) {
      listeners.set(hostname, { id, hosts: this.#hostsOf(id) });
    }
    return listeners;
  }

  #hostsOf(listener: string): HostIndex<TableSlot> {
    let hosts = this.#hosts.get(listener);
    if (hosts === undefined) {
      hosts = new HostIndex();
      this.#hosts.set(listener, hosts);
    }
    return hosts;
  }

  /** Lets go of the hosts of listeners that are no more. */
  #dropHosts(): void {
    const listeners = new Set<string>();
    for (const socket of this.#sockets.values())
      for (const { id } of socket.listeners) listeners.add(id);
    for (const id of this.#hosts.keys()) if (!listeners.has(id)) this.#hosts.delete(id);
  }

  /** The listeners of a port as connections see them, by server name. Made once for each program of it. */
  connectionListeners(socket: SocketProgram): HostIndex<ConnectionListener> {
    let listeners = this.#connectionListeners.get(socket);
    if (listeners === undefined) {
      listeners = new HostIndex();
      for (const { id, hostname, asks = null, stream: written } of socket.listeners) {
        const stream = written === null ? null : this.#makeStream(written);
        listeners.set(hostname, { id, asks, stream });
      }
      this.#connectionListeners.set(socket, listeners);
    }
    return listeners;
  }

  #makeStream({ mode, hosts: programs }: StreamProgram): ConnectionListener['stream'] {
    const hosts = new HostIndex<Forward>();
    for (const { hostname, rule } of programs) {
      hosts.set(hostname, new Forward(rule.backends, (key) => this.#backend(key)));
    }
    return { mode, hosts };
  }

  certificates(socket: SocketProgram): CertificateIndex {
    let index = this.#certificateIndexes.get(socket);
    if (index === undefined) {
      index = new CertificateIndex(socket, (key) => this.#certificates.get(key));
      this.#certificateIndexes.set(socket, index);
    }
    return index;
  }

  /** How a port is to behave. Made once for each program of the port. */
  conduct(socket: SocketProgram): RunningConduct | null {
    const { conduct } = socket;
    if (conduct === null) return null;
    let running = this.#conducts.get(socket);
    if (running === undefined) {
      const { trustedProxies } = conduct;
      const trusted = trustedProxies === undefined ? null : new Networks(trustedProxies);
      const secureFields = conduct.secureResponse.flatMap(({ name, value }) => [name, value]);
      running = { program: conduct, trusted, secureFields };
      this.#conducts.set(socket, running);
    }
    return running;
  }

  /** The certificate the port's Gateway shows to backends. */
  identity({ backendCertificate }: SocketProgram): Certificate | null {
    return (
      (backendCertificate === null ? null : this.#certificates.get(backendCertificate)) ?? null
    );
  }

  get sockets(): ReadonlyMap<string, SocketProgram> {
    return this.#sockets;
  }

  #setTables(
    tables: readonly (readonly [string, TableProgram])[],
    changed: readonly TableDelta[],
  ): void {
    // Rules that share an action share its balance of weights, too.
    const actions = new Map<object, Action>();
    const makeAction = (written: ActionProgram): Action => {
      let action = actions.get(written);
      if (action === undefined) {
        action = activate(written, (key) => this.#backend(key));
        actions.set(written, action);
      }
      return action;
    };
    for (const delta of changed) this.#tables.get(delta.key)?.table.change(delta, makeAction);
    for (const [id, program] of tables) {
      const table = new RouteTable<Action>(program, makeAction);
      const slot = this.#tables.get(id);
      if (slot === undefined) this.#addTable(id, { table });
      else slot.table = table;
    }
  }

  #addTable(key: string, slot: TableSlot): void {
    const [listener, hostname] = splitTableKey(key);
    this.#tables.set(key, slot);
    this.#hostsOf(listener).set(hostname, slot);
  }

  #removeTable(key: string): void {
    const [listener, hostname] = splitTableKey(key);
    this.#tables.delete(key);
    this.#hosts.get(listener)?.delete(hostname);
  }

  /** The backend of that name, which may be told its endpoints only later. */
  #backend(key: string): Backend {
    let backend = this.#backends.get(key);
    if (backend === undefined) {
      backend = new Backend(key);
      this.#backends.set(key, backend);
    }
    return backend;
  }

  #setBackend(program: BackendProgram): void {
    const { key, tls, host, retryBudget } = program;
    const backend = this.#backend(key);
    backend.balance = program.balance ?? 'leastRequests';
    backend.session = program.session ?? null;
    // What was counted goes on to count, unless the budget is another one.
    if (!deepEqual(backend.retries?.budget, retryBudget)) {
      backend.retries = retryBudget === undefined ? null : new RetryMeter(retryBudget);
    }
    if (tls?.certificate === undefined) {
      backend.identity = null;
      this.#shown.delete(key);
    } else {
      this.#shown.set(key, tls.certificate);
    }
    if (host === undefined) {
      this.#options.hosts.leave(key);
      backend.missing = 'no ready endpoint';
      this.#setEndpoints(program, program.endpoints);
      return;
    }
    this.#options.hosts.follow(key, host, (addresses, isForbidden) => {
      // The backend may be another one by now.
      if (this.#backends.get(key) !== backend) return;
      backend.missing = isForbidden
        ? `no address: those of ${host.name} are not outside`
        : `no address: ${host.name} is not known`;
      const places = addresses.map((address) => ({ address, port: host.port }));
      this.#setEndpoints(program, places);
      // While a patch is applied, what one backend leaves another may take.
      if (!this.#isApplying) this.#dropEndpoints();
    });
  }

  #setEndpoints(program: BackendProgram, places: readonly EndpointProgram[]): void {
    const { protocol, tls } = program;
    const security = tls === null ? '' : this.#nameTls(tls);
    const backend = this.#backend(program.key);
    const hadOthers = backend.endpoints.length > 0;
    backend.endpoints = places.map(({ address, port }) => {
      const key = `${protocol}|${address}|${port}|${security}`;
      let endpoint = this.#endpoints.get(key);
      if (endpoint === undefined) {
        endpoint = new Endpoint({ address, port, protocol, tls }, this.#options);
        if (hadOthers) endpoint.health.warm();
        this.#endpoints.set(key, endpoint);
      }
      return endpoint;
    });
  }

  /** A short name for a way of TLS: endpoints of the same way share their connections. */
  #nameTls({ serverName, authorities, names, certificate = '', isUnverified }: BackendTls): string {
    const text = JSON.stringify([serverName, authorities, names, certificate, isUnverified]);
    const name = this.#tlsNames.get(text) ?? String(this.#tlsNames.size + 1);
    this.#tlsNames.set(text, name);
    return name;
  }

  /** Lets go of endpoints that no backend has any more; their running requests are finished. */
  #dropEndpoints(): void {
    const used = new Set<Endpoint>();
    for (const backend of this.#backends.values()) {
      for (const endpoint of backend.endpoints) used.add(endpoint);
    }
    for (const [key, endpoint] of this.#endpoints) {
      if (used.has(endpoint)) continue;
      this.#endpoints.delete(key);
      endpoint.remove();
    }
  }
}
