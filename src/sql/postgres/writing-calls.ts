// Functions that put their arguments where somebody else may read them: sequences, settings, large objects, locks, channels, files, servers.
import type { Node } from "libpg-query";
import type { Write } from "../../core/facts.ts";
import { splitName } from "../../core/qualified-name.ts";
import type { Call } from "./calls.ts";
import { numberOf, relationNameOf, textOf } from "./constants.ts";
import type { Target } from "./flows.ts";
import type { Recorder } from "./recorder.ts";
import type { Value } from "./value.ts";
import { combine } from "./value.ts";

type Kind = Exclude<Write["target"], "column">;
type Row = {
  readonly target: Kind;
  /** The argument that names the target. */
  readonly named?: number;
  /** What is written comes from somewhere else than the arguments. */
  readonly opaque?: boolean;
};

const ROWS = new Map<string, readonly Row[]>();
const puts = (names: string, ...rows: readonly Row[]): void => {
  for (const name of names.split(" ")) ROWS.set(name, rows);
};
puts("nextval setval", { target: "sequence", named: 0 });
puts("set_config", { target: "setting", named: 0 });
puts("lo_creat lo_create lo_from_bytea lo_put lo_truncate lo_truncate64 lo_unlink lowrite", { target: "large_object" });
puts("lo_import", { target: "large_object", opaque: true });
puts("lo_export", { target: "file", named: 1 });
puts("pg_notify", { target: "notification", named: 0 });
// adminpack
puts("pg_file_write pg_file_rename pg_file_unlink pg_file_sync", { target: "file", named: 0 });

const ADVISORY = /^pg_(try_)?advisory_(xact_)?(un)?lock(_shared)?$/;

/** Notes what a call writes; `nodes` and `args` are its arguments, as text and as what they depend on. */
export function callWrites(recorder: Recorder, call: Call, nodes: readonly Node[], args: readonly Value[]): void {
  const name = call.entries[0]!.name;
  let rows = ROWS.get(name);
  if (rows === undefined) {
    if (name.startsWith("pg_") && ADVISORY.test(name)) {
      advisory(recorder, name, nodes, args);
      return;
    }
    // What is given to another server leaves: a name, a query, a message.
    if (!call.external.includes("server") || args.length === 0) return;
    rows = [{ target: "server", ...(call.opaque ? { opaque: true } : {}) }];
  }
  // lo_export writes what it reads.
  const shown: Value = { sources: call.reads, derivation: "expression", total: false, type: 0 };
  const value = combine(call.reads.length === 0 ? args : [...args, shown], 0, false);
  for (const row of rows)
    recorder.writeTo(targetOf(recorder, row, nodes), row.opaque === true ? { ...value, derivation: "opaque" } : value);
}

function targetOf(recorder: Recorder, { target, named }: Row, nodes: readonly Node[]): Target {
  const read = target === "sequence" ? relationNameOf : textOf;
  const name = named === undefined ? undefined : read(recorder, nodes[named]);
  if (name === undefined || name === null) return { target };
  if (target === "setting") return { target, column: name.toLowerCase() };
  if (target !== "sequence") return { target, column: name };
  const parts = splitName(name, true);
  const sequence = parts?.pop() ?? name;
  const relation = recorder.catalog.resolveRelation(parts?.pop(), sequence, recorder.path);
  return relation === undefined
    ? { target, table: sequence }
    : { target, schema: relation.factSchema, table: relation.name };
}

/** Which lock is taken, and whether there is one, is seen by whoever tries the same. */
function advisory(recorder: Recorder, name: string, nodes: readonly Node[], args: readonly Value[]): void {
  const keys = nodes.map((node) => numberOf(recorder, node));
  const key = keys.every((part) => part !== undefined && part !== null) ? keys.join(",") : "";
  recorder.writeTo({ target: "advisory_lock", column: key }, combine(args, 0, false));
  if (!name.includes("unlock")) recorder.lock("advisory", "", key, name.endsWith("_shared") ? "shared" : "exclusive");
}
