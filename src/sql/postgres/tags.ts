// The bundle's classification, bound to the names of one catalog.
import { splitName } from "../../core/qualified-name.ts";
import { COMPUTED_TAG, mergeTags, NO_TAGS } from "./model.ts";
import { EXTENSION_SECRETS, isUnknownOfServer, SECRET_COLUMNS, SECRET_TAG } from "./secrets.ts";

const SECRET_ONLY: readonly string[] = Object.freeze([SECRET_TAG]);

/** What the gate masked itself, in a statement that it rewrote: no column of a catalog has it. */
export const MASKED_TAG = "masked";
/** What no classification may say. */
export const RESERVED_TAGS: readonly string[] = Object.freeze([MASKED_TAG, COMPUTED_TAG]);

/** Tags as declared: for a schema, a relation (`*`) or a column, before they flow anywhere. */
export class Declared {
  /** schema → relation or `*` → column or `*` → tags */
  readonly #schemas = new Map<string, Map<string, Map<string, readonly string[]>>>();
  /** Does the classification tag anything (beside the built-in secrets)? */
  readonly any: boolean;
  /** Every tag that it has; none where it tags nothing. */
  readonly all: readonly string[];
  /** Keys or values that are not of the form that docs/facts.md describes. */
  readonly malformed: readonly string[];

  constructor(classification: unknown) {
    const malformed: string[] = [];
    let any = false;
    let all = SECRET_ONLY;
    for (const [relation, columns] of SECRET_COLUMNS) {
      const [schema, name] = relation.split(".") as [string, string];
      for (const column of columns) this.#add(schema, name, column, [SECRET_TAG]);
    }
    if (typeof classification === "object" && classification !== null && !Array.isArray(classification)) {
      for (const [key, tags] of Object.entries(classification)) {
        const parts = splitName(key);
        if (parts === undefined || !isStrings(tags) || tags.some((tag) => RESERVED_TAGS.includes(tag))) {
          malformed.push(key);
          continue;
        }
        if (tags.length === 0) continue;
        any = true;
        all = mergeTags(all, tags);
        this.#add(parts[0]!, parts[1] ?? "*", parts[2] ?? "*", tags);
      }
    } else if (classification !== undefined && classification !== null) malformed.push("(the whole)");
    this.any = any;
    this.all = any ? all : NO_TAGS;
    this.malformed = malformed;
  }

  #add(schema: string, relation: string, column: string, tags: readonly string[]): void {
    const relations = this.#schemas.get(schema) ?? new Map<string, Map<string, readonly string[]>>();
    this.#schemas.set(schema, relations);
    const columns = relations.get(relation) ?? new Map<string, readonly string[]>();
    relations.set(relation, columns);
    columns.set(column, mergeTags(columns.get(column) ?? NO_TAGS, tags));
  }

  /** Does anything below this relation carry a tag of its own? */
  has(schema: string, relation: string): boolean {
    const relations = this.#schemas.get(schema);
    return (
      (relations !== undefined && (relations.has(relation) || relations.has("*"))) ||
      EXTENSION_SECRETS.has(relation) ||
      isUnknownOfServer(schema, relation)
    );
  }

  /** What is said of the very column, not of its table or schema. */
  named(schema: string, relation: string, column: string): readonly string[] {
    return this.#schemas.get(schema)?.get(relation)?.get(column) ?? NO_TAGS;
  }

  of(schema: string, relation: string, column: string): readonly string[] {
    let tags =
      EXTENSION_SECRETS.get(relation)?.includes(column) === true || isUnknownOfServer(schema, relation)
        ? SECRET_ONLY
        : NO_TAGS;
    const relations = this.#schemas.get(schema);
    if (relations === undefined) return tags;
    const columns = relations.get(relation);
    tags = mergeTags(tags, relations.get("*")?.get("*") ?? NO_TAGS);
    if (columns !== undefined) {
      tags = mergeTags(tags, columns.get("*") ?? NO_TAGS);
      tags = mergeTags(tags, columns.get(column) ?? NO_TAGS);
    }
    return tags;
  }
}

function isStrings(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((item) => typeof item === "string");
}
