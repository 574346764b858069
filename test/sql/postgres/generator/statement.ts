// One generated statement.
import { Choices } from "./choices.ts";
import { modification } from "./modifications.ts";
import { query } from "./queries.ts";
import { EMPTY } from "./scope.ts";
import type { World } from "./world.ts";

export type Statement = {
  readonly text: string;
  /** A plain query: a view can be made of it, and it can run again. */
  readonly query: boolean;
};

/** The same seed gives the same, for one world. */
export function statement(world: World, seed: number): Statement {
  const choices = new Choices(seed);
  const making = { choices, world, depth: 0 };
  const modifies = choices.chance(8);
  const text = modifies ? modification(making, EMPTY).text : query(making, EMPTY, undefined, { top: true }).text;
  return { text, query: !modifies && !/\$\d|RETURNING/.test(text) };
}
