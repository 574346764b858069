// detokenize: turns tokens of one column back into its values, as a command that the policy decides on and the log keeps.
import { randomUUID } from "node:crypto";
import { RegateError } from "../errors.ts";
import type { SessionContext } from "./command.ts";
import type { CommandFacts, Identity, Resource } from "./facts.ts";
import type { Pipeline } from "./pipeline.ts";

export type DetokenizeRequest = {
  readonly resource: string;
  /** schema.table.column, as in `data.classification`. */
  readonly column: string;
  readonly tokens: readonly string[];
  /** The key's version (`kid`) that made the tokens; the current one when it is left out. */
  readonly version?: string | undefined;
};

export type Detokenized = {
  readonly decision_id: string;
  readonly column: string;
  readonly version: string;
  /** In the order of the tokens; null for what cannot be a token. */
  readonly values: readonly (string | null)[];
};

/** A column as the resource's catalog has it. */
export type StoredColumn = {
  readonly schema: string;
  readonly table: string;
  readonly column: string;
  readonly kind: string;
  readonly tags: readonly string[];
  readonly type: string;
  readonly typeOid: number;
};

export type DetokenizeParts = {
  readonly pipeline: Pipeline;
  readonly resources: ReadonlyMap<string, { readonly facts: Resource }>;
  covers(identity: Identity, resource: string): boolean;
  /** @throws RegateError CATALOG_UNAVAILABLE */
  column(resource: string, name: string): Promise<StoredColumn | undefined>;
  /** @throws RegateError KEY_UNREADABLE */
  key(name: string, version: string | undefined): { readonly version: string; readonly key: Buffer } | undefined;
  detokenize(token: string, key: Buffer, tweak: string, column: { readonly typeOid: number }): string | null;
};

/**
 * Decides, records, and answers only once the record is durable. The record has the tokens, and no value.
 * @throws RegateError TOKEN_*, RESOURCE_UNKNOWN, DETOKENIZE_UNKNOWN, DETOKENIZE_REFUSED, MASK_KEY_MISSING, KEY_UNREADABLE, CATALOG_UNAVAILABLE,
 * AUDIT_UNAVAILABLE
 */
export async function runDetokenize(
  parts: DetokenizeParts,
  identity: Identity,
  address: string,
  request: DetokenizeRequest,
): Promise<Detokenized> {
  const { pipeline } = parts;
  if (!parts.covers(identity, request.resource)) throw new RegateError("TOKEN_WRONG_RESOURCE");
  const resource = parts.resources.get(request.resource);
  if (resource === undefined) throw new RegateError("RESOURCE_UNKNOWN", { detail: JSON.stringify(request.resource) });
  const column = await parts.column(request.resource, request.column);
  if (column === undefined) throw unknown(`${request.column} is no column of ${request.resource}`);
  const session = sessionOf(identity, resource.facts, address);
  const facts = factsOf(column, request.tokens);
  const started = performance.now();
  const verdict = await pipeline.judge(session, { facts, key: () => facts.text });
  if (verdict.kind === "hold") throw refused("the policy asks for an approval, which detokenizing cannot wait for");
  if (verdict.kind === "refuse") {
    const { code, message } = verdict.refusal;
    if (code === "AUDIT_UNAVAILABLE" || code === "TOKEN_EXPIRED" || code === "TOKEN_REVOKED")
      throw new RegateError(code);
    throw refused(`${code}: ${message}`);
  }
  if (verdict.kind === "substitute") throw refused("the policy shows it masked");
  const { permit } = verdict;
  const end = (status: "ok" | "refused" | "error", rows: number): void =>
    pipeline.outcome(session, permit, {
      status,
      rows,
      bytes: 0,
      masked_cells: 0,
      sqlstate: null,
      tag: status === "ok" ? `DETOKENIZE ${rows}` : null,
      duration_us: Math.round((performance.now() - started) * 1000),
    });
  try {
    await new Promise<void>((resolve, reject) =>
      permit.ticket.settled((error) =>
        error === undefined ? resolve() : reject(new RegateError("AUDIT_UNAVAILABLE", { cause: error })),
      ),
    );
    // In mode observe nothing is enforced: that is no right to see values that the database itself does not show.
    if (!permit.enforced) throw refused("policy.mode is observe");
    if (permit.masks.length > 0)
      throw refused(`the policy shows ${request.column} masked to ${identity.subject}, so its tokens stay`);
    const { key: name, tweak } = tokensOf(pipeline.policy.data("masks"), column);
    const key = parts.key(name, request.version);
    if (key === undefined) {
      const version = request.version === undefined ? "" : ` in version ${JSON.stringify(request.version)}`;
      throw new RegateError("MASK_KEY_MISSING", {
        detail: `The key ${name}${version} is not in data_dir/keys/tokenize.`,
      });
    }
    const from = tweak ?? `${column.schema}.${column.table}.${column.column}`;
    const values = request.tokens.map((token) => parts.detokenize(token, key.key, from, { typeOid: column.typeOid }));
    end("ok", values.length);
    return { decision_id: permit.decisionId ?? "", column: request.column, version: key.version, values };
  } catch (error) {
    end(error instanceof RegateError && error.code === "DETOKENIZE_REFUSED" ? "refused" : "error", 0);
    throw error;
  }
}

