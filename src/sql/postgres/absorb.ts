// What a body does becomes what the statement does that runs it.
import type { VerbClass } from "../../core/facts.ts";
import type { Column } from "./model.ts";
import type { Given } from "./placeholders.ts";
import { isPlaceholder, replaced } from "./placeholders.ts";
import type { Recorder } from "./recorder.ts";
import { USE } from "./uses.ts";
import type { Value } from "./value.ts";

/** From harmless to not known. What is not here (SET, COMMIT …) leaves a statement's class as it is. */
const ORDER: readonly VerbClass[] = ["read", "write", "ddl", "dcl", "code", "unknown"];

/** The class of a statement of class `own` that runs one of class `run`. */
export function classWith(own: VerbClass, run: VerbClass): VerbClass {
  const added = run === "maintenance" ? "write" : run;
  const rank = ORDER.indexOf(own);
  return rank >= 0 && ORDER.indexOf(added) > rank ? added : own;
}

/**
 * Notes in `into` everything that the body does, with what it was given in the place of its parameters. `via` names the function (rule,
 * trigger) through which its relations are reached, if any. Whether it was understood is for the caller.
 */
export function absorb(into: Recorder, body: Recorder, given: Given, via?: string): void {
  into.spend(body.uses.size + body.relations.touched.length);
  for (const { relation, access, via: through } of body.relations.touched)
    into.reached(relation, access, via === undefined ? through : [via, ...through]);
  for (const [column, bits] of body.uses) {
    // What it shows is for the statement to use; what it writes to is noted as it is.
    const own = bits & ~USE.output;
    if (own !== 0) into.use(replaced(only(column), given), own);
  }
  for (const [column, names] of body.operators) {
    const value = replaced(only(column), given);
    for (const name of names) into.operator(value, name);
  }
  for (const column of body.kept) for (const source of replaced(only(column), given).sources) into.kept.add(source);
  for (const column of body.copied) into.copies(replaced(only(column), given));
  for (const use of body.functions) into.functions.add(use);
  for (const external of body.external) into.external.add(external);
  for (const setting of body.settings)
    if (!into.settings.some((other) => other.name === setting.name && other.value === setting.value))
      into.settings.push(setting);
  for (const { level, schema, name, mode } of body.locks) into.lock(level, schema, name, mode);
  body.flows?.each(
    (column, value) => into.flow(column, replaced(value, given)),
    (target, value) => into.writeTo(target, replaced(value, given)),
  );
  into.class = classWith(into.class, body.class);
  if (body.changesSettings) into.changesSettings = true;
  if (body.changesCatalog) into.changesCatalog = true;
  if (body.changesTemporary) into.changesTemporary = true;
  for (const name of body.alongPath) into.alongPath.add(name);
}

function only(column: Column): Value {
  return isPlaceholder(column)
    ? { ...column.value, derivation: "expression" }
    : { sources: [column], derivation: "direct", total: true, type: column.type };
}
