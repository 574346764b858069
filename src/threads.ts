// A few worker threads for work that would hold up the event loop, each job bounded in time, with a bounded queue in front.
import { Worker, type WorkerOptions } from "node:worker_threads";
import { errorText } from "./errors.ts";

export type ThreadLimits = {
  readonly threads: number;
  /** Of one job, once it has begun. */
  readonly timeoutMs: number;
  readonly queued: number;
  /** Characters of the jobs that wait. */
  readonly queuedBytes: number;
};

/** `timeout`: it took too long, and its thread was ended; `full`: too many wait; `ended`: the thread or the pool ended. */
export class ThreadFailure extends Error {
  readonly reason: "timeout" | "full" | "ended";

  constructor(reason: ThreadFailure["reason"], message: string) {
    super(message);
    this.reason = reason;
  }
}

type Job<Answer> = {
  readonly input: string;
  readonly timeoutMs: number;
  readonly resolve: (answer: Answer) => void;
  readonly reject: (error: ThreadFailure) => void;
};
type Thread<Answer> = { readonly worker: Worker; job: Job<Answer> | undefined; timer: NodeJS.Timeout | undefined };

/** The worker beside a module: the same file in a checkout (`x.ts`) and in a built package (`x.js`). */
export function besideModule(moduleUrl: string, name: string): URL {
  return new URL(`./${name}${moduleUrl.endsWith(".ts") ? ".ts" : ".js"}`, moduleUrl);
}

/** Threads are started when they are first needed and do not keep the process alive by themselves. They get a string and post one answer. */
export class Threads<Answer> {
  readonly #script: URL;
  readonly #options: WorkerOptions;
  readonly #limits: ThreadLimits;
  readonly #threads = new Set<Thread<Answer>>();
  readonly #queue: Job<Answer>[] = [];
  #queuedBytes = 0;
  #closed = false;

  constructor(script: URL, options: WorkerOptions, limits: ThreadLimits) {
    this.#script = script;
    this.#options = options;
    this.#limits = limits;
  }

  /** @throws ThreadFailure */
  run(input: string, timeoutMs = this.#limits.timeoutMs): Promise<Answer> {
    return new Promise((resolve, reject) => {
      if (this.#closed) {
        reject(new ThreadFailure("ended", "closed"));
        return;
      }
      if (this.#queue.length >= this.#limits.queued || this.#queuedBytes + input.length > this.#limits.queuedBytes) {
        reject(new ThreadFailure("full", "too many wait"));
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
    for (const job of this.#queue.splice(0)) job.reject(new ThreadFailure("ended", "closed"));
    this.#queuedBytes = 0;
    await Promise.all([...this.#threads].map((thread) => this.#end(thread, new ThreadFailure("ended", "closed"))));
  }

  #next(): void {
    while (this.#queue.length > 0) {
      let thread: Thread<Answer> | undefined;
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

  #give(thread: Thread<Answer>, job: Job<Answer>): void {
    thread.job = job;
    thread.worker.ref();
    thread.timer = setTimeout(() => {
      void this.#end(thread, new ThreadFailure("timeout", `more than ${job.timeoutMs} ms`));
      this.#next();
    }, job.timeoutMs);
    thread.worker.postMessage(job.input);
  }

  #start(): Thread<Answer> {
    const worker = new Worker(this.#script, this.#options);
    const thread: Thread<Answer> = { worker, job: undefined, timer: undefined };
    this.#threads.add(thread);
    worker.unref();
    worker.on("message", (answer: Answer) => {
      this.#release(thread)?.resolve(answer);
      this.#next();
    });
    worker.on("error", (error) => {
      void this.#end(thread, new ThreadFailure("ended", errorText(error)));
      this.#next();
    });
    worker.on("exit", () => {
      void this.#end(thread, new ThreadFailure("ended", "the thread ended"));
      this.#next();
    });
    return thread;
  }

  #release(thread: Thread<Answer>): Job<Answer> | undefined {
    const job = thread.job;
    clearTimeout(thread.timer);
    thread.timer = undefined;
    thread.job = undefined;
    thread.worker.unref();
    return job;
  }

  async #end(thread: Thread<Answer>, why: ThreadFailure): Promise<void> {
    if (!this.#threads.delete(thread)) return;
    this.#release(thread)?.reject(why);
    await thread.worker.terminate();
  }
}