/** The key and tweak of the column's tokens. Not the caller's to choose: those of another column would turn back what was not decided on. */
function tokensOf(masks: unknown, { tags, schema, table, column }: StoredColumn): { key: string; tweak?: string } {
  const specs = new Map<string, { key: string; tweak?: string }>();
  for (const tag of tags) {
    const spec = (masks as { [tag: string]: { mask?: unknown; key?: unknown; tweak?: unknown } } | undefined)?.[tag];
    if (spec?.mask !== "tokenize" || typeof spec.key !== "string") continue;
    const { key, tweak } = spec;
    specs.set(JSON.stringify([key, tweak]), { key, ...(typeof tweak === "string" ? { tweak } : {}) });
  }
  const [first, second] = specs.values();
  if (first === undefined) throw unknown(`no tag of ${schema}.${table}.${column} has the mask tokenize`);
  if (second !== undefined) throw unknown(`the tags of ${schema}.${table}.${column} have different keys or tweaks`);
  return first;
}

function factsOf(stored: StoredColumn, tokens: readonly string[]): CommandFacts {
  const { schema, table, column, kind, tags, type } = stored;
  const source = { schema, table, column, tags };
  return {
    text: `detokenize ${schema}.${table}.${column}: ${tokens.join(" ")}`,
    normalized: "",
    fingerprint: "",
    message: "detokenize",
    parameters: { count: 0, types: [] },
    statements: [
      {
        verb: "detokenize",
        class: "read",
        relations: [{ schema, name: table, kind, access: ["select"], via: [], tags }],
        columns: [{ ...source, uses: ["output"], operators: [] }],
        outputs: [{ name: column, type, derivation: "direct", total: true, sources: [source] }],
        writes: [],
        functions: [],
        scoped: true,
        limit: null,
        settings: [],
        locks: [],
        external: [],
        estimate: null,
      },
    ],
  };
}

function sessionOf(identity: Identity, resource: Resource, address: string): SessionContext {
  const usage = { commands: 0, rows: 0, bytes: 0, cost: 0 };
  return {
    identity,
    resource,
    usage,
    sequence: 0,
    facts: {
      id: randomUUID(),
      protocol: "http",
      client: { address, application: "regate" },
      tls: false,
      started_at: new Date().toISOString(),
      in_transaction: false,
      usage,
      taint: [],
    },
  };
}

function unknown(detail: string): RegateError {
  return new RegateError("DETOKENIZE_UNKNOWN", { detail });
}

function refused(detail: string): RegateError {
  return new RegateError("DETOKENIZE_REFUSED", { detail });
}
