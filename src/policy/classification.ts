// data.classification of a bundle, held against its form: what cannot be bound to a column would silently protect nothing.
import { splitName } from "../core/qualified-name.ts";
import { isObject } from "./bundle.ts";
import { RESERVED } from "./masks.ts";

/** Each defect with its place. */
export function classificationDefects(classification: unknown): { place: string; message: string }[] {
  if (classification === undefined) return [];
  const defects: { place: string; message: string }[] = [];
  const found = (place: string, message: string): void => {
    defects.push({ place: `data.classification${place}`, message });
  };
  if (!isObject(classification)) {
    found("", "expected an object: resource to names");
    return defects;
  }
  for (const [resource, names] of Object.entries(classification)) {
    if (!isObject(names)) {
      found(`.${resource}`, 'expected an object, as {"public.customers.email": ["pii"]}');
      continue;
    }
    for (const [name, tags] of Object.entries(names)) {
      const message = nameDefect(name) ?? tagsDefect(tags);
      if (message !== undefined) found(`.${resource}[${JSON.stringify(name)}]`, message);
    }
  }
  return defects;
}

function nameDefect(name: string): string | undefined {
  if (splitName(name) === undefined)
    return 'expected "schema", "schema.table" or "schema.table.column"; a part that holds a dot is quoted as in SQL';
  // Outside of quotation marks these are slips of the pen.
  return /[\s,;:/]/.test(name.replaceAll(/"(?:[^"]|"")*"/g, ""))
    ? "a name has a dot between its parts; a part that holds a blank or such a mark is quoted as in SQL"
    : undefined;
}

function tagsDefect(tags: unknown): string | undefined {
  if (!Array.isArray(tags) || tags.some((tag) => typeof tag !== "string")) return 'expected a list of tags, as ["pii"]';
  const own = tags.find((tag) => RESERVED.has(tag));
  return own === undefined ? undefined : `the tag ${own} is the gate's own`;
}
