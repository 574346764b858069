// SCRAM against the RFC's own example, and against servers that lie.
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { RegateError } from "../../../src/errors.ts";
import { saslprep, ScramClient, type ScramOptions } from "../../../src/protocols/postgres/scram.ts";

// RFC 7677, section 3, but for the user name, which is empty towards PostgreSQL; so proof and signature differ.
const nonce = "rOprNGfwEbeRWgbNEkqO";
const serverFirst = Buffer.from(`r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`);
const base: ScramOptions = { password: "pencil", channel: { flag: "n" }, leastIterations: 4096, nonce };

async function refusal(act: () => unknown): Promise<string> {
  try {
    await act();
  } catch (error) {
    assert.ok(error instanceof RegateError && error.code === "UPSTREAM_AUTH", String(error));
    assert.ok(!(error.detail ?? "").includes("pencil"));
    return error.detail ?? "";
  }
  return assert.fail("it should have been refused");
}

describe("SCRAM-SHA-256", () => {
  it("speaks as RFC 7677 does", async () => {
    const client = new ScramClient(base);
    assert.equal(client.mechanism, "SCRAM-SHA-256");
    assert.equal(client.first().toString(), `n,,n=,r=${nonce}`);
    const final = (await client.final(serverFirst)).toString();
    // Computed by a Python script that gives the RFC's own values for the RFC's user name.
    assert.equal(
      final,
      `c=biws,r=${nonce}%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=qvT2SWdEH5Q06albL+hjSYuUhCG7VndFyzIb7CK4n9k=`,
    );
    client.verify(Buffer.from("v=3HO6Qt1M4MKJrmlKaoOqLAI0/0TV0HZe7J9H3MBtSOg="));
    assert.equal(client.verified, true);
  });
  it("binds the channel by flag and digest", async () => {
    const binding = Buffer.alloc(32, 5);
    const client = new ScramClient({ ...base, channel: { flag: "p", binding } });
    assert.equal(client.mechanism, "SCRAM-SHA-256-PLUS");
    assert.equal(client.first().toString(), `p=tls-server-end-point,,n=,r=${nonce}`);
    const bound = /^c=([^,]*),/.exec((await client.final(serverFirst)).toString())?.[1] ?? "";
    assert.deepEqual(Buffer.from(bound, "base64"), Buffer.concat([Buffer.from("p=tls-server-end-point,,"), binding]));
    const able = new ScramClient({ ...base, channel: { flag: "y" } });
    assert.match(able.first().toString(), /^y,,/);
    assert.match((await able.final(serverFirst)).toString(), /^c=eSws,/);
  });
  it("uses a nonce of its own each time", () => {
    const { nonce: _given, ...random } = base;
    const firsts = new Set(Array.from({ length: 100 }, () => new ScramClient(random).first().toString()));
    assert.equal(firsts.size, 100);
  });
  for (const [name, message] of [
    ["a nonce that is not the client's", "r=somebodyelse,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096"],
    ["a nonce without the server's part", `r=${nonce},s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ["no salt", `r=${nonce}abc,s=,i=4096`],
    ["a salt that is not base64", `r=${nonce}abc,s=%%%,i=4096`],
    ["no iterations", `r=${nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==`],
    ["iterations below the least", `r=${nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4095`],
    ["iterations of zero", `r=${nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=0`],
    ["negative iterations", `r=${nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=-1`],
    ["iterations for hours", `r=${nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=999999999`],
    ["iterations beyond numbers", `r=${nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=99999999999999999999`],
    ["a mandatory extension", `m=x,r=${nonce}abc,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096`],
    ["an error", "e=other-error"],
    ["nothing", ""],
  ] as const) {
    it(`refuses ${name}`, async () => {
      await refusal(() => new ScramClient(base).final(Buffer.from(message)));
    });
  }
  it("refuses a server that does not know the password", async () => {
    for (const final of ["v=AAAA", `v=${Buffer.alloc(32).toString("base64")}`, "v=", "e=invalid-proof", ""]) {
      const client = new ScramClient(base);
      await client.final(serverFirst);
      await refusal(() => client.verify(Buffer.from(final)));
      assert.equal(client.verified, false);
    }
    await refusal(() => new ScramClient(base).verify(Buffer.from(`v=${Buffer.alloc(32).toString("base64")}`)));
  });
  it("uses a known derivation only for its own salt and iterations", async () => {
    const first = new ScramClient(base);
    const expected = (await first.final(serverFirst)).toString();
    const salted = first.salted;
    assert.equal((await new ScramClient({ ...base, known: salted }).final(serverFirst)).toString(), expected);
    const other = Buffer.from(serverFirst.toString().replace("i=4096", "i=5000"));
    const fresh = (await new ScramClient(base).final(other)).toString();
    assert.equal((await new ScramClient({ ...base, known: salted }).final(other)).toString(), fresh);
  });
});

describe("saslprep", () => {
  for (const [given, prepared] of [
    ["pencil", "pencil"],
    ["control \u0007 stays, as all of ASCII", "control \u0007 stays, as all of ASCII"],
    ["I\u00adX", "IX"],
    ["\u00aa", "a"],
    ["\u2168", "IX"],
    ["no\u00a0break", "no break"],
    ["zero\u200bwidth", "zero width"],
    ["e\u0301", "\u00e9"],
    ["\u0627\u0031", "\u0627\u0031"],
    ["\u0627\u0031\u0628", "\u0627\u0031\u0628"],
    ["\u00aa\u0007", "\u00aa\u0007"],
    ["\u00aa\ue000", "\u00aa\ue000"],
    ["\u00ad", "\u00ad"],
  ] as const) {
    it(`makes ${JSON.stringify(prepared)} of ${JSON.stringify(given)}`, () => assert.equal(saslprep(given), prepared));
  }
});
