// Evaluates large inputs in worker threads.
import type { ThreadLimits } from "../threads.ts";
import { besideModule, type ThreadFailure, Threads } from "../threads.ts";
import { RegateError } from "../errors.ts";
import type { Answer, WorkerData } from "./evaluate-worker.ts";
import { Trap } from "./wasm.ts";

export const WORKER_LIMITS: ThreadLimits = { threads: 2, timeoutMs: 5_000, queued: 256, queuedBytes: 64 << 20 };

export class Workers {
  readonly #threads: Threads<Answer>;

  constructor(data: WorkerData, limits: ThreadLimits = WORKER_LIMITS) {
    this.#threads = new Threads(besideModule(import.meta.url, "evaluate-worker"), { workerData: data }, limits);
  }

  /**
   * The entrypoint's value for this input (JSON text).
   * @throws Trap; RegateError POLICY_TIMEOUT: it took longer than `timeoutMs` once it had begun, or too many wait already
   */
  async evaluate(input: string, timeoutMs?: number): Promise<unknown> {
    let answer: Answer;
    try {
      answer = await this.#threads.run(input, timeoutMs);
    } catch (thrown) {
      const { reason, message } = thrown as ThreadFailure;
      if (reason === "timeout") throw new RegateError("POLICY_TIMEOUT", { detail: message });
      if (reason === "full")
        throw new RegateError("POLICY_TIMEOUT", { detail: "too many large commands wait to be judged" });
      throw new Trap(message === "closed" ? "the policy was closed" : message);
    }
    if ("trap" in answer) throw new Trap(answer.trap);
    return answer.result;
  }

  /** Ends the threads; what is under way is rejected. */
  close(): Promise<void> {
    return this.#threads.close();
  }
}
