// What all sessions of one resource share: its server, the catalog as it was last read, and what the gate asks that server on its own.
import type { ShimOptions } from "../shim.ts";
import type { BindingStore } from "./bindings.ts";
import { Catalogs } from "./catalogs.ts";
import { Disagreements } from "./disagreements.ts";
import { Estimates } from "./estimate.ts";
import { PlanChecks } from "./plan-checks.ts";
import { Planner } from "./planner.ts";
import { parseTarget, type UpstreamTarget } from "./target.ts";

export type Shared = {
  readonly target: UpstreamTarget;
  readonly catalogs: Catalogs;
  readonly planner: Planner;
  readonly estimates: Estimates;
  readonly disagreements: Disagreements;
  readonly planChecks: PlanChecks;
};

/** By the resource's name. @throws RegateError CONFIG_INVALID */
export function sharedParts(options: ShimOptions): ReadonlyMap<string, Shared> {
  return new Map([...options.resources.keys()].map((name) => [name, sharedOf(name, options)]));
}

function sharedOf(name: string, { resources, pipeline, bindings, reproductions, log }: ShimOptions): Shared {
  const resource = resources.get(name)!;
  const target = parseTarget(resource.url);
  const classification = (): unknown =>
    (pipeline.policy.data("classification") as Record<string, unknown> | undefined)?.[name] ?? {};
  const planner = new Planner(target);
  const catalogs = new Catalogs(target, {
    resource: name,
    classification,
    bindings: bindings as BindingStore,
    log,
    check: resource.catalogCheck,
  });
  const { rate, on_mismatch: on } = resource.planCheck;
  const disagreements = new Disagreements({ resource: name, on, store: (report) => reproductions.write(report), log });
  const planChecks = new PlanChecks(rate, planner, disagreements, () => {
    catalogs.invalidate();
    return catalogs.refresh();
  });
  return { target, planner, catalogs, estimates: new Estimates(planner), disagreements, planChecks };
}
