// Names that messages of the protocol give and take count before the server has answered, and only if it agrees.
import assert from "node:assert/strict";
import { after, before, beforeEach, describe, it } from "node:test";
import type { Input } from "../../../src/core/facts.ts";
import { allow, startTestGate, type TestGate } from "./gate.ts";
import { cells, errorOf, extended as x, frame, type Reply, WireClient } from "./wire-client.ts";

let gate: TestGate;
let client: WireClient;
const open = "SELECT 'open'::text AS upper";
const secret = "SELECT upper(v) FROM secrets";
const closePortal = (name: string): Buffer => frame("C", `P${name}\0`);

/** Masks what depends on a protected column, or is not known. */
function decide(input: Input) {
  const masks = (input.command?.statements ?? []).flatMap(({ outputs, verb }, statement) =>
    outputs.flatMap(({ sources, derivation }, output) =>
      verb !== "declare" && (derivation === "opaque" || sources.some(({ tags }) => tags.length > 0))
        ? [{ statement, output, mask: "redact", code: "m" }]
        : [],
    ),
  );
  return (masks.length === 0 ? allow() : { action: "mask", masks }) as never;
}

before(async () => {
  gate = await startTestGate("CREATE TABLE secrets AS SELECT 'secret' AS v");
  gate.classification = { "public.secrets.v": ["pii"] };
  gate.decide = decide;
});
after(() => gate.close());
beforeEach(async () => {
  client?.end();
  client = await WireClient.open(gate.port, "good");
});
after(() => client.end());

const told = (replies: readonly Reply[]): (string | null | undefined)[] =>
  replies.flatMap((reply) => (reply.type === "D" ? [cells(reply)[0]] : reply.type === "E" ? [errorOf(reply).C] : []));
/** Sends all of them at once. */
const send = async (...segments: Buffer[][]): Promise<(string | null | undefined)[]> => {
  client.socket.write(Buffer.concat(segments.map((segment) => Buffer.concat([...segment, x.sync()]))));
  const replies: Reply[] = [];
  for (const _ of segments) replies.push(...(await client.until("Z")));
  return told(replies);
};
const run = async (sql: string): Promise<(string | null | undefined)[]> => told(await client.run(sql));

describe("a name that is given in a segment before", () => {
  it("keeps its statement if the server refuses the new one", async () => {
    await send([x.parse("s", secret)]);
    const late = [x.parse("", "EXECUTE s"), x.bind("", ""), x.execute("")];
    assert.deepEqual(await send([x.parse("s", open)], late), ["42P05", "[redacted]"]);
    assert.deepEqual(await send([x.closeStatement("s"), x.parse("s", open)], late), ["open"]);
  });

  it("keeps its cursor if the server refuses the portal", async () => {
    await run(`DECLARE c CURSOR WITH HOLD FOR ${secret}`);
    await send([x.parse("o", open)]);
    const late = [x.parse("", "FETCH ALL FROM c"), x.bind("", ""), x.execute("")];
    assert.deepEqual(await send([x.bind("c", "o")], late), ["42P03", "[redacted]"]);
  });
});

describe("a portal that looks a name up when it is executed", () => {
  it("finds the statement that has the name by then", async () => {
    await send([x.parse("s", open), x.parse("l", "EXECUTE s")]);
    const swapped = [x.closeStatement("s"), x.parse("s", secret), x.execute("p")];
    assert.deepEqual(await send([x.bind("p", "l"), ...swapped]), ["[redacted]"]);
    await send([x.closeStatement("s"), x.parse("s", open)]);
    await run("BEGIN");
    await send([x.bind("p", "l")]);
    assert.deepEqual(await send(swapped), ["[redacted]"]);
  });

  it("finds the cursor that has the name by then", async () => {
    await run("BEGIN");
    await send([x.parse("o", open), x.parse("e", secret), x.bind("c", "o"), x.parse("l", "FETCH ALL FROM c")]);
    const swapped = [x.bind("p", "l"), closePortal("c"), x.bind("c", "e"), x.execute("p")];
    assert.deepEqual(await send(swapped), ["[redacted]"]);
  });
});

it("batches of named and unnamed statements go on", async () => {
  const batch = [
    ...[x.parse("s", open), x.bind("", "s"), x.execute(""), x.closeStatement("s")],
    ...[x.parse("s", secret), x.bind("p", "s"), x.bind("q", "s"), x.execute("p"), x.execute("q"), closePortal("q")],
    ...[x.closeStatement("s"), x.parse("", "SELECT upper('last')"), x.bind("", ""), x.execute("")],
  ];
  const shown = ["open", "[redacted]", "[redacted]", "LAST"];
  assert.deepEqual(await send(batch), shown);
  assert.deepEqual(await send(batch, batch), [...shown, ...shown]);
});
