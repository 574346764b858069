// Reads the demo's decision log and shows it as a table.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** What the demo shows of one command: its decision, and what became of it. */
export type Shown = {
  readonly id: string;
  readonly time: string;
  readonly action: string;
  readonly subject: string;
  readonly text: string;
  readonly codes: string;
  readonly outcome: string;
};

type Line = {
  readonly decision_id: string;
  readonly path: string;
  readonly timestamp: string;
  readonly input?: {
    readonly stage: string;
    readonly identity: { readonly subject: string };
    readonly command?: { readonly text: string };
  };
  readonly result: {
    readonly action?: string;
    readonly reasons?: readonly { readonly code: string }[];
    readonly masks?: readonly { readonly code: string }[];
    readonly substitutions?: readonly { readonly code: string }[];
    readonly state?: string;
    readonly decided_by?: readonly string[];
    readonly status?: string;
    readonly rows?: number;
    readonly masked_cells?: number;
    readonly tag?: string | null;
  };
};

/** The commands that were recorded at or after `since` (milliseconds since the epoch), oldest first. */
export function recordsSince(dataDir: string, since: number): Shown[] {
  const folder = join(dataDir, "audit");
  const lines = readdirSync(folder)
    .filter((name) => name.endsWith(".jsonl"))
    .sort((a, b) => a.localeCompare(b, "en", { numeric: true }))
    .flatMap((name) => readFileSync(join(folder, name), "utf8").split("\n").slice(0, -1))
    .map((line) => JSON.parse(line) as Line)
    .filter((line) => Date.parse(line.timestamp) >= since);
  return lines
    .filter((line) => line.path === "regate/decision" && line.input?.stage === "command")
    .map((line) => {
      const after = lines.filter((other) => other.decision_id === line.decision_id && other !== line);
      const codes = [
        ...(line.result.reasons ?? []),
        ...(line.result.masks ?? []),
        ...(line.result.substitutions ?? []),
      ].map(({ code }) => code);
      return {
        id: line.decision_id,
        time: line.timestamp.slice(11, 19),
        action: line.result.action ?? "",
        subject: line.input?.identity.subject ?? "",
        text: (line.input?.command?.text ?? "").replaceAll(/\s+/g, " ").trim(),
        codes: [...new Set(codes)].join(", "),
        outcome: after
          .map(outcome)
          .filter((text) => text !== "")
          .join("; "),
      };
    });
}

function outcome({ path, result }: Line): string {
  if (path === "regate/approval")
    return result.state === "pending" ? "" : `${result.state} by ${result.decided_by?.join(", ") ?? ""}`;
  const masked = (result.masked_cells ?? 0) > 0 ? `, ${result.masked_cells} cells masked` : "";
  return `${result.tag ?? result.status ?? ""}${masked}`;
}

export function recordTable(records: readonly Shown[]): string {
  const head = ["time", "decision", "who", "statement", "why", "outcome"];
  const rows = records.map(({ time, action, subject, text, codes, outcome: what }) => [
    time,
    action,
    subject,
    text.length > 48 ? `${text.slice(0, 47)}…` : text,
    codes,
    what,
  ]);
  const widths = head.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]!.length)));
  return [head, widths.map((width) => "─".repeat(width)), ...rows]
    .map((row) => `  ${row.map((cell, i) => cell.padEnd(widths[i]!)).join("  ")}`.trimEnd())
    .join("\n");
}
