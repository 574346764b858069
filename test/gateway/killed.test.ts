// A gate that is killed while clients write loses no record of a write that the server committed.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, it } from "node:test";
import { cells, WireClient } from "../protocols/postgres/wire-client.ts";
import { issueToken } from "../../src/identity/issue.ts";
import { temporaryFolder } from "../support/folder.ts";
import { gateConfig, readRecords, startGate } from "../support/gate.ts";
import { startServer } from "../support/server.ts";

it("loses no record of a committed write", { timeout: 120_000 }, async () => {
  const setup = ({ app }: { app: string }) => [
    { database: "postgres", sql: `CREATE ROLE app LOGIN PASSWORD '${app}';\n\nCREATE DATABASE shop OWNER app;\n\n` },
    { database: "shop", sql: "CREATE TABLE written (id text);\n\nGRANT ALL ON written TO app;\n\n" },
  ];
  const server = await startServer({ setup });
  const url = `${server.url("app", "shop")}?sslmode=disable`;
  const dataDir = join(temporaryFolder("killed"), "data");
  const file = join(temporaryFolder("killed-config"), "regate.yaml");
  writeFileSync(file, JSON.stringify(await gateConfig({ policy: "allow_all", resources: { shop: url }, dataDir })));
  for (let round = 0; round < 3; round++) {
    const gate = spawn(process.execPath, ["src/cli/main.ts", "serve", "--config", file], {
      stdio: ["ignore", "pipe", "ignore"],
    });
    after(() => gate.kill("SIGKILL"));
    const port = await new Promise<number>((resolve, reject) => {
      let seen = "";
      gate.stdout!.on("data", (chunk: Buffer) => {
        seen += chunk.toString();
        const match = /ready postgres=\S+:(\d+)/.exec(seen);
        if (match !== null) resolve(Number(match[1]));
      });
      gate.on("exit", (code) => reject(new Error(`the gate ended with ${code}`)));
    });
    const { token } = await issueToken({ subject: "agent:bot", resources: ["*"], ttlSeconds: 3600 }, { dataDir });
    const writing = Array.from({ length: 8 }, async (_, client) => {
      const one = await WireClient.open(port, token);
      try {
        for (let i = 0; ; i++) await one.run(`INSERT INTO written VALUES ('${round}-${client}-${i}')`);
      } catch {
        // The gate is gone.
      }
    });
    await new Promise((resolve) => setTimeout(resolve, 1500));
    gate.kill("SIGKILL");
    await Promise.all(writing);
  }
  const gate = await startGate({ policy: "allow_all", resources: { shop: url }, dataDir });
  const reader = await WireClient.open(Number(gate.postgres.split(":").at(-1)), await gate.token());
  const written = (await reader.run("SELECT id FROM written"))
    .filter((reply) => reply.type === "D")
    .map((reply) => cells(reply)[0]!);
  reader.end();
  const recorded = new Set(
    readRecords(dataDir).flatMap((line) =>
      line.path === "regate/decision" ? (/'([^']+)'/.exec(line.input.command?.text ?? "")?.[1] ?? []) : [],
    ),
  );
  assert.ok(written.length > 100, `only ${written.length} rows were written`);
  assert.deepEqual(
    written.filter((id) => !recorded.has(id)),
    [],
  );
});
