// COPY … TO STDOUT: its columns are described by nobody, so the gate has the query behind it described, just before, and masks by that.
import { RegateError } from "../../errors.ts";
import { confirm, type StatementAnalysis } from "../../sql/postgres/analyze.ts";
import { type CopyFormat, type CopyOut, copyOut } from "../../sql/postgres/copy-out.ts";
import { CopyMasker } from "./copy-masker.ts";
import type { Field } from "./message.ts";
import type { CopyPlan, Run } from "./pending.ts";
import { planRow } from "./plan.ts";
import type { Session } from "./session.ts";

const MOVED = { impossible: "a statement before it may change what it means" };

/** A COPY of a text that is to be held against its description. */
type Question = { readonly at: number; readonly query: string; readonly format: CopyOut["format"] };

export class Copies {
  readonly #session: Session;

  constructor(session: Session) {
    this.#session = session;
  }

  /**
   * Goes on once the columns of what the run's text copies out are known and agree with the facts. They are asked for in the segment of the
   * COPY itself, so that the locks that were taken for the answer still hold when it runs. Otherwise it is refused.
   */
  described(run: Run, simple: boolean, step: () => boolean): boolean {
    const text = run.rewriting?.sent ?? run.command?.text ?? "";
    const session = this.#session;
    const { permit } = run;
    const tagged = session.lastCatalog?.hasTags !== false;
    const questions: Question[] = [];
    for (const [at, statement] of run.statements.entries()) {
      if (statement.copy !== "out" || !permit.enforced) continue;
      const masked = isMasked(run, at);
      if (!masked && !tagged) continue;
      const columns = statement.facts.outputs.map((output) => output.name);
      const { query, format } = outOf(text, at, columns);
      const moved = run.statements.slice(0, at).some(mayChangeMeaning);
      const obstacle = moved
        ? MOVED
        : typeof query !== "string"
          ? query
          : masked && "impossible" in format
            ? format
            : undefined;
      if (obstacle === undefined) questions.push({ at, query: query as string, format });
      else if (masked || statement.touchesTagged)
        return this.#refuse(
          run,
          new RegateError("MASK_IMPOSSIBLE", {
            detail: `What COPY sends cannot be masked: ${obstacle.impossible}.`,
            hint:
              typeof query === "string" && !moved
                ? "Write its options in another way, or SELECT the columns."
                : "Send it as a command of its own.",
          }),
          simple,
        );
    }
    if (questions.length === 0) return step();
    let described: readonly (readonly Field[] | undefined)[] | undefined;
    session.segmentOpen = true;
    session.writer.outline(questions.map(({ query }) => query));
    session.writer.flush();
    session.pending.push({
      kind: "outline",
      segment: session.segment,
      run,
      left: questions.length,
      fields: [],
      done: (fields) => {
        described = fields;
      },
    });
    return session.wait(
      () => {
        if (described === undefined) return false;
        for (const [i, question] of questions.entries()) {
          const error = this.#plan(run, question, described[i]);
          if (error !== undefined) return this.#refuse(run, error, simple);
        }
        return step();
      },
      () => {
        // It failed where the COPY would have: the client was told.
        if (simple) session.frontend.endSegment();
      },
    );
  }

  #plan(run: Run, { at, format }: Question, fields: readonly Field[] | undefined): RegateError | undefined {
    const session = this.#session;
    const { lastCatalog: catalog, options } = session;
    const statement = run.statements[at]!;
    // What has no columns, like SELECT INTO, the server does not copy.
    if (fields === undefined) return undefined;
    const verdict =
      catalog === undefined ? { ok: false as const, why: "an unexpected result" } : confirm(statement, fields, catalog);
    if (!verdict.ok) {
      session.answers.disagree(run, at, fields, verdict.why);
      session.catalogs.invalidate();
      return new RegateError("CATALOG_MISMATCH", { detail: verdict.why });
    }
    let masker: CopyMasker | undefined;
    if (isMasked(run, at)) {
      // Without a form it was refused.
      const known = format as CopyFormat;
      const shown = fields.map((field) => ({ ...field, format: known.format === "binary" ? 1 : 0 }));
      const { maskKey, tokenKey, limits } = options;
      const masks = run.permit.masks.filter((mask) => mask.statement === at);
      const plan = planRow(masks, shown, statement, { key: maskKey, tokenKey }, run.permit.detect);
      if (plan instanceof RegateError) return plan;
      const names = fields.map(({ name }) => name);
      if (plan !== undefined) masker = new CopyMasker(known, names, plan, limits.rowBytes);
    }
    run.copies.set(at, { columns: fields.length, binary: "format" in format && format.format === "binary", masker });
    return undefined;
  }

  #refuse(run: Run, error: RegateError, simple: boolean): boolean {
    const session = this.#session;
    session.recordOutcome(run, "refused");
    return session.judge.refuse(session.options.pipeline.refuse(session.context, run.command, error), simple);
  }

  /** The server begins to send: true if that is what was described. Else the refusal has taken its place. */
  begins(run: Run, at: number, body: Buffer): boolean {
    const session = this.#session;
    const { backend, lastCatalog } = session;
    if (backend.late !== undefined) return false;
    if (!run.permit.enforced) {
      run.copying = "passes";
      return true;
    }
    const statement = run.statements[at];
    const plan = run.copies.get(at);
    const masked = isMasked(run, at);
    const told = statement?.copy === "out" && (plan !== undefined || !(masked || statement.touchesTagged));
    if (!told && (masked || lastCatalog?.hasTags !== false)) {
      backend.refuseLate(
        run,
        new RegateError("CATALOG_MISMATCH", { detail: "The server did not describe the result." }),
      );
      return false;
    }
    if (plan !== undefined && !agrees(plan, body)) {
      backend.refuseLate(
        run,
        new RegateError("CATALOG_MISMATCH", { detail: "What COPY sends is not of the form that was described." }),
      );
      return false;
    }
    run.copying = plan?.masker ?? "passes";
    return true;
  }
}

/** By what it runs; settings that SET names are judged with the text. */
function mayChangeMeaning({ facts, effects }: StatementAnalysis): boolean {
  return effects.catalog || effects.temp || effects.opaque || (effects.settings && facts.verb !== "set");
}

/** Also of a text that was read, and cannot be read again. */
function outOf(text: string, at: number, columns: readonly string[]): CopyOut {
  try {
    return copyOut(text, at, columns);
  } catch (thrown) {
    if (!(thrown instanceof RegateError)) throw thrown;
    const impossible = { impossible: "its text cannot be read" };
    return { query: impossible, format: impossible };
  }
}

function isMasked({ permit }: Run, at: number): boolean {
  return permit.detect !== undefined || permit.masks.some((mask) => mask.statement === at);
}

/** CopyOutResponse: the form, the number of columns, the form of each. */
function agrees(plan: CopyPlan, body: Buffer): boolean {
  const { columns, binary } = plan;
  if (body.length !== 3 + 2 * columns || body.readInt16BE(1) !== columns) return false;
  if (plan.masker === undefined) return true;
  const format = binary ? 1 : 0;
  for (let at = 3; at < body.length; at += 2) if (body.readInt16BE(at) !== format) return false;
  return body[0] === format;
}
