// A real PostgreSQL for a test file: the embedded one, or the one whose programs are in the folder REGATE_TEST_PG.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { after } from "node:test";
import { type Embedded, type EmbeddedOptions, startEmbedded } from "../../src/demo/embedded.ts";
import { shopSetup } from "../../src/demo/shop.ts";
import { temporaryFolder } from "./folder.ts";

export type TestServer = Embedded;
export type ServerOptions = Partial<Pick<EmbeddedOptions, "setup" | "settings" | "bin">> & {
  /** How clients on loopback prove who they are. */
  readonly auth?: "scram-sha-256" | "password" | "trust";
};

/** Ends with the test file. With the shop in it unless `setup` says otherwise; it need not survive a power cut, so nothing is flushed. */
export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const bin = options.bin ?? process.env.REGATE_TEST_PG;
  const folder = temporaryFolder("pg");
  const access = join(folder, "pg_hba.conf");
  writeFileSync(access, `host all all 127.0.0.1/32 ${options.auth ?? "scram-sha-256"}\n`, { mode: 0o644 });
  const cheap = { fsync: "off", synchronous_commit: "off", full_page_writes: "off", max_connections: "150" };
  const server = await startEmbedded({
    dir: join(folder, "postgres"),
    setup: options.setup ?? shopSetup,
    settings: { hba_file: access, ...cheap, ...options.settings },
    ...(bin === undefined ? {} : { bin }),
  });
  after(() => server.stop());
  return server;
}
