// Numbers of a range and who holds them, with the search for a free one.

import type { Band } from './bands.ts';

export class Pool {
  readonly band: Band;
  readonly #owners = new Map<number, string>();
  readonly #isSkipped: (number: number) => boolean;
  /** Nothing below is free, in the upper and in the lower band. */
  #upperFrom: number;
  #lowerFrom: number;

  /** `isSkipped` names numbers that are given only to those who ask for them. */
  constructor(band: Band, isSkipped: (number: number) => boolean = () => false) {
    this.band = band;
    this.#isSkipped = isSkipped;
    this.#upperFrom = band.dynamicFirst;
    this.#lowerFrom = band.first;
  }

  has(number: number): boolean {
    return number >= this.band.first && number <= this.band.last;
  }

  ownerOf(number: number): string | undefined {
    return this.#owners.get(number);
  }

  /** Gives a number of the range to an owner, unless somebody else has it. */
  claim(number: number, owner: string): void {
    if (this.has(number) && !this.#owners.has(number)) this.#owners.set(number, owner);
  }

  /** Takes a number back from the owner who has it. */
  release(number: number, owner: string): void {
    if (this.#owners.get(number) !== owner) return;
    this.#owners.delete(number);
    if (number >= this.band.dynamicFirst) this.#upperFrom = Math.min(this.#upperFrom, number);
    else this.#lowerFrom = Math.min(this.#lowerFrom, number);
  }

  /** The lowest free number of the upper band, else of the lower one; undefined when all are taken. */
  lowestFree(): number | undefined {
    const { first, dynamicFirst, last } = this.band;
    this.#upperFrom = this.#search(this.#upperFrom, last);
    if (this.#upperFrom <= last) return this.#upperFrom;
    this.#lowerFrom = this.#search(Math.max(first, this.#lowerFrom), dynamicFirst - 1);
    return this.#lowerFrom < dynamicFirst ? this.#lowerFrom : undefined;
  }

  /**
   * The first free number from a place in the upper band on, around its end, else the lowest of the
   * lower band. `place` is any non-negative integer; `also` holds numbers that count as taken.
   */
  freeFrom(place: number, also: ReadonlySet<number>): number | undefined {
    const { first, dynamicFirst, last } = this.band;
    if (this.#owners.size > last - first) return undefined;
    const size = last - dynamicFirst + 1;
    for (let i = 0; i < size; i++) {
      const number = dynamicFirst + ((place + i) % size);
      if (!this.#owners.has(number) && !also.has(number)) return number;
    }
    for (let number = first; number < dynamicFirst; number++) {
      if (!this.#owners.has(number) && !also.has(number)) return number;
    }
    return undefined;
  }

  #search(from: number, last: number): number {
    let number = from;
    while (number <= last && (this.#owners.has(number) || this.#isSkipped(number))) number++;
    return number;
  }
}
