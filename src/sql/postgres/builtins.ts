// What calling a function may do: PostgreSQL's own are classified by signature, and what is not listed is not known.
import type { FunctionUse } from "../../core/facts.ts";
import { FUNCTIONS, TYPES } from "./builtin-functions.ts";

/** What a call does beside computing a value from its arguments. */
export type Behaviour = {
  readonly effect: FunctionUse["effect"];
  /** What a total function does with arguments of any type: it is total over those types only that allow it. */
  readonly values: "passed" | "written" | "compared";
  /** What it reads or does cannot be told from the call. */
  readonly opaque: boolean;
  /** What it reaches outside of tables: file, server, large_object, notify. */
  readonly external: readonly string[];
  /** Columns `relation.column` of pg_catalog whose values it shows. */
  readonly reads: readonly string[];
  /** It changes a setting of the session. */
  readonly setting: boolean;
  /** It changes something that others see: the statement is a write. */
  readonly writes: boolean;
};

const NOTHING: readonly string[] = Object.freeze([]);
/** Of whatever is not classified. */
export const UNKNOWN_BEHAVIOUR: Behaviour = Object.freeze({
  effect: "unknown",
  values: "written",
  opaque: true,
  external: NOTHING,
  reads: NOTHING,
  setting: false,
  writes: false,
});

/** One signature, and the major versions that have it. */
export type Classified = { readonly behaviour: Behaviour; readonly first: number; readonly last: number };

let signatures: ReadonlyMap<string, Classified> | undefined;

/** Every classified signature: `name(type,…)`, in the words of pg_type; the name with its schema, unless that is pg_catalog. */
export function classified(): ReadonlyMap<string, Classified> {
  signatures ??= read();
  return signatures;
}

function read(): Map<string, Classified> {
  const result = new Map<string, Classified>();
  let behaviour = UNKNOWN_BEHAVIOUR;
  let everywhere: Classified = { behaviour, first: 0, last: 99 };
  for (const line of FUNCTIONS.split("\n")) {
    if (line.startsWith("=")) {
      behaviour = behaviourOfGroup(line.slice(1));
      everywhere = { behaviour, first: 0, last: 99 };
    } else if (line !== "") {
      for (const item of line.split(" ")) {
        const open = item.indexOf("(") + 1;
        for (const overload of item.slice(open, -1).split(";")) {
          const at = overload.indexOf("@");
          if (at === -1) result.set(`${item.slice(0, open)}${overload})`, everywhere);
          else {
            const [first, last] = overload.slice(at + 1).split("-");
            result.set(`${item.slice(0, open)}${overload.slice(0, at)})`, {
              behaviour,
              first: Number(first || 0),
              last: Number(last || 99),
            });
          }
        }
      }
    }
  }
  return result;
}

/** `effect option…`; the options are explained where they are given, in the texts that the list is made from. */
function behaviourOfGroup(group: string): Behaviour {
  const [effect, ...options] = group.split(" ");
  const listed = (name: string): readonly string[] =>
    options
      .find((option) => option.startsWith(`${name}=`))
      ?.slice(name.length + 1)
      .split(",") ?? NOTHING;
  const setting = options.includes("setting");
  const external = listed("external");
  return Object.freeze({
    effect: effect as Behaviour["effect"],
    values: options.includes("passing") ? "passed" : options.includes("comparing") ? "compared" : "written",
    opaque: options.includes("opaque"),
    external,
    reads: listed("columns"),
    setting,
    // A notification changes nothing: it is a session's, as NOTIFY is.
    writes: options.includes("write") || (effect === "state" && !setting && !external.includes("notify")),
  });
}

let typeNames: ReadonlyMap<string, string> | undefined;

/** `argumentTypes`: OIDs with blanks between, as of pg_proc.proargtypes. */
export function behaviourOf(schema: string, name: string, argumentTypes: string): Behaviour {
  typeNames ??= new Map(
    TYPES.trim()
      .split(/\s+/)
      .map((pair) => pair.split(":") as [string, string]),
  );
  const names = argumentTypes === "" ? "" : argumentTypes.split(" ").map((oid) => typeNames!.get(oid) ?? "?");
  const qualified = schema === "pg_catalog" ? name : `${schema}.${name}`;
  return classified().get(`${qualified}(${names})`)?.behaviour ?? UNKNOWN_BEHAVIOUR;
}

/** Of extensions: what reaches another server by its name. */
export function externalOfKnown(name: string): readonly string[] {
  return /^dblink|^postgres_fdw|^pg_background|^http(_|$)/.test(name) ? ["server"] : NOTHING;
}
