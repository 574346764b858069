// The state of one gate: approvals and revocations in its data folder, and what was looked up today.
import { join } from "node:path";
import type { Probes } from "../core/inference.ts";
import type { Approvals, Revocations } from "../core/ports.ts";
import { EmbeddedApprovals } from "./approvals.ts";
import { Journal } from "./journal.ts";
import { ProbeCounts } from "./probes.ts";
import { followRevocations } from "./revocations.ts";

export type State = {
  readonly approvals: Approvals;
  readonly revocations: Revocations;
  readonly probes: Probes;
  close(): Promise<void>;
};

export type StateOptions = {
  /** data_dir/state */
  readonly dir: string;
  /** Told of what goes wrong behind the scenes: a journal that cannot be written, revocations that cannot be read. */
  readonly onError?: (error: unknown) => void;
  /** Milliseconds since the epoch. */
  readonly now?: () => number;
};

/** @throws RegateError DATA_DIR */
export async function openState(options: StateOptions): Promise<State> {
  const onError = options.onError ?? (() => undefined);
  const journal = new Journal(join(options.dir, "approvals.jsonl"));
  try {
    const approvals = new EmbeddedApprovals({ journal, now: options.now ?? Date.now, onError });
    const revocations = followRevocations(options.dir, (failure) => {
      if (failure !== undefined) onError(failure);
    });
    return {
      approvals,
      revocations,
      probes: new ProbeCounts(options.now),
      close: async () => {
        approvals.close();
        revocations.close();
        journal.close();
      },
    };
  } catch (thrown) {
    journal.close();
    throw thrown;
  }
}
