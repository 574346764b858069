// regate serve: starts the gate, says when it is ready, and ends it in order.
import { type Config, loadConfig } from "../config.ts";
import { type Gateway, startGateway } from "../gateway.ts";
import { type Level, type Logger, levels, logger } from "../log.ts";
import { exitCodes } from "./exit.ts";
import { parsed, usage } from "./options.ts";

const help = `regate serve [--config FILE] [--log-level LEVEL]
regate serve --demo [--reset]

Starts the gate with FILE (default: regate.yaml in this folder); --demo brings its own configuration and a PostgreSQL with a shop in it, and
--reset makes that anew. Prints one line when it is ready:  ready postgres=HOST:PORT http=HOST:PORT
SIGTERM or SIGINT (Ctrl-C) lets running commands end, closes everything and ends with 0; a second one ends at once.
The operators' log goes to stderr; LEVEL is one of ${levels.join(", ")} (default: info, or REGATE_LOG_LEVEL).
Exit codes: 0 ended by a signal, 1 failed, 2 not understood, 3 the configuration, a key, the bundle or an address cannot be used.
`;

/** @returns the exit code. @throws RegateError USAGE, CONFIG_*, and what startGateway throws */
export async function run(args: string[]): Promise<number> {
  const { values, positionals } = parsed(
    args,
    {
      config: { type: "string", short: "c" },
      demo: { type: "boolean" },
      reset: { type: "boolean" },
      "log-level": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
    help,
  );
  if (values.help === true) {
    process.stdout.write(help);
    return exitCodes.done;
  }
  if (positionals[0] !== undefined) throw usage(`serve: ${positionals[0]} is one word too many`, help);
  if (values.demo === true && values.config !== undefined)
    throw usage("serve: --demo has a configuration of its own, leave out --config", help);
  if (values.reset === true && values.demo !== true) throw usage("serve: --reset goes with --demo", help);
  const log = logger(levelOf(values["log-level"] ?? process.env.REGATE_LOG_LEVEL ?? "info"));
  endOnDefect(log);
  const asked = stopAsked();
  const source = values.demo === true ? await demo(values.reset === true) : fromFile(values.config);
  try {
    for (const notice of source.config.notices) log.warn({}, notice);
    const gateway = await startGateway(source.config, log);
    process.stdout.write(`ready postgres=${gateway.postgres} http=${gateway.http}\n`);
    await asked.then((signal) => drain(gateway, signal, log));
  } finally {
    await source.stop();
  }
  log.info({}, "ended");
  return exitCodes.done;
}

/** Where the configuration comes from, and what ends with the gate. */
type Source = { readonly config: Config; stop(): Promise<void> };

function fromFile(file: string | undefined): Source {
  return { config: loadConfig(file, process.env), stop: async () => {} };
}

async function demo(reset: boolean): Promise<Source> {
  const { startDemo } = await import("../demo/index.ts");
  return startDemo({ reset, say: (line) => process.stderr.write(`${line}\n`) });
}

async function drain(gateway: Gateway, signal: NodeJS.Signals, log: Logger): Promise<void> {
  log.info({ signal }, "ending: running commands may end, new ones are refused");
  await gateway.close();
}

/** Resolves with the first signal to end. The second ends the process at once, with the shell's code for it. */
function stopAsked(): Promise<NodeJS.Signals> {
  const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;
  let signals = 0;
  return new Promise((resolve) => {
    for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
      process.on(signal, () => {
        signals++;
        if (signals === 1) resolve(signal);
        else process.exit(codes[signal]);
      });
    }
  });
}

/** A defect of the gate ends it: what is in an unknown state must not decide. */
function endOnDefect(log: Logger): void {
  process.on("uncaughtException", (error) => {
    log.error({ error, stack: error.stack }, "the gate met a defect of its own and ends");
    process.exit(exitCodes.failed);
  });
}

function levelOf(given: string): Level {
  if ((levels as readonly string[]).includes(given)) return given as Level;
  throw usage(`serve: there is no log level ${given}`, help);
}
