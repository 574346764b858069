// A few worker threads that evaluate large inputs, each bounded in time, with a bounded queue in front.
import { Worker } from "node:worker_threads";
import { type ErrorCode, errorText, RegateError } from "../errors.ts";
import type { Answer, Ask, WorkerData } from "./evaluate-worker.ts";
import { Trap } from "./wasm.ts";

export type WorkerLimits = {
  readonly threads: number;
  readonly timeoutMs: number;
  readonly queued: number;
  readonly queuedBytes: number;
};
export const WORKER_LIMITS: WorkerLimits = { threads: 2, timeoutMs: 5_000, queued: 256, queuedBytes: 64 << 20 };

type Job = {
  readonly input: string;
  readonly timeoutMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
};
type Thread = { readonly worker: Worker; job: Job | undefined; timer: NodeJS.Timeout | undefined };

// The same file, as it is called in a checkout and in a built package.
const SCRIPT = new URL(
  import.meta.url.endsWith(".ts") ? "./evaluate-worker.ts" : "./evaluate-worker.js",
  import.meta.url,
);

/** Threads are started when they are first needed and do not keep the process alive by themselves. */
export class Workers {
  readonly #data: WorkerData;
  readonly #limits: WorkerLimits;
  readonly #threads = new Set<Thread>();
  readonly #queue: Job[] = [];
  #queuedBytes = 0;
  #closed = false;

  constructor(data: WorkerData, limits: WorkerLimits = WORKER_LIMITS) {
    this.#data = data;
    this.#limits = limits;
  }

  /**
   * The entrypoint's value for this input (JSON text).
   * @throws Trap; RegateError POLICY_TIMEOUT: it took longer than `timeoutMs` once it had begun, or too many wait already
   */
  evaluate(input: string, timeoutMs = this.#limits.timeoutMs): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new Trap("the policy was closed"));
        return;
      }
      const full =
        this.#queue.length >= this.#limits.queued || this.#queuedBytes + input.length > this.#limits.queuedBytes;
      if (full) {
        reject(new RegateError("POLICY_TIMEOUT", { detail: "too many large commands wait to be judged" }));
        return;
      }
      this.#queue.push({ input, timeoutMs, resolve, reject });
      this.#queuedBytes += input.length;
      this.#next();
    });
  }

  /** Ends the threads; what is under way is rejected. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const job of this.#queue.splice(0)) job.reject(new Trap("the policy was closed"));
    this.#queuedBytes = 0;
    await Promise.all([...this.#threads].map((thread) => this.#end(thread, new Trap("the policy was closed"))));
  }

  #next(): void {
    while (this.#queue.length > 0) {
      let thread: Thread | undefined;
      for (const candidate of this.#threads) if (candidate.job === undefined) thread = candidate;
      if (thread === undefined) {
        if (this.#threads.size >= this.#limits.threads) return;
        thread = this.#start();
      }
      const job = this.#queue.shift()!;
      this.#queuedBytes -= job.input.length;
      this.#give(thread, job);
    }
  }

  #give(thread: Thread, job: Job): void {
    thread.job = job;
    thread.worker.ref();
    thread.timer = setTimeout(() => {
      const code: ErrorCode = "POLICY_TIMEOUT";
      void this.#end(thread, new RegateError(code, { detail: `more than ${job.timeoutMs} ms` }));
      this.#next();
    }, job.timeoutMs);
    thread.worker.postMessage({ input: job.input } satisfies Ask);
  }

  #start(): Thread {
    const thread: Thread = { worker: new Worker(SCRIPT, { workerData: this.#data }), job: undefined, timer: undefined };
    this.#threads.add(thread);
    thread.worker.unref();
    thread.worker.on("message", (answer: Answer) => {
      const job = this.#release(thread);
      if ("trap" in answer) job?.reject(new Trap(answer.trap));
      else job?.resolve(answer.result);
      this.#next();
    });
    thread.worker.on("error", (error) => {
      void this.#end(thread, new Trap(errorText(error)));
      this.#next();
    });
    thread.worker.on("exit", () => {
      void this.#end(thread, new Trap("the evaluating thread ended"));
      this.#next();
    });
    return thread;
  }

  #release(thread: Thread): Job | undefined {
    const job = thread.job;
    clearTimeout(thread.timer);
    thread.timer = undefined;
    thread.job = undefined;
    thread.worker.unref();
    return job;
  }

  async #end(thread: Thread, why: Error): Promise<void> {
    if (!this.#threads.delete(thread)) return;
    this.#release(thread)?.reject(why);
    await thread.worker.terminate();
  }
}
