// The contract of a target: something that carries traffic by the model. compile, render and trace are
// pure; apply changes the world and says what it could not do. Precedence and acceptance were decided
// in resolve: a target never sorts rules and never refuses an object, it only reports failures.

import type { PacketView } from '../lower/packets.ts';
import type { View } from '../lower/view.ts';
import type {
  ConnectionFate,
  ConnectionProbe,
  RequestFate,
  RequestProbe,
} from '../model/answer.ts';
import type { Origin } from '../model/model.ts';
import type { NodeFacts } from '../model/node.ts';
import type { PacketFate, PacketProbe } from '../model/packet.ts';

export interface RenderedFile {
  /** A name that says what is in it, as `proxy.yaml`. */
  readonly path: string;
  readonly text: string;
}

export interface Applied {
  /** The generation of the program that is now in force. */
  readonly generation: number;
  /** What could not be done; everything else is in force. */
  readonly rejected: readonly Rejection[];
}

export interface Rejection {
  /** Id of the entry point or service the trouble is about. */
  readonly id: string;
  /** One CamelCase word, fit for a condition's reason. */
  readonly reason: string;
  readonly message: string;
  readonly hint?: string;
}

export interface Target<Program> {
  readonly name: string;
  /** View → what this target runs. The same view gives the same program. */
  compile(view: View): Program;
  /** The program as text that a human would write. */
  render(program: Program): readonly RenderedFile[];
  /** What the program would make of a request. */
  traceRequest(program: Program, probe: RequestProbe): RequestFate;
  /** What the program would make of a connection or a datagram. */
  traceConnection(program: Program, probe: ConnectionProbe): ConnectionFate;
}

/** A target at work in the world. */
export interface RunningTarget<Program> {
  /** Puts a program in force; resolves once every part of the target has it. */
  apply(program: Program): Promise<Applied>;
  /** Stops taking new work, finishes what is running within the time, then ends. */
  stop(graceMs: number): Promise<void>;
}

/** A target that carries packets by the kernel of a node. Its compile, render and trace are pure, too. */
export interface PacketTarget<Program> {
  readonly name: string;
  /** The same view gives the same program, and ports that did not change the same parts of it. */
  compile(view: PacketView): Program;
  /** The program as text that its tools read; with places, each Service has a comment that says where it is. */
  render(
    program: Program,
    locate?: (origin: Origin) => string | undefined,
  ): readonly RenderedFile[];
  /** What the kernel of the node would make of a packet. */
  tracePacket(program: Program, node: NodeFacts, probe: PacketProbe): PacketFate;
}

/** A packet target at work. What is refused leaves in force what was there. */
export interface RunningPacketTarget<Program> {
  /** Puts a program in force. Rejects when no single Service is at fault. */
  apply(program: Program): Promise<Applied & { readonly sync: 'full' | 'partial' }>;
  /** The next program is written whole. */
  resync(): void;
  /** Whether the rules are still there. */
  isInPlace(): Promise<boolean>;
}
