// Long texts: parsed in a thread of their own, so that nobody else waits for them.
import { RegateError } from "../../errors.ts";
import { besideModule, type ThreadFailure, type ThreadLimits, Threads } from "../../threads.ts";
import type { ParseAnswer } from "./parse-worker.ts";
import { checkText, DEFAULT_MAX_BYTES, type ParseOptions } from "./parser.ts";
import { keepShape, type Shape } from "./shape.ts";

/** Characters from which on a text is long: parsing 8 KB takes about 2 ms. */
export const LONG_TEXT = 8_192;
/** Of the JSON of what is left when long lists are cut down: reading 1 MB of it takes about 10 ms. */
const MAX_SHAPE = 1_500_000;
const LIMITS: ThreadLimits = { threads: 2, timeoutMs: 10_000, queued: 64, queuedBytes: 64 << 20 };
const MEMORY = { maxOldGenerationSizeMb: 1_024 };

let threads: Threads<ParseAnswer> | undefined;

/** @throws RegateError TEXT_TOO_LONG, TEXT_NOT_UTF8, TEXT_UNPARSEABLE, TEXT_TOO_COMPLEX */
export async function shapeAside(text: string, options: ParseOptions = {}): Promise<Shape> {
  checkText(text, options.maxBytes ?? DEFAULT_MAX_BYTES);
  threads ??= new Threads(besideModule(import.meta.url, "parse-worker"), { resourceLimits: MEMORY }, LIMITS);
  let answer: ParseAnswer;
  try {
    answer = await threads.run(text);
  } catch (thrown) {
    const { message } = thrown as ThreadFailure;
    throw new RegateError("TEXT_TOO_COMPLEX", { detail: `a text of ${text.length} characters: ${message}` });
  }
  if (!("shape" in answer)) throw new RegateError(answer.code, answer.options);
  if (answer.shape.json.length > MAX_SHAPE)
    throw new RegateError("TEXT_TOO_COMPLEX", { detail: "its parse tree is too large, even with long lists cut down" });
  keepShape(text, answer.shape);
  return answer.shape;
}
