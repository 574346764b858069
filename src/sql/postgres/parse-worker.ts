// The worker thread that parses long texts and cuts their lists down: a parser that harms itself harms this thread only.
import { parentPort } from "node:worker_threads";
import { errorText, RegateError } from "../../errors.ts";
import type { ErrorCode } from "../../errors.ts";
import { collapse } from "./collapse.ts";
import { parse, ready } from "./parser.ts";
import { type Shape, shapeOfJson } from "./shape.ts";

export type ParseAnswer =
  | { readonly shape: Shape }
  | { readonly code: ErrorCode; readonly options: { message?: string; detail?: string; position?: number } };

await ready();

parentPort!.on("message", (text: string) => {
  parentPort!.postMessage(answer(text));
});

function answer(text: string): ParseAnswer {
  try {
    const tree = collapse(parse(text, { maxBytes: Number.POSITIVE_INFINITY }));
    return { shape: shapeOfJson(JSON.stringify(tree), text) };
  } catch (thrown) {
    if (!(thrown instanceof RegateError)) return { code: "TEXT_TOO_COMPLEX", options: { detail: errorText(thrown) } };
    const { code, message, detail, position } = thrown;
    return {
      code,
      options: {
        message,
        ...(detail === undefined ? {} : { detail }),
        ...(position === undefined ? {} : { position }),
      },
    };
  }
}
