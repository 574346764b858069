// Finds the values at some paths of a JSON document by its bytes, without building the document.

/** A member's name, an index from 0, any member or element ("*"), or the values at any depth from here on ("**"). */
type Step = { readonly name: string } | { readonly index: number } | "*" | "**";
export type Path = readonly Step[];

/** One value: which path found it, and where it stands. */
export type Hit = { readonly path: number; readonly start: number; readonly end: number };

const step =
  /^(?:\.(?<name>[\p{L}_][\p{L}\p{N}_-]*)|(?<any>\.\*|\[\*\])|\[(?<index>\d{1,9})\]|\[(?<quoted>"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*')\]|(?<deep>\.)(?=\.))/u;

/** Reads a path as RFC 9535 writes it: $.a.b, $.items[*].email, $['a b'], $[0], $..email. Undefined for what is none; $ alone is all of it. */
export function readPath(text: string): Path | undefined {
  if (!text.startsWith("$") || text.length > 1000) return undefined;
  const path: Step[] = [];
  let rest = text.slice(1);
  while (rest !== "") {
    const match = step.exec(rest);
    if (match === null) return undefined;
    const { name, any, index, quoted, deep } = match.groups!;
    if (deep !== undefined) {
      path.push("**");
      // Of $..[*] both points are the descent; of $..email the second one belongs to the name.
      rest = /^\.\.\[/.test(rest) ? rest.slice(2) : rest.slice(1);
      if (rest.startsWith("..")) return undefined;
      continue;
    }
    if (name !== undefined) path.push({ name });
    else if (any !== undefined) path.push("*");
    else if (index !== undefined) path.push({ index: Number(index) });
    else {
      const given = unquoted(quoted!);
      if (given === undefined) return undefined;
      path.push({ name: given });
    }
    rest = rest.slice(match[0].length);
  }
  return path.at(-1) === "**" ? undefined : path;
}

function unquoted(text: string): string | undefined {
  const inner = text.slice(1, -1);
  try {
    return text[0] === '"'
      ? (JSON.parse(text) as string)
      : (JSON.parse(`"${inner.replaceAll("\\'", "'").replaceAll('"', '\\"')}"`) as string);
  } catch {
    return undefined;
  }
}

/** Deeper documents are not searched. */
const MOST_DEPTH = 512;

/** How far each path has come at one place: pairs of path and step. */
type State = readonly (readonly [path: number, at: number])[];

class Malformed extends Error {}

export class JsonScan {
  readonly #paths: readonly Path[];
  #source: Buffer = Buffer.alloc(0);
  #at = 0;
  #end = 0;
  #hits: Hit[] = [];

  constructor(paths: readonly Path[]) {
    this.#paths = paths;
  }

  /**
   * The values at the paths, in the document's order, none within another; of two paths to one value the first counts. Of a name that stands
   * twice in one object both. Undefined for what is no JSON (RFC 8259) or nested too deeply.
   */
  hits(source: Buffer, start: number, end: number): readonly Hit[] | undefined {
    this.#source = source;
    this.#at = start;
    this.#end = end;
    this.#hits = [];
    try {
      this.#space();
      this.#value(this.#entered(this.#paths.map((_, path) => [path, 0] as const)), 0);
      this.#space();
      return this.#at === end ? this.#hits : undefined;
    } catch (error) {
      if (error instanceof Malformed) return undefined;
      throw error;
    }
  }

  /** A descent may also find nothing to descend through: its next step counts from here, too. */
  #entered(state: State): State {
    if (!state.some(([path, at]) => this.#paths[path]![at] === "**")) return state;
    return state.flatMap(([path, at]) =>
      this.#paths[path]![at] === "**"
        ? ([
            [path, at],
            [path, at + 1],
          ] as const)
        : ([[path, at]] as const),
    );
  }

  #below(state: State, name: string | undefined, index: number): State {
    if (state.length === 0) return state;
    const next: (readonly [number, number])[] = [];
    for (const [path, at] of state) {
      const wanted = this.#paths[path]![at];
      if (wanted === undefined) continue;
      if (wanted === "**") next.push([path, at]);
      else if (
        wanted === "*" ||
        ("name" in wanted ? wanted.name === name : name === undefined && wanted.index === index)
      )
        next.push([path, at + 1]);
    }
    return this.#entered(next);
  }

  #value(state: State, depth: number): void {
    if (depth > MOST_DEPTH) throw new Malformed();
    let found = -1;
    for (const [path, at] of state) if (at === this.#paths[path]!.length && (found < 0 || path < found)) found = path;
    const start = this.#at;
    // Within what is replaced nothing more is looked for.
    const inside = found < 0 ? state : [];
    switch (this.#source[start]) {
      case 0x7b:
        this.#object(inside, depth);
        break;
      case 0x5b:
        this.#array(inside, depth);
        break;
      case 0x22:
        this.#string();
        break;
      case 0x74:
        this.#word("true");
        break;
      case 0x66:
        this.#word("false");
        break;
      case 0x6e:
        this.#word("null");
        // As of SQL NULL, that a value is missing is not hidden.
        return;
      default:
        this.#number();
    }
    if (found >= 0) this.#hits.push({ path: found, start, end: this.#at });
  }

  #object(state: State, depth: number): void {
    this.#at++;
    this.#space();
    if (this.#take(0x7d)) return;
    do {
      this.#space();
      const from = this.#at;
      if (this.#source[from] !== 0x22) throw new Malformed();
      const escaped = this.#string();
      const name = state.length === 0 ? "" : this.#name(from, escaped);
      this.#space();
      if (!this.#take(0x3a)) throw new Malformed();
      this.#space();
      this.#value(this.#below(state, name, -1), depth + 1);
      this.#space();
    } while (this.#take(0x2c));
    if (!this.#take(0x7d)) throw new Malformed();
  }

  #array(state: State, depth: number): void {
    this.#at++;
    this.#space();
    if (this.#take(0x5d)) return;
    let index = 0;
    do {
      this.#space();
      this.#value(this.#below(state, undefined, index++), depth + 1);
      this.#space();
    } while (this.#take(0x2c));
    if (!this.#take(0x5d)) throw new Malformed();
  }

  #name(from: number, escaped: boolean): string {
    const text = this.#source.toString("utf8", escaped ? from : from + 1, escaped ? this.#at : this.#at - 1);
    return escaped ? (JSON.parse(text) as string) : text;
  }

  /** Reads a string; true if there is an escape in it. */
  #string(): boolean {
    let escaped = false;
    for (let at = this.#at + 1; at < this.#end; at++) {
      const byte = this.#source[at]!;
      if (byte === 0x22) {
        this.#at = at + 1;
        return escaped;
      }
      if (byte < 0x20) throw new Malformed();
      if (byte !== 0x5c) continue;
      escaped = true;
      const next = this.#source[++at]!;
      if (next === 0x75) {
        if (!/^[0-9a-fA-F]{4}$/.test(this.#source.toString("latin1", at + 1, Math.min(at + 5, this.#end))))
          throw new Malformed();
        at += 4;
      } else if (!'"\\/bfnrt'.includes(String.fromCharCode(next))) throw new Malformed();
    }
    throw new Malformed();
  }

  #number(): void {
    const from = this.#at;
    let at = from;
    while (
      at < this.#end &&
      (this.#source[at]! >= 0x30 || this.#source[at] === 0x2d || this.#source[at] === 0x2b || this.#source[at] === 0x2e)
    ) {
      const byte = this.#source[at]!;
      if (byte > 0x39 && byte !== 0x65 && byte !== 0x45) break;
      at++;
    }
    if (!/^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(this.#source.toString("latin1", from, at)))
      throw new Malformed();
    this.#at = at;
  }

  #word(word: string): void {
    if (this.#source.toString("latin1", this.#at, Math.min(this.#at + word.length, this.#end)) !== word)
      throw new Malformed();
    this.#at += word.length;
  }

  #take(byte: number): boolean {
    if (this.#at >= this.#end || this.#source[this.#at] !== byte) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (this.#at < this.#end) {
      const byte = this.#source[this.#at]!;
      if (byte !== 0x20 && byte !== 0x0a && byte !== 0x0d && byte !== 0x09) return;
      this.#at++;
    }
  }
}
