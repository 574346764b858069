// Sequences of steps: all of a length, or at random.
import type { Step } from "./small-model-steps.ts";

/** All sequences of up to `depth` steps, shortest first. */
export function* sequences(steps: readonly Step[], depth: number): Generator<readonly Step[]> {
  let last: (readonly Step[])[] = [[]];
  yield [];
  for (let length = 1; length <= depth; length++) {
    const longer: (readonly Step[])[] = [];
    for (const prefix of last)
      for (const step of steps) {
        const sequence = [...prefix, step];
        yield sequence;
        if (length < depth) longer.push(sequence);
      }
    last = longer;
  }
}

/** Numbers from 0 to 1 that the seed decides. */
export function randomFrom(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return state / 2147483647;
  };
}

/** Sequences without end, at random. */
export function* samples(steps: readonly Step[], depth: number, random: () => number): Generator<readonly Step[]> {
  for (;;)
    yield Array.from(
      { length: 2 + Math.floor(random() * (depth - 1)) },
      () => steps[Math.floor(random() * steps.length)]!,
    );
}

/** Each step that changes the catalog alone, after each step of the session, and before each. */
export function* around(steps: readonly Step[], changes: readonly Step[]): Generator<readonly Step[]> {
  for (const change of changes) {
    yield [change];
    for (const step of steps) {
      yield [step, change];
      yield [change, step];
    }
  }
}

/** Each change of the catalog between two steps of the session. */
export function* between(steps: readonly Step[], changes: readonly Step[]): Generator<readonly Step[]> {
  for (const change of changes) for (const first of steps) for (const last of steps) yield [first, change, last];
}
