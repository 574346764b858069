// The lines of the decision log put together for people: a decision with its approval and its outcome is one row.
import { oneLine, styled } from "./text.ts";

/** One row. `seen` is when its first line was read, in milliseconds. */
export type Entry = {
  readonly seen: number;
  readonly time: string;
  readonly subject: string;
  readonly resource: string;
  readonly text: string;
  action: string;
  reason: string;
  rows: string;
  /** Nothing more is to come. */
  complete: boolean;
};

// Of the event's members, those that are shown. Every one may be missing: the log is read, not trusted.
type Event = {
  decision_id?: string;
  path?: string;
  timestamp?: string;
  input?: {
    stage?: string;
    identity?: { subject?: string };
    resource?: { name?: string };
    command?: { text?: string };
  };
  result?: {
    action?: string;
    reasons?: { code?: string; message?: string }[];
    status?: string;
    rows?: number;
    masked_cells?: number;
    sqlstate?: string | null;
    state?: string;
    decided_by?: string[];
  };
};

/** Collects lines in the log's order, and gives rows in the order of their decisions. */
export class Entries {
  #waiting: Entry[] = [];
  #open = new Map<string, Entry>();

  add(line: string): void {
    const event = parse(line);
    if (event === undefined) {
      this.#waiting.push(plain("", "unreadable", oneLine(line, 200)));
      return;
    }
    const id = event.decision_id ?? "";
    if (event.path === "regate/decision") this.#begin(id, event);
    else if (event.path === "regate/log")
      this.#waiting.push(plain(event.timestamp ?? "", "log", oneLine(JSON.stringify(event.result ?? {}))));
    else this.#complete(id, event);
  }

  /** The first rows, up to one that is not complete and was seen after `until`. */
  take(until: number): Entry[] {
    const first = this.#waiting.findIndex((entry) => !entry.complete && entry.seen > until);
    return this.#waiting.splice(0, first < 0 ? this.#waiting.length : first);
  }

  #begin(id: string, event: Event): void {
    const { input, result } = event;
    const action = result?.action ?? "?";
    const entry: Entry = {
      seen: Date.now(),
      time: event.timestamp ?? "",
      subject: oneLine(input?.identity?.subject ?? ""),
      resource: oneLine(input?.resource?.name ?? ""),
      text: input?.stage === "connect" ? "(connect)" : oneLine(input?.command?.text ?? ""),
      action,
      reason: (result?.reasons ?? []).map(({ code }) => oneLine(code ?? "")).join(", "),
      rows: "",
      complete: action === "block" || input?.stage === "connect",
    };
    this.#waiting.push(entry);
    if (!entry.complete) this.#open.set(id, entry);
    // A session that never ends its commands must not fill the memory.
    if (this.#open.size > 10_000) this.#open.delete(this.#open.keys().next().value!);
  }

  #complete(id: string, { path, timestamp, result }: Event): void {
    const entry = this.#open.get(id);
    const told = path === "regate/outcome" ? outcome(result) : approval(result);
    if (told.last) this.#open.delete(id);
    // Its decision was shown already, or is older than what is shown: what became of it gets a row of its own.
    if (entry === undefined || !this.#waiting.includes(entry)) {
      if (entry === undefined) return;
      this.#waiting.push({
        ...entry,
        time: timestamp ?? entry.time,
        action: "",
        reason: told.reason,
        rows: told.rows,
        complete: true,
      });
      return;
    }
    entry.reason = [entry.reason, told.reason].filter((part) => part !== "").join("; ");
    entry.rows = told.rows;
    entry.complete = told.last;
  }
}

type Told = { readonly reason: string; readonly rows: string; readonly last: boolean };

function outcome(result: Event["result"]): Told {
  const { status = "?", rows = 0, masked_cells: masked = 0, sqlstate } = result ?? {};
  if (status !== "ok") return { reason: `${status}${sqlstate == null ? "" : ` ${sqlstate}`}`, rows: "", last: true };
  return { reason: masked > 0 ? `${masked} cells masked` : "", rows: String(rows), last: true };
}

function approval(result: Event["result"]): Told {
  const by = (result?.decided_by ?? []).join(", ");
  return { reason: oneLine(`${result?.state ?? "?"}${by === "" ? "" : ` by ${by}`}`), rows: "", last: false };
}

function plain(time: string, action: string, text: string): Entry {
  return { seen: 0, time, subject: "", resource: "", text, action, reason: "", rows: "", complete: true };
}

function parse(line: string): Event | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}

const columns = ["time", "subject", "action", "resource", "text", "reason", "rows"] as const;
const least = { time: 12, subject: 14, action: 16, resource: 8, text: 30, reason: 24, rows: 5 } as const;
export type Widths = { readonly line: string; readonly of: { readonly [column: string]: number } };

/** Widths for these rows and those to come; on a terminal, text and reason give way so that a row fits on a line. */
export function heading(entries: readonly Entry[]): Widths {
  const of: { [column: string]: number } = {};
  for (const name of columns) {
    of[name] = entries.reduce((most, entry) => Math.max(most, [...cell(entry, name)].length), least[name] as number);
  }
  const available = (process.stdout.isTTY ? process.stdout.columns : 200) - 2 * (columns.length - 1);
  for (const name of ["text", "reason", "subject"] as const) {
    const over = Object.values(of).reduce((sum, width) => sum + width, 0) - available;
    if (over > 0) of[name] = Math.max(least[name], of[name]! - over);
  }
  const line = columns.map((name) => name.toUpperCase().padEnd(of[name]!)).join("  ");
  return { line: styled("bold", line.trimEnd()), of };
}

const colours = { block: "red", mask: "yellow", require_approval: "magenta", allow: "green" } as const;

export function row(entry: Entry, { of }: Widths): string {
  const cells = columns.map((name) => {
    const width = of[name]!;
    const text = name === "text" || name === "reason" ? oneLine(cell(entry, name), width) : cell(entry, name);
    const padded = text + " ".repeat(Math.max(0, width - [...text].length));
    const colour = name === "action" ? colours[entry.action as keyof typeof colours] : undefined;
    return colour === undefined ? padded : styled(colour, padded);
  });
  return cells.join("  ").trimEnd();
}

function cell(entry: Entry, name: (typeof columns)[number]): string {
  if (name !== "time") return entry[name];
  const time = new Date(entry.time);
  return Number.isNaN(time.getTime()) ? "" : time.toTimeString().slice(0, 8) + entry.time.slice(19, 23);
}
