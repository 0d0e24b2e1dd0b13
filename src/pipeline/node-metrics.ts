// What `fairway node` counts, under the names and labels that kube-proxy gave to it, so that dashboards and
// alerts made for kube-proxy go on working. Counted by prom-client, which writes what Prometheus reads.

import {
  Counter,
  exponentialBuckets,
  Gauge,
  Histogram,
  linearBuckets,
  Registry,
} from 'prom-client';
import type { Family } from '../lib/cidr.ts';

const SYNC_BUCKETS = exponentialBuckets(0.001, 2, 15);
const PROGRAMMING_BUCKETS = [
  0.25,
  0.5,
  ...linearBuckets(1, 1, 59),
  ...linearBuckets(60, 5, 12),
  ...linearBuckets(120, 30, 7),
];
const FAMILY_LABEL: Readonly<Record<Family, string>> = { ipv4: 'IPv4', ipv6: 'IPv6' };

/** What came in since it was last put in force. */
export interface Changes {
  readonly services: number;
  readonly endpoints: number;
  /** When endpoints were changed, as their slices say; seconds since the epoch. */
  readonly triggers: readonly number[];
}

/** What one round did in one family of addresses. */
export interface FamilySync {
  readonly family: Family;
  /** Ports of Services whose policy is Local and that have no endpoint on this node. */
  readonly noLocal: { readonly internal: number; readonly external: number };
  /** Rules of iptables, by table: all of them, and those written now. */
  readonly rules?: readonly {
    readonly table: string;
    readonly total: number;
    readonly last: number;
  }[];
}

export interface Sync {
  readonly kind: 'full' | 'partial';
  readonly seconds: number;
  /** Seconds since the epoch. */
  readonly at: number;
  readonly families: readonly FamilySync[];
}

