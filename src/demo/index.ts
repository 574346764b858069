// The demo: an embedded PostgreSQL with a shop in it, and the configuration of a gate before it.
import { join, resolve } from "node:path";
import type { Config } from "../config.ts";
import { demoConfig } from "./config.ts";
import { type Embedded, startEmbedded } from "./embedded.ts";
import { OwnConnection } from "../protocols/postgres/connection.ts";
import { parseTarget } from "../protocols/postgres/upstream.ts";
import { runningUrl } from "./running.ts";
import { orderSql, shopSetup } from "./shop.ts";

export type DemoOptions = {
  /** Default: .regate in the working folder. */
  readonly dataDir?: string;
  /** Make the shop anew. */
  readonly reset?: boolean;
  /** Say how to connect. Default: yes. */
  readonly hint?: boolean;
  /** Lines for people. */
  readonly say: (line: string) => void;
};
export type Demo = {
  readonly config: Config;
  readonly embedded: Embedded;
  /** Brings back an order that an earlier session deleted. */
  restoreOrder(id: number): Promise<void>;
  stop(): Promise<void>;
};

/** How the command is called here: from a checkout, or from the installed package. */
export const COMMAND = import.meta.filename.endsWith(".ts") ? "npm run -s regate --" : "npx regate";

/** Starts the database. The gate is the caller's to start with `config`, and to close before `stop`. @throws RegateError DATA_DIR */
export async function startDemo(options: DemoOptions): Promise<Demo> {
  const dataDir = resolve(options.dataDir ?? ".regate");
  const embedded = await startEmbedded({
    dir: join(dataDir, "postgres"),
    setup: shopSetup,
    reset: options.reset === true,
    say: options.say,
  });
  embedded.died.then((log) => options.say(`the embedded PostgreSQL ended by itself; the end of its log:\n${log}`));
  try {
    const url = embedded.url("app", "shop");
    const config = await demoConfig(dataDir, url, options.say);
    options.say(
      `a PostgreSQL ${embedded.version} with a shop in it runs on 127.0.0.1:${embedded.port}, its data in ${embedded.data}`,
    );
    if (options.hint !== false) options.say(connectHint(config));
    return { config, embedded, restoreOrder: (id) => restore(url, id), stop: () => embedded.stop() };
  } catch (thrown) {
    await embedded.stop();
    throw thrown;
  }
}

/** The demo for a moment: the one that runs in the working folder, else one of its own until `stop`. @throws RegateError DATA_DIR */
export async function borrowDemo(say: (line: string) => void): Promise<Pick<Demo, "config" | "stop">> {
  const dataDir = resolve(".regate");
  const url = runningUrl(join(dataDir, "postgres"), "shop");
  if (url === undefined) return startDemo({ hint: false, say });
  return { config: await demoConfig(dataDir, url, () => undefined), stop: async () => {} };
}

/** A line for the shell that gets a token and connects. */
function connectHint({ listen }: Config): string {
  const [host, port] = listen.postgres.split(":");
  const token = `${COMMAND} token issue --subject agent:bot --resource shop --ttl 1h`;
  return `when it is ready, connect: PGPASSWORD=$(${token}) psql -h ${host} -p ${port} -U agent shop`;
}

async function restore(url: string, id: number): Promise<void> {
  const connection = await OwnConnection.open(parseTarget(url));
  try {
    await connection.query("SET default_transaction_read_only = off");
    await connection.query(orderSql(id));
  } finally {
    connection.close();
  }
}
