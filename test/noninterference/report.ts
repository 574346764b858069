// What a run found, for people.
import type { Leak, Report } from "./run.ts";

export function summary({ statements, exchanges, chance, ways, leaks, outcomes }: Report, seconds: number): string {
  return [
    `${statements} statements in ${exchanges} exchanges (${Math.round((60 * statements) / seconds)} statements a minute), ${outcomes.rows} rows; ignored after an error of their transaction: ${outcomes.ignored}; not compared because of a time-out or lock: ${chance}`,
    `differences: ${leaks.length}`,
    `decisions: ${shares(outcomes.actions)}`,
    `refusals: ${shares(outcomes.refusals)}`,
    `the server's errors: ${shares(outcomes.errors)}`,
    `ways: ${shares(ways)}`,
  ].join("\n");
}

function shares(counts: ReadonlyMap<string, number>): string {
  const all = [...counts.values()].reduce((sum, count) => sum + count, 0);
  return [...counts]
    .sort(([, left], [, right]) => right - left)
    .map(([name, count]) => `${name} ${((100 * count) / all).toFixed(1)} %`)
    .join(", ");
}

export function described({ exchange, who, difference, steady }: Leak): string {
  return (
    `seed ${exchange.seed}, as ${who}, by ${exchange.way.name}${steady ? "" : " (not when sent alone)"}:\n` +
    `  ${exchange.texts.join("\n  ")}\n  left:  ${difference.left}\n  right: ${difference.right}`
  );
}
