// CREATE and ALTER DOMAIN: what a domain computes and checks runs wherever a value becomes one of it. A new constraint is checked against
// every value of the domain that is stored, in whatever table.
import type { AlterDomainStmt, CreateDomainStmt } from "libpg-query";
import { walk } from "./ddl.ts";
import type { Judged, Judging } from "./judging.ts";
import { qualifiedName } from "./nodes.ts";
import { USE } from "./uses.ts";

/** Subtypes that read the values: ADD CONSTRAINT, SET NOT NULL, VALIDATE CONSTRAINT. */
const CHECKS: ReadonlySet<string> = new Set(["C", "O", "V"]);

function defines({ recorder }: Judging, body: CreateDomainStmt | AlterDomainStmt): void {
  recorder.class = "ddl";
  recorder.changesCatalog = true;
  recorder.stores = true;
  walk(recorder, body, "ddl");
}

export function createDomain(judging: Judging, body: CreateDomainStmt): Judged {
  defines(judging, body);
  return { verb: "create_domain" };
}

export function alterDomain(judging: Judging, body: AlterDomainStmt): Judged {
  const { recorder } = judging;
  defines(judging, body);
  if (!CHECKS.has(body.subtype ?? "")) return { verb: "alter_domain" };
  const { schema, name } = qualifiedName(body.typeName);
  const domain = recorder.catalog.typeByName(schema, name, recorder.path);
  // Whether the value is there that the constraint forbids is told by whether it fails.
  for (const column of recorder.catalog.columnsOfDomain(domain)) recorder.use(column.value, USE.filter);
  return { verb: "alter_domain" };
}
