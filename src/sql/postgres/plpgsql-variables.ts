// Variables of a body in PL/pgSQL, without regard to order: each holds whatever is assigned to it anywhere.
import type { Catalog } from "./catalog.ts";
import type { Column, Relation } from "./model.ts";
import type { Given, Variables } from "./placeholders.ts";
import { isPlaceholder, placeholder } from "./placeholders.ts";
import { fieldOf } from "./scope.ts";
import type { Member, Value } from "./value.ts";
import { combine, derived, eitherOf, union } from "./value.ts";

/** A variable, a record, or one of its fields. */
export class Variable {
  readonly name: string;
  /** The OID of its type; 0 where it is not known, or differs. */
  type: number;
  #modifiers: readonly (number | undefined)[] = [];
  /** All of it. */
  readonly whole: Column;
  /** What is assigned to it as a whole, without known fields. */
  readonly rest: Column;
  readonly fields = new Map<string, Column>();
  /** It takes rows of any shape. */
  isRecord = false;
  /** It refuses NULL. */
  notNull = false;
  readonly shape: Relation | undefined;

  constructor(catalog: Catalog, name: string, type: number) {
    this.name = name;
    this.type = type;
    this.whole = placeholder(name, type);
    this.rest = placeholder(`${name} (as a whole)`, type);
    this.shape = type === 0 ? undefined : catalog.relationByRowType(type);
    for (const row of this.shape?.rows() ?? []) this.fields.set(row.name, placeholder(`${name}.${row.name}`, row.type));
  }

  /** The length or precision of its type; -1: none. Undefined: not known, or several. */
  get modifier(): number | undefined {
    return this.#modifiers.length > 1 ? undefined : this.#modifiers.length === 0 ? -1 : this.#modifiers[0];
  }

  hasModifier(modifier: number | undefined): void {
    if (!this.#modifiers.includes(modifier)) this.#modifiers = [...this.#modifiers, modifier];
  }

  field(name: string): Value {
    let field = this.fields.get(name);
    if (field === undefined) {
      field = placeholder(`${this.name}.${name}`, 0);
      this.fields.set(name, field);
    }
    return derived(field.value, field.type, true);
  }

  get value(): Value {
    const value = derived(this.whole.value, this.type, true);
    if (this.shape === undefined) return value;
    const row = this.shape.rows().map((column): Member => ({ name: column.name, value: this.field(column.name) }));
    return { ...value, sources: [this.whole, ...row.flatMap((member) => member.value.sources)], row };
  }
}

/** Into which fields a row goes: a record takes its names, another row its places. Undefined: that is not known. */
function fieldsFor(to: Variable, row: readonly Member[] | undefined): readonly string[] | undefined {
  if (row === undefined) return undefined;
  if (to.shape === undefined) return to.isRecord ? row.map((member) => member.name) : undefined;
  const fields = to.shape.rows();
  return fields.length === row.length ? fields.map((field) => field.name) : undefined;
}

/** The variables of one body, what is assigned to them, and the names by which its statements know them. */
export class Store implements Variables {
  readonly mayWin = true;
  readonly #catalog: Catalog;
  readonly #byName = new Map<string, Variable>();
  /** Names that stand before a variable's: of the function and of blocks. */
  readonly #labels = new Set<string>();
  readonly #parameters: (Variable | undefined)[] = [];
  readonly #tables = new Map<string, Variable>();
  readonly #assigned = new Map<Column, Value[]>();
  /** What decides which statements run, and how often. */
  readonly control = placeholder("(control)", 0);
  /** All that the body meets: messages of errors, counts of rows. */
  readonly everything = placeholder("(everything)", 0);

  constructor(catalog: Catalog) {
    this.#catalog = catalog;
  }

  has(name: string): boolean {
    return this.#byName.has(name);
  }

