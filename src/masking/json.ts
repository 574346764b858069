// json: masks at paths inside json and jsonb; every other byte of the document stays as it is.
import { shapeOf } from "./column.ts";
import { type Hit, JsonScan, type Path, readPath } from "./json-path.ts";
import type { Mask, MaskKind, MaskRequest } from "./mask.ts";
import { redaction } from "./redact.ts";
import { Growing } from "./scratch.ts";

type Entry = MaskRequest & { readonly path: string };

const JSON_TYPE = 114;

/** `inner`: the masks that a path may be given, by name. */
export function jsonMask(
  inner: ReadonlyMap<string, MaskKind>,
  check: (request: MaskRequest) => string | undefined,
): MaskKind {
  return {
    parameters: ["paths"],
    check: ({ paths }) => {
      if (!Array.isArray(paths) || paths.length === 0)
        return 'paths: expected a list as [{"path": "$.contact.email", "mask": "email"}]';
      for (const [i, entry] of paths.entries()) {
        if (typeof entry !== "object" || entry === null || typeof (entry as Entry).path !== "string")
          return `paths[${i}]: expected an object with a path and a mask`;
        const { path, ...request } = entry as Entry;
        if (readPath(path) === undefined)
          return `paths[${i}]: ${JSON.stringify(path)} is no path; expected one as $.items[*].email, $['a b'] or $..email`;
        if (typeof request.mask !== "string" || !inner.has(request.mask))
          return `paths[${i}]: mask: expected one of ${[...inner.keys()].join(", ")}`;
        const member = ["statement", "output", "code"].find((name) => Object.hasOwn(request, name));
        if (member !== undefined) return `paths[${i}]: unknown parameter ${member}`;
        const defect = check(request as MaskRequest);
        if (defect !== undefined) return `paths[${i}]: ${defect}`;
      }
      return undefined;
    },
    keys: ({ paths }) => (paths as readonly Entry[]).flatMap((entry) => inner.get(entry.mask)?.keys?.(entry) ?? []),
    plan: ({ paths }, column, options) => {
      const hidden = redaction(column);
      const shape = shapeOf(column);
      const masks: Mask[] = [];
      for (const { path: _, ...request } of paths as readonly Entry[]) {
        // What a path hits is a JSON document of its own.
        const { name } = column;
        const mask = inner
          .get(request.mask)!
          .plan(
            request as MaskRequest,
            { typeOid: JSON_TYPE, format: 0, ...(name === undefined ? {} : { name }) },
            options,
          );
        masks.push(mask);
      }
      if (shape?.kind !== "json") return hidden;
      return documents(
        (paths as readonly Entry[]).map(({ path }) => readPath(path)!),
        masks,
        shape.version,
        hidden.constant ?? null,
      );
    },
  };
}

const NULL = Buffer.from("null", "latin1");

/** `hidden` takes the place of what is no JSON. */
function documents(paths: readonly Path[], masks: readonly Mask[], version: boolean, hidden: Buffer | null): Mask {
  const scan = new JsonScan(paths);
  const written = new Growing();
  const replace = (source: Buffer, { path, start, end }: Hit): Buffer => masks[path]!(source, start, end) ?? NULL;
  return (source, start, end) => {
    if (version && source[start] !== 1) return hidden;
    const hits = scan.hits(source, version ? start + 1 : start, end);
    if (hits === undefined) return hidden;
    if (hits.length === 0) return source.subarray(start, end);
    written.length = 0;
    let copied = start;
    for (const hit of hits) {
      written.copy(source, copied, hit.start);
      const cell = replace(source, hit);
      written.copy(cell, 0, cell.length);
      copied = hit.end;
    }
    written.copy(source, copied, end);
    return written.bytes;
  };
}
