// The demo: an embedded PostgreSQL with a shop in it, and the configuration of a gate before it.
import { join, resolve } from "node:path";
import type { Config } from "../config.ts";
import { demoConfig } from "./config.ts";
import { type Embedded, startEmbedded } from "./embedded.ts";
import { shopSetup } from "./shop.ts";

export type DemoOptions = {
  /** Default: .regate in the working folder. */
  readonly dataDir?: string;
  /** Make the shop anew. */
  readonly reset?: boolean;
  /** Lines for people. */
  readonly say: (line: string) => void;
};
export type Demo = { readonly config: Config; readonly embedded: Embedded; stop(): Promise<void> };

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
    const config = await demoConfig(dataDir, embedded.url("app", "shop"), options.say);
    options.say(
      `a PostgreSQL ${embedded.version} with a shop in it runs on 127.0.0.1:${embedded.port}, its data in ${embedded.data}`,
    );
    return { config, embedded, stop: () => embedded.stop() };
  } catch (thrown) {
    await embedded.stop();
    throw thrown;
  }
}
