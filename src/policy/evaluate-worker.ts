// The worker thread that evaluates what would hold up the event loop; ended from outside when it takes too long.
import { parentPort, workerData } from "node:worker_threads";
import { Evaluator, type Trap, type WasmModule } from "./wasm.ts";

export type WorkerData = { readonly module: WasmModule; readonly data: ArrayBuffer };
export type Answer = { readonly result: unknown } | { readonly trap: string };

const { module, data } = workerData as WorkerData;
const evaluator = new Evaluator(module, data);

parentPort!.on("message", (input: string) => {
  let answer: Answer;
  try {
    answer = { result: evaluator.evaluate(input) };
  } catch (error) {
    answer = { trap: (error as Trap).message };
  }
  parentPort!.postMessage(answer);
});
