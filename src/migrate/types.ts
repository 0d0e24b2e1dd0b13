// What migrating gives: objects of the Gateway API with remarks on where each piece comes from, and what
// was lost on the way.

import type { Finding } from '../api/finding.ts';
import type { Origin } from '../model/model.ts';
import type { Field } from './prove/outcome.ts';

export interface MigrateOptions {
  /** `namespace/name` of the Gateway that takes all routes: reused if it is there, made if not. */
  readonly gateway: string;
  /** gatewayClassName of a Gateway that is made. */
  readonly gatewayClass: string;
  /** Fields of the standard channel of the Gateway API, and kinds of nobody's own. */
  readonly standardOnly: boolean;
}

/** A value of JSON that an object is made of. */
export type Json = string | number | boolean | { readonly [field: string]: Json } | readonly Json[];

export interface GeneratedObject {
  readonly apiVersion: string;
  readonly kind: string;
  /** Empty for objects of the whole cluster. */
  readonly namespace: string;
  readonly name: string;
  readonly spec: { readonly [field: string]: Json };
  /** ConfigMaps have this in place of a spec. */
  readonly data?: Readonly<Record<string, string>>;
  readonly remarks: readonly Remark[];
}

/** A comment before a part of an object; without a path, before the object. */
export interface Remark {
  readonly path: readonly (string | number)[];
  readonly text: string;
  /** Where in the Ingresses it comes from. */
  readonly origin?: Origin;
}

/** approximate: nearly the same, and the difference is named. lost: the effect is gone. */
export type Grade = 'done' | 'approximate' | 'lost';

/** Something a rule did that its translation does not do, or does not do alike. */
export interface Loss {
  readonly grade: 'approximate' | 'lost';
  /** The rule of the Ingress. */
  readonly origin: Origin;
  /** `Action.id` of that rule: what a traced request names. */
  readonly rule: string;
  /** Names of annotations without their prefix; empty for what ingress-nginx does by itself. */
  readonly annotations: readonly string[];
  readonly reason: string;
  /** What of an answer it can change; empty for what no single request shows. */
  readonly touches: readonly Field[] | 'all';
}

/** What became of one annotation of one Ingress. */
export interface AnnotationReport {
  readonly ingress: string;
  /** Whole name. */
  readonly annotation: string;
  readonly grade: Grade;
  readonly reason: string;
  readonly origin: Origin;
}

export interface Migration {
  readonly objects: readonly GeneratedObject[];
  readonly losses: readonly Loss[];
  readonly annotations: readonly AnnotationReport[];
  /** What holds for the whole of it, such as how a Gateway was chosen. */
  readonly notes: readonly string[];
  readonly findings: readonly Finding[];
  readonly ingresses: number;
  readonly plan: readonly PlanStep[];
}

/** One step of the move. */
export interface PlanStep {
  readonly title: string;
  readonly lines: readonly string[];
}