export class NodeMetrics {
  readonly #registry = new Registry();
  readonly #sync = this.#histogram('sync_proxy_rules', 'one round');
  readonly #full = this.#histogram('sync_full_proxy_rules', 'a round that writes everything');
  readonly #partial = this.#histogram('sync_partial_proxy_rules', 'a round of what changed');
  readonly #conntrack = this.#histogram('conntrack_reconciler_sync', 'forgetting stale flows');
  readonly #programming = new Histogram({
    name: 'kubeproxy_network_programming_duration_seconds',
    help: 'from the change of an endpoint to its being in force',
    labelNames: ['ip_family'],
    buckets: PROGRAMMING_BUCKETS,
    registers: [this.#registry],
  });
  readonly #servicesPending = this.#gauge('service_changes_pending', 'changes of Services to come');
  readonly #endpointsPending = this.#gauge('endpoint_changes_pending', 'changes of slices to come');
  readonly #services = this.#counter('sync_proxy_rules_service_changes_total', 'of Services');
  readonly #endpoints = this.#counter('sync_proxy_rules_endpoint_changes_total', 'of slices');
  readonly #last = this.#gauge('last_timestamp_seconds', 'the last round', ['ip_family']);
  readonly #queued = this.#gauge('last_queued_timestamp_seconds', 'the last change', ['ip_family']);
  readonly #noLocal = this.#gauge(
    'no_local_endpoints_total',
    'ports of policy Local without an endpoint here',
    ['ip_family', 'traffic_policy'],
  );
  readonly #forgotten = this.#counter(
    'conntrack_reconciler_deleted_entries_total',
    'flows the kernel was made to forget',
    ['ip_family'],
  );
  readonly #healthz = this.#counter('proxy_healthz_total', 'answers of /healthz', ['code']);
  readonly #livez = this.#counter('proxy_livez_total', 'answers of /livez', ['code']);
  readonly #failures: Counter;
  readonly #partialFailures: Counter | undefined;
  readonly #cleanupFailures: Counter | undefined;
  readonly #rules: Gauge | undefined;
  readonly #rulesLast: Gauge | undefined;
  readonly #families = new Set<Family>(['ipv4']);

  /** Those that speak of nftables are there in that mode only, and so are those of iptables. */
  constructor(mode: string) {
    const family = ['ip_family'];
    if (mode === 'nftables') {
      this.#failures = this.#counter(
        'sync_proxy_rules_nftables_sync_failures_total',
        'rounds that failed',
        family,
      );
      this.#cleanupFailures = this.#counter(
        'sync_proxy_rules_nftables_cleanup_failures_total',
        'times chains that are not needed could not be deleted',
        family,
      );
    } else {
      this.#failures = this.#counter(
        'sync_proxy_rules_iptables_restore_failures_total',
        'rounds that failed',
        family,
      );
      this.#partialFailures = this.#counter(
        'sync_proxy_rules_iptables_partial_restore_failures_total',
        'rounds of what changed that failed',
        family,
      );
    }
    if (mode === 'iptables') {
      this.#rules = this.#gauge('iptables_total', 'rules in force', ['ip_family', 'table']);
      this.#rulesLast = this.#gauge('iptables_last', 'rules last written', ['ip_family', 'table']);
    }
    for (const label of Object.values(FAMILY_LABEL)) {
      this.#failures.inc({ ip_family: label }, 0);
      this.#partialFailures?.inc({ ip_family: label }, 0);
      this.#cleanupFailures?.inc({ ip_family: label }, 0);
      this.#forgotten.inc({ ip_family: label }, 0);
    }
  }

  changed({ services, endpoints }: Changes, atSeconds: number): void {
    for (const family of this.#families) {
      this.#queued.set({ ip_family: FAMILY_LABEL[family] }, atSeconds);
    }
    this.#servicesPending.inc(services);
    this.#endpointsPending.inc(endpoints);
    this.#services.inc(services);
    this.#endpoints.inc(endpoints);
  }

  /** A round is in force that had those changes in it. */
  synced({ kind, seconds, at, families }: Sync, changes: Changes): void {
    this.#servicesPending.dec(changes.services);
    this.#endpointsPending.dec(changes.endpoints);
    for (const { family, noLocal, rules } of families) {
      this.#families.add(family);
      const label = { ip_family: FAMILY_LABEL[family] };
      this.#sync.observe(label, seconds);
      (kind === 'full' ? this.#full : this.#partial).observe(label, seconds);
      this.#last.set(label, at);
      for (const trigger of changes.triggers) {
        this.#programming.observe(label, Math.max(0, at - trigger));
      }
      this.#noLocal.set({ ...label, traffic_policy: 'internal' }, noLocal.internal);
      this.#noLocal.set({ ...label, traffic_policy: 'external' }, noLocal.external);
      for (const { table, total, last } of rules ?? []) {
        this.#rules?.set({ ...label, table }, total);
        this.#rulesLast?.set({ ...label, table }, last);
      }
    }
  }

  /** A round failed; what had changed is still to come. */
  failed(kind: 'full' | 'partial'): void {
    for (const family of this.#families) {
      const label = { ip_family: FAMILY_LABEL[family] };
      this.#failures.inc(label);
      if (kind === 'partial') this.#partialFailures?.inc(label);
    }
  }

  cleanupFailed(family: Family): void {
    this.#cleanupFailures?.inc({ ip_family: FAMILY_LABEL[family] });
  }

  /** Flows that were forgotten in one round. */
  forgot(family: Family, { flows, seconds }: { flows: number; seconds: number }): void {
    const label = { ip_family: FAMILY_LABEL[family] };
    this.#conntrack.observe(label, seconds);
    this.#forgotten.inc(label, flows);
  }

  asked(path: 'healthz' | 'livez', code: number): void {
    (path === 'healthz' ? this.#healthz : this.#livez).inc({ code: String(code) });
  }

  /** In the format of the Content-Type below. */
  text(): Promise<string> {
    return this.#registry.metrics();
  }

  get contentType(): string {
    return this.#registry.contentType;
  }

  #histogram(name: string, help: string): Histogram {
    return new Histogram({
      name: `kubeproxy_${name}_duration_seconds`,
      help: `seconds that ${help} takes`,
      labelNames: ['ip_family'],
      buckets: [...SYNC_BUCKETS],
      registers: [this.#registry],
    });
  }

  #gauge(name: string, help: string, labelNames: readonly string[] = []): Gauge {
    return new Gauge({
      name: `kubeproxy_sync_proxy_rules_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
    });
  }

  #counter(name: string, help: string, labelNames: readonly string[] = []): Counter {
    return new Counter({
      name: `kubeproxy_${name}`,
      help,
      labelNames: [...labelNames],
      registers: [this.#registry],
    });
  }
}
