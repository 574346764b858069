// The demo's configuration, in the words of regate.yaml.
import { createServer } from "node:net";
import { type Config, checkConfig } from "../config.ts";
import { freePort } from "./embedded.ts";

/** The default addresses; where one is taken, a free port beside it, so that the demo starts wherever it is tried. */
export async function demoConfig(dataDir: string, url: string, say: (line: string) => void): Promise<Config> {
  const config = {
    data_dir: dataDir,
    listen: { postgres: await address(6432, say), http: await address(6080, say) },
    tls: { allow_plaintext: "loopback" },
    resources: { shop: { kind: "postgres", url, environment: "production", labels: { demo: "true" } } },
  };
  return checkConfig(config, "the demo's configuration");
}

async function address(port: number, say: (line: string) => void): Promise<string> {
  if (await isFree(port)) return `127.0.0.1:${port}`;
  const other = await freePort();
  say(`port ${port} is taken by another program: using ${other}`);
  return `127.0.0.1:${other}`;
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.on("error", () => resolve(false));
    probe.listen(port, "127.0.0.1", () => probe.close(() => resolve(true)));
  });
}