  /** Those of one name in different blocks are one. Without a type: as it is. */
  declare(name: string, type?: number): Variable {
    let variable = this.#byName.get(name);
    if (variable === undefined) {
      variable = new Variable(this.#catalog, name, type ?? 0);
      this.#byName.set(name, variable);
    } else if (type !== undefined && variable.type !== type) variable.type = 0;
    return variable;
  }

  alias(name: string, variable: Variable): void {
    const other = this.#byName.get(name);
    if (other === undefined) this.#byName.set(name, variable);
    else if (other !== variable) {
      this.assign(other, variable.value);
      this.assign(variable, other.value);
    }
  }

  /** A transition table: every row of it is NEW, or OLD. */
  transition(name: string, rows: Variable): void {
    this.#tables.set(name, rows);
  }

  table(name: string): readonly Member[] | undefined {
    return this.#tables.get(name)?.value.row;
  }

  label(name: string): void {
    this.#labels.add(name);
  }

  parameter(number: number, variable: Variable): void {
    this.#parameters[number] = variable;
  }

  /** A value, and whether it is assigned, depend on what has decided that. */
  assign(to: Variable, value: Value, field?: string): void {
    const decided = combine([value, derived(this.control.value, 0, true)], 0, false);
    if (field !== undefined) this.add(to.field(field).sources[0]!, decided);
    else {
      const names = fieldsFor(to, value.row);
      if (names === undefined) this.add(to.rest, decided);
      value.row?.forEach((member, at) => {
        if (names === undefined) return;
        const part = combine([member.value, derived(this.control.value, 0, true)], 0, false);
        this.add(to.field(names[at]!).sources[0]!, part);
      });
    }
  }

  add(to: Column, value: Value): void {
    const values = this.#assigned.get(to);
    if (values === undefined) this.#assigned.set(to, [value]);
    else values.push(value);
  }

  numbered(number: number): Value | undefined {
    return this.#parameters[number]?.value;
  }

  named(names: readonly string[]): Value | undefined {
    const found: Value[] = [];
    const [first = "", second = "", third = ""] = names;
    const own = this.#byName.get(first);
    const labelled = this.#labels.has(first) ? this.#byName.get(second) : undefined;
    if (names.length === 1 && own !== undefined) found.push(own.value);
    if (names.length === 2 && own !== undefined) found.push(own.field(second));
    if (names.length === 2 && labelled !== undefined) found.push(labelled.value);
    if (names.length === 3 && own !== undefined) found.push(fieldOf(own.field(second), third));
    if (names.length === 3 && labelled !== undefined) found.push(labelled.field(third));
    return found.length === 0 ? undefined : found.reduce(eitherOf);
  }

  /** What every placeholder of a variable stands for in the end: columns, and placeholders of parameters. */
  solved(): Given {
    for (const variable of new Set(this.#byName.values())) {
      const rest = derived(variable.rest.value, 0, true);
      this.add(variable.whole, rest);
      for (const field of variable.fields.values()) {
        this.add(variable.whole, derived(field.value, 0, true));
        this.add(field, rest);
      }
      this.#own.add(variable.whole).add(variable.rest);
      for (const field of variable.fields.values()) this.#own.add(field);
    }
    this.#own.add(this.control).add(this.everything);
    const given: Given = new Map();
    for (const column of this.#own) given.set(column, this.#closure(column));
    return given;
  }

  readonly #own = new Set<Column>();

  #closure(start: Column): Value {
    const seen = new Set<Column>([start]);
    const left = [start];
    let sources: readonly Column[] = [];
    let opaque = false;
    while (left.length > 0) {
      for (const value of this.#assigned.get(left.pop()!) ?? []) {
        if (value.derivation === "opaque") opaque = true;
        const final: Column[] = [];
        for (const column of value.sources) {
          if (!isPlaceholder(column) || !this.#own.has(column)) final.push(column);
          else if (!seen.has(column)) {
            seen.add(column);
            left.push(column);
          }
        }
        sources = union(sources, final);
      }
    }
    return { sources, derivation: opaque ? "opaque" : "expression", total: false, type: 0 };
  }
}
