// What a differential run found, for people.
import type { Report } from "./run.ts";

export function summary(report: Report, seconds: number): string {
  const per = (sum: number, of: number): string => (of === 0 ? "-" : (sum / of).toFixed(2));
  const share = (part: number, of: number): string => (of === 0 ? "-" : `${((100 * part) / of).toFixed(1)} %`);
  return [
    `${report.statements} statements (${Math.round((60 * report.statements) / seconds)} a minute), ${share(report.accepted, report.statements)} accepted by the server`,
    `views made of: ${report.views}; ran again with a column changed: ${report.changes}, with values that a total output must not fail on: ${report.totals}`,
    `misses: ${report.failures.length}`,
    `outputs with exactly the server's columns: ${share(report.exact, report.outputs)} of ${report.outputs}; opaque ${share(report.opaque, report.outputs)}; only the server knows the columns: ${share(report.unknown, report.outputs)}`,
    `more than the server reads: ${per(report.extraColumns, report.accepted)} columns and ${per(report.extraRelations, report.accepted)} relations a statement, ${per(report.extraSources, report.outputs)} sources an output`,
  ].join("\n");
}

export function failures(report: Report): string {
  return report.failures
    .map(({ seed, miss, text }) => `seed ${seed}: ${miss.kind}: ${miss.detail}\n    ${text}`)
    .join("\n");
}
