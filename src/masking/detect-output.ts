// The mask detect over whatever a result holds: which types are searched, and those that hold texts in a form of their own.
import { elementOf } from "./arrays.ts";
import { planMask } from "./index.ts";
import type { Mask, MaskedColumn, MaskOptions, MaskRequest } from "./mask.ts";

/** Types of which each value is a text, or a document of texts. */
const texts = new Set([25, 1043, 1042, 19, 114, 3802, 142]);
/** Built-in types that hold texts in a form of their own: cstring, unknown, refcursor, tsvector, tsquery, jsonpath, record, and their arrays. */
const forms = new Set([2275, 705, 1790, 3614, 3615, 4072, 2249, 1263, 2201, 3643, 3645, 4073, 2287]);
/** From here on types are made by users: composites, enums, those of extensions (citext, hstore), and their arrays. */
const FIRST_OF_USERS = 16_384;

/**
 * Searches a column of any type: undefined for types that hold no texts, whose cells pass. `parameters`: those of the mask `detect`.
 * @throws RegateError MASK_IMPOSSIBLE
 */
export function planDetect(
  parameters: { readonly [parameter: string]: unknown },
  column: MaskedColumn,
  options: MaskOptions,
): Mask | undefined {
  const request: MaskRequest = { ...parameters, mask: "detect" };
  if (texts.has(elementOf(column)?.typeOid ?? column.typeOid)) return planMask(request, column, options);
  if (!forms.has(column.typeOid) && column.typeOid < FIRST_OF_USERS) return undefined;
  return formMask(request, column.format, options);
}

/**
 * What has a form of its own is searched in the bytes as they are, and in binary format also field by field. Only a text would stay valid with something else in its place, and
 * whether it would is not known: a cell in which something is found becomes NULL.
 */
function formMask({ detectors }: MaskRequest, format: number, options: MaskOptions): Mask {
  const search = planMask(
    { mask: "detect", ...(detectors === undefined ? {} : { detectors }) },
    { typeOid: 25, format: 0 },
    options,
  );
  const isClean = (source: Buffer, start: number, end: number): boolean => {
    const found = search(source, start, end);
    return found !== null && isSame(found, source, start, end);
  };
  return (source, start, end) => {
    if (!isClean(source, start, end)) return null;
    if (format !== 0 && !fieldsOf(source, start, end).every(([from, to]) => isClean(source, from, to))) return null;
    return source.subarray(start, end);
  };
}

/**
 * Where texts may stand in the binary form of rows, arrays, ranges and their like, however they are nested: behind four bytes that are their length.
 * One of these may look like the text's first character (52 is "4"). No text holds a zero byte, and a length that is not too long to be searched begins with
 * one, so a text begins at one of the first four bytes behind a zero byte.
 */
function fieldsOf(source: Buffer, start: number, end: number): readonly (readonly [number, number])[] {
  const fields: [number, number][] = [];
  for (let zero = source.indexOf(0, start); zero >= 0 && zero < end; ) {
    const next = source.indexOf(0, zero + 1);
    const stop = next < 0 || next > end ? end : next;
    for (let text = Math.max(zero + 1, start + 4); text <= zero + 4 && text < stop; text++) {
      const length = source.readInt32BE(text - 4);
      if (length > 0 && text + length <= stop) fields.push([text, text + length]);
    }
    zero = stop;
  }
  return fields;
}

/** A mask that changes nothing gives the cell itself. */
export function isSame(cell: Buffer, source: Buffer, start: number, end: number): boolean {
  return cell.length === end - start && cell.buffer === source.buffer && cell.byteOffset === source.byteOffset + start;
}
