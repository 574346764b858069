// Host functions for builtins that OPA's WASM leaves to its host: cheap ones, that give what OPA gives, and `undefined` where OPA fails.
import { createHash, createHmac, randomInt, randomUUID, timingSafeEqual } from "node:crypto";

/** Builtins whose value depends on more than their arguments: a policy that needs one is never answered from the cache. */
export const VOLATILE_BUILTINS: ReadonlySet<string> = new Set([
  "http.send",
  "io.jwt.decode_verify",
  "io.jwt.encode_sign",
  "io.jwt.encode_sign_raw",
  "net.lookup_ip_addr",
  "opa.runtime",
  "rand.intn",
  "time.now_ns",
  "uuid.rfc4122",
]);

/** Builtins that opa-wasm itself brings, and that do what OPA's do. */
export const SDK_BUILTINS: ReadonlySet<string> = new Set([
  "json.is_valid",
  "yaml.is_valid",
  "yaml.marshal",
  "yaml.unmarshal",
]);

/** Builtins that opa-wasm brings but that do not do what OPA's do, with what to write instead. */
export const REFUSED_BUILTINS: ReadonlyMap<string, string> = new Map([
  ["sprintf", 'Its WASM form differs from OPA\'s: write a template string, $"{x} of {y}".'],
  [
    "regex.split",
    "Its WASM form differs from OPA's and may take forever: use split, or regex.find_all_string_submatch_n.",
  ],
]);

type Host = (...args: readonly never[]) => unknown;

/** A builtin that throws would abort the whole evaluation, where OPA's is merely undefined. */
const guarded =
  (host: Host): Host =>
  (...args) => {
    try {
      return host(...args);
    } catch {
      return undefined;
    }
  };

const text = (value: unknown): string => {
  if (typeof value !== "string") throw new TypeError("not a string");
  return value;
};
const int = (value: unknown): number => {
  if (!Number.isSafeInteger(value)) throw new TypeError("not an integer");
  return value as number;
};
const texts = (value: unknown): string[] => (Array.isArray(value) ? value.map(text) : [text(value)]);
const digest = (algorithm: string) => (value: unknown) => createHash(algorithm).update(text(value)).digest("hex");
const hmac = (algorithm: string) => (value: unknown, key: unknown) =>
  createHmac(algorithm, text(key)).update(text(value)).digest("hex");

const plain: { readonly [name: string]: (...args: never[]) => unknown } = {
  "base64url.encode_no_pad": (value: unknown) => Buffer.from(text(value)).toString("base64url"),
  "hex.encode": (value: unknown) => Buffer.from(text(value)).toString("hex"),
  "hex.decode": (value: unknown) => {
    if (!/^([0-9a-f]{2})*$/i.test(text(value))) return undefined;
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(Buffer.from(text(value), "hex"));
  },
  "crypto.md5": digest("md5"),
  "crypto.sha1": digest("sha1"),
  "crypto.sha256": digest("sha256"),
  "crypto.hmac.md5": hmac("md5"),
  "crypto.hmac.sha1": hmac("sha1"),
  "crypto.hmac.sha256": hmac("sha256"),
  "crypto.hmac.sha512": hmac("sha512"),
  "crypto.hmac.equal": (left: unknown, right: unknown) => {
    const [a, b] = [Buffer.from(text(left)), Buffer.from(text(right))];
    return a.length === b.length && timingSafeEqual(a, b);
  },
  "strings.reverse": (value: unknown) => [...text(value)].reverse().join(""),
  "strings.count": (value: unknown, part: unknown) =>
    text(part) === "" ? [...text(value)].length + 1 : text(value).split(text(part)).length - 1,
  "strings.any_prefix_match": (values: unknown, prefixes: unknown) => {
    const wanted = texts(prefixes);
    return texts(values).some((value) => wanted.some((prefix) => value.startsWith(prefix)));
  },
  "strings.any_suffix_match": (values: unknown, suffixes: unknown) => {
    const wanted = texts(suffixes);
    return texts(values).some((value) => wanted.some((suffix) => value.endsWith(suffix)));
  },
  "uuid.rfc4122": (key: unknown) => {
    text(key);
    return randomUUID();
  },
  "rand.intn": (key: unknown, bound: unknown) => {
    text(key);
    const n = Math.abs(int(bound));
    return n === 0 ? 0 : randomInt(n);
  },
  "time.now_ns": () => nanoseconds(Date.now()),
  "time.clock": (when: unknown) => {
    const parts = civil(when);
    return [parts.hour, parts.minute, parts.second];
  },
  "time.date": (when: unknown) => {
    const parts = civil(when);
    return [parts.year, parts.month, parts.day];
  },
  "time.weekday": (when: unknown) => civil(when).weekday,
  "time.parse_rfc3339_ns": (value: unknown) => {
    const match = RFC3339.exec(text(value));
    if (match === null) return undefined;
    const [, day, clock, fraction = "", zone] = match;
    const ms = Date.parse(`${day}T${clock}${zone}`);
    // Date.parse rolls the 31st of a short month over; OPA does not take it.
    if (Number.isNaN(ms) || !isDay(day!)) return undefined;
    return raw(BigInt(ms) * 1_000_000n + BigInt(fraction.padEnd(9, "0").slice(0, 9)));
  },
};

