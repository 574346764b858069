// The operators' log: pino on stderr. It never shows SQL, tokens, passwords or values, whoever logs them.
import { type DestinationStream, pino } from "pino";
import { RegateError } from "./errors.ts";

export const levels = ["trace", "debug", "info", "warn", "error", "fatal", "silent"] as const;
export type Level = (typeof levels)[number];

/** As pino's: fields first, then the message. */
export type Logger = {
  debug(fields: object, message: string): void;
  info(fields: object, message: string): void;
  warn(fields: object, message: string): void;
  error(fields: object, message: string): void;
};

/** JSON lines on stderr; on a terminal, lines for people. `destination` takes the JSON lines instead. */
export function logger(level: Level, destination: DestinationStream = stderr()): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: {
        level: (label) => ({ level: label }),
        log: (fields) => scrub(fields, 0) as Record<string, unknown>,
      },
      // What pino treats apart (an Error as the first argument) is made a field, so that it passes the same way.
      hooks: {
        logMethod(args, method) {
          const [first, message] = args as unknown as [unknown, unknown];
          const fields = first instanceof Error ? { error: first } : first;
          method.apply(
            this,
            (typeof fields === "string" ? [clean(fields)] : [fields, clean(String(message ?? ""))]) as never,
          );
        },
      },
      serializers: { err: (error: unknown) => scrub(error, 0) },
    },
    destination,
  );
}

/** Fields that are never shown, wherever they stand. */
const hidden =
  /^(token|.*_token|password|passwd|pass|pgpassword|secret|.*_secret|authorization|cookie|credential|credentials|private_?key|mask_?key|jwt|sql|text|query|statement|statements|normalized|fingerprint|parameters|values|row|rows_shown|cell|claims)$/i;
const deepest = 6;

/** A copy that is safe to log. Errors keep their code and message, not what libraries hang on them (a query, a row). */
function scrub(value: unknown, depth: number): unknown {
  if (typeof value === "string") return clean(value);
  if (typeof value === "bigint") return String(value);
  if (typeof value !== "object" || value === null) return value;
  if (depth > deepest) return "[too deep]";
  if (value instanceof RegateError) {
    const { code, message, detail, hint } = value;
    return scrub({ code, message, detail, hint, ...causeOf(value) }, depth + 1);
  }
  if (value instanceof Error) {
    const { code } = value as NodeJS.ErrnoException;
    return scrub({ name: value.name, code, message: value.message, ...causeOf(value) }, depth + 1);
  }
  if (Buffer.isBuffer(value) || ArrayBuffer.isView(value)) return "[bytes]";
  if (Array.isArray(value)) return value.map((item) => scrub(item, depth + 1));
  if (value instanceof Map || value instanceof Set) return scrub([...value], depth);
  const copy: Record<string, unknown> = {};
  for (const [name, item] of Object.entries(value))
    copy[name] = hidden.test(name) ? "[hidden]" : scrub(item, depth + 1);
  return copy;
}

function causeOf(error: Error): { cause?: unknown } {
  return error.cause === undefined ? {} : { cause: error.cause };
}

/** Hides what looks like a JWT, a bearer token, a private key, or a password inside of a URL or a connection string. */
export function clean(text: string): string {
  return text
    .replace(/\beyJ[A-Za-z0-9_-]{7,}\.[A-Za-z0-9_-]{7,}(\.[A-Za-z0-9_-]*)?/g, "[token]")
    .replace(/\b(bearer|basic)\s+[A-Za-z0-9._~+/=-]{8,}/gi, "$1 [token]")
    .replace(/-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?(-----END [A-Z ]*PRIVATE KEY-----|$)/g, "[private key]")
    .replace(/\b([a-z][a-z0-9+.-]*:\/\/[^\s:/@]*):[^\s]*@/gi, "$1:[password]@")
    .replace(/\b(password|passwd|pwd|secret|token)(\s*[=:]\s*)("[^"]*"|'[^']*'|[^\s,;&"']+)/gi, "$1$2[hidden]");
}

function stderr(): DestinationStream {
  if (process.stderr.isTTY) return { write: (line) => void process.stderr.write(forPeople(line)) };
  const stream = pino.destination({ fd: 2, sync: true });
  // Whoever read stderr is gone: the gate goes on.
  stream.on("error", () => {});
  return stream;
}

const colours: { readonly [level: string]: number } = {
  debug: 90,
  trace: 90,
  info: 36,
  warn: 33,
  error: 31,
  fatal: 31,
};

/** One line for a terminal: time, level, message, fields. Control characters cannot reach it: JSON escapes them. */
function forPeople(line: string): string {
  const { level, time, msg, ...fields } = JSON.parse(line) as { level: string; time: string; msg?: string };
  const colour = process.env.NO_COLOR === undefined ? `\x1b[${colours[level] ?? 0}m` : "";
  const shown = Object.entries(fields).map(
    ([name, value]) =>
      ` ${name}=${typeof value === "string" && /^[\w./:@-]+$/.test(value) ? value : JSON.stringify(value)}`,
  );
  const message = JSON.stringify(msg ?? "")
    .slice(1, -1)
    .replaceAll('\\"', '"');
  return `${time.slice(11, 19)} ${colour}${level.toUpperCase().padEnd(5)}${colour === "" ? "" : "\x1b[0m"} ${message}${shown.join("")}\n`;
}
