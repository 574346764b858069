// The rows of a catalog by their owners, as they were read: what has not changed is shared with the store that came before.
import { createHash, hash } from "node:crypto";
import { CATALOG_QUERIES, type CatalogPart, type Owner, type PartName } from "./catalog-rows.ts";

export type Row = readonly (string | null)[];
export type Rows = { readonly [Name in PartName]: readonly Row[] };
/** The rows of one owner in one part. */
export type Unit = { readonly rows: readonly Row[]; readonly digest: string };
type Part = ReadonlyMap<number, Unit>;

export const PART_NAMES = Object.keys(CATALOG_QUERIES) as readonly PartName[];

/** Gathers rows, in the order of the server's, into units. Equal texts become one string. */
export class Gatherer {
  readonly units = new Map<number, Unit>();
  readonly #texts: Map<string, string>;
  readonly #owned: boolean;
  #owner: number | undefined;
  #rows: Row[] = [];

  constructor(of: Owner, texts: Map<string, string>) {
    this.#owned = of !== "database";
    this.#texts = texts;
  }

  add(row: Row): void {
    const owner = this.#owned ? Number(row[0]) : 0;
    if (owner !== this.#owner) {
      this.end();
      this.#owner = owner;
      this.#rows = [...(this.units.get(owner)?.rows ?? [])];
    }
    this.#rows.push(row.map((text) => this.#shared(text)));
  }

  end(): this {
    if (this.#owner !== undefined) this.units.set(this.#owner, { rows: this.#rows, digest: digestOf(this.#rows) });
    this.#owner = undefined;
    return this;
  }

  #shared(text: string | null): string | null {
    if (text === null || text.length > LONGEST_SHARED) return text;
    const known = this.#texts.get(text);
    if (known !== undefined) return known;
    this.#texts.set(text, text);
    return text;
  }
}
/** Longer texts are hardly ever equal, but for the columns of partitions. */
const LONGEST_SHARED = 4096;

/** Each value with its length: no two lists of rows give the same text. */
function digestOf(rows: readonly Row[]): string {
  let text = "";
  for (const row of rows) {
    for (const value of row) text += value === null ? "-" : `${value.length}:${value}`;
    text += ";";
  }
  return hash("sha256", text, "base64url");
}

export class CatalogStore {
  /** server_version_num: 180004. */
  readonly serverVersion: number;
  readonly #parts: { readonly [Name in PartName]: Part };
  #digest: string | undefined;

  constructor(serverVersion: number, parts: { readonly [Name in PartName]: Part }) {
    this.serverVersion = serverVersion;
    this.#parts = parts;
  }

  /** Of all rows: equal for equal content, however it was read. */
  get digest(): string {
    if (this.#digest === undefined) {
      const sum = createHash("sha256").update(String(this.serverVersion));
      for (const name of PART_NAMES) {
        const part = this.#parts[name];
        sum.update(`\n${name} ${part.size}`);
        for (const owner of sorted(part)) sum.update(`${owner} ${part.get(owner)!.digest}`);
      }
      this.#digest = sum.digest("base64url");
    }
    return this.#digest;
  }

  /** All rows of a part, by the OIDs of their owners. */
  *rows(name: PartName): Generator<Row> {
    const part = this.#parts[name];
    for (const owner of sorted(part)) yield* part.get(owner)!.rows;
  }

  /** The rows of one owner. */
  of(name: PartName, owner: number): readonly Row[] {
    return this.#parts[name].get(owner)?.rows ?? NO_ROWS;
  }

  /** Owners whose text was locked away when they were read. */
  *lockedAway(name: PartName): Generator<number> {
    for (const [owner, { rows }] of this.#parts[name]) if (rows.some((row) => row.includes(""))) yield owner;
  }

  /** Was anything locked away? */
  get incomplete(): boolean {
    return PART_NAMES.some((name) => {
      const part: CatalogPart = CATALOG_QUERIES[name];
      return part.locked !== undefined && !this.lockedAway(name).next().done;
    });
  }

  owners(name: PartName): Iterable<number> {
    return this.#parts[name].keys();
  }

  size(name: PartName): number {
    return this.#parts[name].size;
  }

  /** With what was read anew in the place of what these owners had. Itself if it is all the same. */
  with(changes: readonly Change[]): CatalogStore {
    const parts: { [Name in PartName]: Part } = { ...this.#parts };
    let changed = false;
    for (const { name, owners, units } of changes) {
      const before = this.#parts[name];
      let after: Map<number, Unit> | undefined;
      for (const owner of owners) {
        const unit = units.get(owner);
        if (unit?.digest === before.get(owner)?.digest) continue;
        after ??= new Map(before);
        if (unit === undefined) after.delete(owner);
        else after.set(owner, unit);
      }
      if (after === undefined) continue;
      parts[name] = after;
      changed = true;
    }
    return changed ? new CatalogStore(this.serverVersion, parts) : this;
  }
}

/** The columns in a row of `relations`: attribute number, name, OID of the type. */
export function columnsOf(row: Row): readonly (readonly [number, string, number])[] {
  return JSON.parse(row[6]!) as [number, string, number][];
}

/** A list of numbers, as several queries give it in one column. */
export function numbersOf(list: string): number[] {
  return list === "" ? [] : list.split(" ").map(Number);
}

export type Change = {
  readonly name: PartName;
  readonly owners: Iterable<number>;
  readonly units: ReadonlyMap<number, Unit>;
};

function sorted(part: Part): number[] {
  return [...part.keys()].sort((left, right) => left - right);
}
const NO_ROWS: readonly Row[] = [];
