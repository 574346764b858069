// What the gate knows of a database without a client's session: its catalog, and how names resolve. For trying texts.
import type { NameScope, SessionNames } from "../../sql/postgres/analyze.ts";
import type { Catalog } from "../../sql/postgres/catalog.ts";
import { ready } from "../../sql/postgres/parser.ts";
import type { ShimLog } from "../shim.ts";
import type { BindingStore, Bindings } from "./bindings.ts";
import { Catalogs } from "./catalogs.ts";
import { OwnConnection } from "./connection.ts";
import { Names } from "./names.ts";
import type { UpstreamTarget } from "./target.ts";

export type InspectOptions = {
  readonly resource: string;
  /** The bundle's `data.classification[resource]`. */
  readonly classification: unknown;
  /** What the running gate has bound its tags to: read, never written. */
  readonly bindings: Bindings | undefined;
  /** As a client's `SET search_path` would have it; undefined: what a new session starts with. */
  readonly searchPath?: readonly string[] | undefined;
  /** As a client's `SET ROLE` would have it. */
  readonly role?: string | undefined;
  readonly log: ShimLog;
};
export type Inspected = { readonly catalog: Catalog; readonly scope: NameScope };

/**
 * Reads the catalog over a connection of the gate's own, and asks how a session's names would resolve.
 * @throws RegateError UPSTREAM_*, CATALOG_UNAVAILABLE (a role that is not there, tags of a wrong form)
 */
export async function inspect(target: UpstreamTarget, options: InspectOptions): Promise<Inspected> {
  await ready();
  const { resource, classification, searchPath, role, log } = options;
  const bindings: BindingStore = { read: () => options.bindings, write: () => undefined };
  const catalogs = new Catalogs(target, {
    resource,
    classification: () => classification,
    bindings,
    log,
    check: "command",
  });
  const connection = await OwnConnection.open(target);
  try {
    const catalog = await catalogs.refresh();
    if (role !== undefined) await connection.query(`SET ROLE ${quoted(role)}`);
    await connection.query(
      searchPath === undefined ? "RESET search_path" : `SET search_path = ${searchPath.map(quoted).join(", ") || "''"}`,
    );
    const names = new Names();
    const bad = names.learn(await connection.query(names.questions(false, false)[0]!), catalog.schemaRights);
    if (bad !== undefined) throw bad;
    const { searchPath: effective, path, user, temporary } = names;
    await catalogs.readUsable(catalog, user);
    const usable = (given: string): ReadonlySet<string> | undefined => catalogs.usable(catalog, given);
    const session: SessionNames = { path, temporary, restores: "nothing", usable };
    return { catalog, scope: { session, searchPath: effective, user, prepared: () => [], cursor: () => [] } };
  } finally {
    catalogs.close();
    connection.close();
  }
}

function quoted(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}
