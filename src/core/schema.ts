// A schema that is three things at once: a TypeScript type, a run-time check, and a JSON Schema.

/** `check` returns the place and reason of the first defect, or undefined. `json` is a JSON Schema (draft-07 subset that OPA reads). */
export interface Schema<T> {
  readonly json: JsonSchema;
  check(value: unknown, path: string): string | undefined;
  /** Never set: carries the type. */
  readonly _type?: T;
}
export type JsonSchema = { readonly [key: string]: unknown };
export type Infer<S> = S extends Schema<infer T> ? T : never;

type Shape = { readonly [key: string]: Schema<unknown> };
type OptionalKeys<S extends Shape> = { [K in keyof S]: S[K] extends Optional<unknown> ? K : never }[keyof S];
type ObjectOf<S extends Shape> = { [K in Exclude<keyof S, OptionalKeys<S>>]: Infer<S[K]> } & {
  [K in OptionalKeys<S>]?: Infer<S[K]>;
};
export interface Optional<T> extends Schema<T> {
  readonly optional: true;
}

const primitive = <T>(type: string): Schema<T> => ({
  json: { type },
  check: (value, path) => {
    if (type === "integer") return Number.isSafeInteger(value) ? undefined : `${path}: expected an integer`;
    // the type is one of string, number, boolean
    return typeof value === type ? undefined : `${path}: expected ${type}`;
  },
});

export const string: Schema<string> = primitive("string");
export const boolean: Schema<boolean> = primitive("boolean");
export const number: Schema<number> = primitive("number");
export const integer: Schema<number> = primitive("integer");
export const anything: Schema<unknown> = { json: {}, check: () => undefined };

export const nullable = <T>(inner: Schema<T>): Schema<T | null> => ({
  json: { anyOf: [inner.json, { type: "null" }] },
  check: (value, path) => (value === null ? undefined : inner.check(value, path)),
});

export const oneOf = <const V extends readonly string[]>(...values: V): Schema<V[number]> => ({
  json: { type: "string", enum: values },
  check: (value, path) =>
    values.includes(value as string) ? undefined : `${path}: expected one of ${values.join(", ")}`,
});

export const array = <T>(inner: Schema<T>): Schema<readonly T[]> => ({
  json: { type: "array", items: inner.json },
  check: (value, path) => {
    if (!Array.isArray(value)) return `${path}: expected an array`;
    for (let i = 0; i < value.length; i++) {
      const defect = inner.check(value[i], `${path}[${i}]`);
      if (defect !== undefined) return defect;
    }
    return undefined;
  },
});

export const record = <T>(inner: Schema<T>): Schema<{ readonly [key: string]: T }> => ({
  json: { type: "object", additionalProperties: inner.json },
  check: (value, path) => {
    if (!isObject(value)) return `${path}: expected an object`;
    for (const [key, item] of Object.entries(value)) {
      const defect = inner.check(item, `${path}.${key}`);
      if (defect !== undefined) return defect;
    }
    return undefined;
  },
});

export const optional = <T>(inner: Schema<T>): Optional<T> => ({ ...inner, optional: true });

/** An object with exactly these members (`open` lets others pass, as masks' parameters need). */
export const object = <const S extends Shape>(shape: S, options: { open?: boolean } = {}): Schema<ObjectOf<S>> => {
  const keys = Object.keys(shape);
  const isOptional = (key: string): boolean => (shape[key] as Optional<unknown>).optional === true;
  return {
    json: {
      type: "object",
      properties: Object.fromEntries(keys.map((key) => [key, shape[key]!.json])),
      required: keys.filter((key) => !isOptional(key)),
      additionalProperties: options.open === true,
    },
    check: (value, path) => {
      if (!isObject(value)) return `${path}: expected an object`;
      for (const key of keys) {
        const item = value[key];
        if (item === undefined) {
          if (!isOptional(key)) return `${path}.${key}: missing`;
          continue;
        }
        const defect = shape[key]!.check(item, `${path}.${key}`);
        if (defect !== undefined) return defect;
      }
      if (options.open !== true) {
        for (const key of Object.keys(value)) if (!(key in shape)) return `${path}.${key}: unknown member`;
      }
      return undefined;
    },
  };
};

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
