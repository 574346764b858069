// make demo: the embedded database, the gate before it, the four-action session; then the gate stays until Ctrl-C.
import { relative } from "node:path";
import { errorText, RegateError } from "../errors.ts";
import { startGateway } from "../gateway.ts";
import { logger } from "../log.ts";
import { COMMAND, startDemo } from "./index.ts";
import { bold, dim, psqlLine, runSession } from "./session.ts";

const print = (text: string): void => void process.stdout.write(text);
const interactive =
  process.stdin.isTTY === true && process.stdout.isTTY === true && !/^(1|true)$/i.test(process.env.CI ?? "");

async function main(): Promise<number> {
  const began = performance.now();
  const demo = await startDemo({
    hint: false,
    reset: process.argv.includes("--reset"),
    say: (line) => print(`${dim(line)}\n`),
  });
  const stopped = new Promise<void>((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => resolve());
  });
  try {
    await demo.restoreOrder(7);
    const gateway = await startGateway(demo.config, logger("warn"));
    try {
      print(
        `${bold("the gate stands")} between ${gateway.postgres} and the database ${dim(`(approvals on http://${gateway.http}; ${((performance.now() - began) / 1000).toFixed(1)} s)`)}\n`,
      );
      const place = {
        dataDir: demo.config.data_dir,
        postgres: gateway.postgres,
        http: gateway.http,
        interactive,
        print,
      };
      const session = runSession(place);
      const seen = await Promise.race([session, stopped.then(() => undefined)]);
      if (seen === undefined) return 0;
      const folder = relative(process.cwd(), demo.config.data_dir) || demo.config.data_dir;
      print(`\nThe data stays in ${folder}; to start over: rm -rf ${folder} (or: ${COMMAND} serve --demo --reset).\n`);
      if (!interactive) return seen ? 0 : 1;
      print(
        `\nThe gate is running until Ctrl-C. Try it yourself, in another terminal:\n\n  ${await psqlLine(place)}\n\n`,
      );
      await stopped;
      return seen ? 0 : 1;
    } finally {
      await gateway.close(1000);
    }
  } finally {
    await demo.stop();
  }
}

try {
  process.exitCode = await main();
} catch (thrown) {
  const { message, detail, hint } =
    thrown instanceof RegateError ? thrown : { message: errorText(thrown), detail: undefined, hint: undefined };
  console.error(
    `\n${message}${detail === undefined ? "" : `\n  ${detail}`}${hint === undefined ? "" : `\n  → ${hint}`}`,
  );
  process.exitCode = 1;
}
