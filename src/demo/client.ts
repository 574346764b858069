// A small terminal client for the demo, for machines without psql: runs a statement and prints what came back as psql would.
import { decodeCommandTag, decodeDataRow, decodeError, decodeRowDescription } from "../protocols/postgres/decode.ts";
import { encodeQuery, encodeTerminate, type ErrorFields } from "../protocols/postgres/encode.ts";
import { MessageBuffer, serverLimits } from "../protocols/postgres/frame.ts";
import { connectUpstream, parseTarget } from "../protocols/postgres/upstream.ts";

/** Connects to `url`, runs `sql`, prints results, notices and errors as they come. @throws RegateError UPSTREAM_* */
export async function runStatement(url: string, sql: string, print: (text: string) => void): Promise<void> {
  const { socket } = await connectUpstream(parseTarget(url), {
    parameters: new Map([["application_name", "regate demo"]]),
  });
  const input = new MessageBuffer(serverLimits());
  let columns: string[] = [];
  let rows: (string | null)[][] = [];
  await new Promise<void>((resolve) => {
    socket.on("close", () => resolve());
    socket.on("data", (chunk: Buffer) => {
      input.push(chunk);
      for (let message = input.next(); message !== undefined; message = input.next()) {
        switch (String.fromCharCode(message.type)) {
          case "T":
            columns = decodeRowDescription(message.body).map(({ name }) => name);
            rows = [];
            break;
          case "D":
            rows.push(decodeDataRow(message.body));
            break;
          case "C": {
            const tag = decodeCommandTag(message.body);
            print(columns.length > 0 ? table(columns, rows) : `${tag}\n`);
            columns = [];
            break;
          }
          case "N":
          case "E":
            print(spoken(decodeError(message.body)));
            break;
          case "Z":
            socket.end(encodeTerminate());
        }
      }
    });
    socket.write(encodeQuery(sql));
    socket.resume();
  });
}

function spoken(fields: ErrorFields): string {
  const line = (label: string, text: string | undefined): string => (text === undefined ? "" : `${label}:  ${text}\n`);
  return line(fields.S ?? "ERROR", fields.M) + line("DETAIL", fields.D) + line("HINT", fields.H);
}

/** psql's aligned format. */
export function table(columns: readonly string[], rows: readonly (readonly (string | null)[])[]): string {
  const widths = columns.map((name, i) => Math.max(name.length, ...rows.map((row) => row[i]?.length ?? 0)));
  const numeric = columns.map((_, i) => rows.every((row) => row[i] == null || /^-?\d+(\.\d+)?$/.test(row[i])));
  const last = columns.length - 1;
  const cell = (value: string, i: number): string =>
    numeric[i] === true ? value.padStart(widths[i]!) : i === last ? value : value.padEnd(widths[i]!);
  const centred = (name: string, i: number): string =>
    name.padStart(Math.floor((widths[i]! + name.length) / 2)).padEnd(widths[i]!);
  const lines = [
    ` ${columns.map(centred).join(" | ")} `,
    widths.map((width) => "-".repeat(width + 2)).join("+"),
    ...rows.map((row) => ` ${row.map((value, i) => cell(value ?? "", i)).join(" | ")}`),
    `(${rows.length} row${rows.length === 1 ? "" : "s"})`,
  ];
  return `${lines.join("\n")}\n`;
}
