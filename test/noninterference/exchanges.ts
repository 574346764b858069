// What is sent, from a seed: some statements and the way that they take.
import { Choices } from "../sql/postgres/generator/choices.ts";
import { statement } from "../sql/postgres/generator/statement.ts";
import type { World } from "../sql/postgres/generator/world.ts";
import { query } from "../support/wire.ts";
import { scenario } from "./scenarios.ts";
import { type Way, ways } from "./ways.ts";

export type Exchange = { readonly seed: number; readonly way: Way; readonly texts: readonly string[] };

/** How many of a hundred are scenarios. */
const SCENARIOS = 30;

export function exchange(world: World, seed: number): Exchange {
  const choices = new Choices(seed ^ 0x5eed);
  const isScenario = choices.chance(SCENARIOS);
  const texts = (isScenario ? scenario(world, choices) : [statement(world, seed).text]).map(pinned);
  return { seed, way: pick(choices, isScenario), texts };
}

function pick(choices: Choices, several: boolean): Way {
  return choices.pick(
    ways.filter((way) => way.several || !several).flatMap((way) => Array.from({ length: way.weight }, () => way)),
  );
}

/** What is another value each time it is asked becomes a function that is not, since a function may stand in FROM, too. */
function pinned(text: string): string {
  return text
    .replaceAll(/\bnow\(\)/g, "to_timestamp(1748736000)")
    .replaceAll(/\bcurrent_date\b/g, "make_date(2025, 6, 1)")
    .replaceAll(/\brandom\(\)/g, "pi()");
}

/** The frames of an exchange; behind them, what leaves the session as it was. */
export function framesOf({ seed, way, texts }: Exchange): readonly Buffer[] {
  const stays = texts.length > 1 || way.stays === true;
  return [
    ...sent({ seed, way, texts }),
    query("ROLLBACK"),
    ...(stays ? [query("DISCARD ALL"), query("DELETE FROM own.strict WHERE k < 100")] : []),
  ];
}

/** How many times the server says that it is ready. */
export function readies(frames: readonly Buffer[]): number {
  return frames.filter((frame) => frame[0] === 0x51 || frame[0] === 0x53).length;
}

const sent = ({ seed, way, texts }: Exchange): readonly Buffer[] => way.frames(texts, new Choices(seed));

/** How many statements an exchange has executed. */
export function statements(exchange: Exchange): number {
  return sent(exchange).filter((frame) => frame[0] === 0x51 || frame[0] === 0x45).length;
}