/** By name, as opa-wasm takes them. */
export const HOST_BUILTINS: { readonly [name: string]: Host } = Object.fromEntries(
  Object.entries(plain).map(([name, host]) => [name, guarded(host)]),
);

const RFC3339 = /^(\d{4}-\d\d-\d\d)T((?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;

function isDay(day: string): boolean {
  const [year, month, date] = day.split("-").map(Number) as [number, number, number];
  return new Date(Date.UTC(year, month - 1, date)).getUTCDate() === date;
}

const nanoseconds = (ms: number): unknown => raw(BigInt(ms) * 1_000_000n);

/** Nanoseconds do not fit a double, and the result crosses into WASM as JSON: all of its digits, as one number. */
function raw(value: bigint): unknown {
  return (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value));
}

const WEEKDAYS = ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"] as const;
type Civil = {
  year: number;
  month: number;
  day: number;
  hour: number;
  minute: number;
  second: number;
  weekday: string;
};

/** `when`: nanoseconds, or [nanoseconds, time zone], or [nanoseconds, time zone, layout]. */
function civil(when: unknown): Civil {
  const [ns, zone] = Array.isArray(when) ? when : [when, "UTC"];
  if (typeof ns !== "number") throw new TypeError("not a number");
  // The argument came through JSON.parse, so its last digits are rounded: to the microsecond, which a double holds.
  const date = new Date(Math.floor(Math.round(ns / 1000) / 1000));
  if (Number.isNaN(date.getTime())) throw new RangeError("not a time");
  const name = zone === undefined || zone === "" ? "UTC" : text(zone);
  if (name === "Local") throw new RangeError("the gate's own time zone is no fact");
  const parts = Object.fromEntries(
    formatter(name)
      .formatToParts(date)
      .map((part) => [part.type, Number(part.value)]),
  );
  const { year, month, day, hour, minute, second } = parts as unknown as Omit<Civil, "weekday">;
  const weekday = WEEKDAYS[new Date(Date.UTC(year, month - 1, day)).getUTCDay()]!;
  return { year, month, day, hour, minute, second, weekday };
}

const formatters = new Map<string, Intl.DateTimeFormat>();

/** Making one costs far more than using it. The zone's name comes from the policy, so there are few; bounded all the same. */
function formatter(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone);
  if (known !== undefined) return known;
  if (formatters.size > 500) formatters.clear();
  const made = new Intl.DateTimeFormat("en-US", {
    timeZone,
    calendar: "gregory",
    hourCycle: "h23",
    year: "numeric",
    month: "numeric",
    day: "numeric",
    hour: "numeric",
    minute: "numeric",
    second: "numeric",
  });
  formatters.set(timeZone, made);
  return made;
}
