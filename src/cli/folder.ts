// What commands that need no running gate take from the configuration: its data folder, and how long tokens live.
import { resolve } from "node:path";
import type { Config } from "../config.ts";
import { loadConfig } from "../config.ts";

export type Folder = { readonly dataDir: string; readonly stateDir: string; readonly config: Config };

/** `--data-dir` wins over the configuration; without a file the defaults hold. @throws RegateError CONFIG_* */
export function folderOf(values: {
  readonly config?: string | undefined;
  readonly "data-dir"?: string | undefined;
}): Folder {
  const config = loadConfig(values.config, process.env, { offline: true });
  const dataDir = values["data-dir"] === undefined ? config.data_dir : resolve(values["data-dir"]);
  return { dataDir, stateDir: resolve(dataDir, "state"), config };
}
