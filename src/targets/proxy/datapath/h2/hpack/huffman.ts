// Huffman coding of HPACK strings (RFC 7541 §5.2). Decoding is a state machine over half bytes: 256
// states (the inner nodes of the code tree) times 16, 16 KiB in all, so it stays in the first-level cache;
// a whole-byte machine would be 256 KiB. Hot: allocates nothing.
//
// Budget: one look into a table for each four bits. Allocates nothing. Guarded by bench/proxy.ts.

import { END_OF_STRING, HUFFMAN_CODE } from './huffman-code.ts';

// One step of the machine, in one number: the byte it gives (if EMITS), the state it leads to, and flags.
const NEXT_SHIFT = 8;
const EMITS = 1 << 16;
/** The string may end here: what is left of the last byte is a prefix of the end-of-string code. */
const ENDS = 1 << 17;
/** The end-of-string code itself, which must not appear. */
const FAILS = 1 << 18;

const STEPS: Uint32Array = buildSteps();

/** A node of the code tree while the machine is built: a leaf's byte, or an inner node's state. */
interface Node {
  readonly byte: number;
  readonly state: number;
  readonly children: [Node | null, Node | null];
  /** Reached from the root by ones only, at most seven: allowed as padding. */
  readonly padding: boolean;
}

/** Builds the tree; inner nodes are numbered as they appear and so become the machine's states. */
function buildTree(): Node[] {
  const root: Node = { byte: -1, state: 0, children: [null, null], padding: true };
  const inner = [root];
  for (let byte = 0; byte <= END_OF_STRING; byte++) {
    let node = root;
    const lengthBits = HUFFMAN_CODE.lengths[byte]!;
    for (let left = lengthBits - 1; left >= 0; left--) {
      const bit = (HUFFMAN_CODE.codes[byte]! >>> left) & 1;
      let child = node.children[bit]!;
      if (child === null) {
        const padding = node.padding && bit === 1 && lengthBits - left <= 7;
        const state = left === 0 ? 0 : inner.length;
        child = { byte: left === 0 ? byte : -1, state, children: [null, null], padding };
        if (left > 0) inner.push(child);
        node.children[bit] = child;
      }
      node = child;
    }
  }
  return inner;
}

function buildSteps(): Uint32Array {
  const inner = buildTree();
  const steps = new Uint32Array(inner.length * 16);
  for (const from of inner) {
    for (let half = 0; half < 16; half++) steps[from.state * 16 + half] = stepOf(inner, from, half);
  }
  return steps;
}

/** Walks four bits from a node. The shortest code has five bits, so at most one byte comes out. */
function stepOf(inner: readonly Node[], from: Node, half: number): number {
  let node = from;
  let flags = 0;
  for (let left = 3; left >= 0; left--) {
    node = node.children[(half >>> left) & 1]!;
    if (node.byte === END_OF_STRING) return FAILS;
    if (node.byte >= 0) {
      flags = EMITS | node.byte;
      node = inner[0]!;
    }
  }
  return flags | (node.state << NEXT_SHIFT) | (node.padding ? ENDS : 0);
}

/**
 * Decodes bytes[start, end) into `out` from its beginning and returns how many bytes came out, -1 when
 * they are no valid Huffman string. `out` must hold 8/5 of the input.
 */
export function decodeHuffman(
  bytes: Uint8Array,
  start: number,
  end: number,
  out: Uint8Array,
): number {
  let state = 0;
  let length = 0;
  let step = ENDS;
  let seen = 0;
  for (let at = start; at < end; at++) {
    const byte = bytes[at]!;
    step = STEPS[(state << 4) | (byte >>> 4)]!;
    seen |= step;
    if ((step & EMITS) !== 0) out[length++] = step;
    state = (step >>> NEXT_SHIFT) & 0xff;
    step = STEPS[(state << 4) | (byte & 15)]!;
    seen |= step;
    if ((step & EMITS) !== 0) out[length++] = step;
    state = (step >>> NEXT_SHIFT) & 0xff;
  }
  return (seen & FAILS) === 0 && (step & ENDS) !== 0 ? length : -1;
}

/** Codes a Latin-1 string into `out` at `at` and returns the position behind it. */
export function encodeHuffman(text: string, out: Uint8Array, at: number): number {
  const { codes, lengths } = HUFFMAN_CODE;
  let pending = 0;
  let pendingBits = 0;
  let to = at;
  for (let from = 0; from < text.length; from++) {
    const byte = text.charCodeAt(from);
    let code = codes[byte]!;
    let bits = lengths[byte]!;
    if (bits > 24) {
      // 7 pending bits and 25 or more new ones do not fit in 32: the upper part goes first.
      const upper = bits - 16;
      pending = (pending << upper) | (code >>> 16);
      pendingBits += upper;
      while (pendingBits >= 8) out[to++] = pending >>> (pendingBits -= 8);
      code &= 0xffff;
      bits = 16;
    }
    pending = (pending << bits) | code;
    pendingBits += bits;
    while (pendingBits >= 8) out[to++] = pending >>> (pendingBits -= 8);
  }
  if (pendingBits > 0) out[to++] = (pending << (8 - pendingBits)) | (0xff >>> pendingBits);
  return to;
}
