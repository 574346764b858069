// regate keys: which keys the gate has, and a new one in front of the old ones.
import { type KeyFile, listKeys, rotateKey } from "../identity/rotate.ts";
import { print } from "./exit.ts";
import { folderOf } from "./folder.ts";
import { asksForHelp, parsed, say, usage } from "./options.ts";
import { oneLine, table } from "./text.ts";

export const HELP = `regate keys list [--json]
regate keys rotate NAME [--create] [--json]

The keys in data_dir/keys, by name and version, the one in use first; never their content. NAME is
  tokenize/NAME  of the mask tokenize. A running gate takes the new key with its next result; old versions stay, for regate detokenize.
                 --create makes the first one.
  issuer         signs the gate's own tokens. Takes effect when the gate starts again; the old key goes on verifying.
  mask           of the mask hash. Takes effect when the gate starts again; all hashes change, and the old key is gone: back it up first.
No running gate is needed, only its data folder: run it as the gate's user, with --config FILE or --data-dir FOLDER.
Exit codes: 0 done, 1 there is no such key, 2 not understood, 3 a key or the configuration cannot be used.
`;

const options = {
  config: { type: "string", short: "c" },
  "data-dir": { type: "string" },
  create: { type: "boolean" },
  json: { type: "boolean" },
} as const;

/** @returns the exit code. @throws RegateError USAGE, KEY_UNREADABLE, MASK_KEY_MISSING, CONFIG_* */
export async function run(args: string[]): Promise<number> {
  if (asksForHelp(args)) return say(HELP);
  const { values, positionals } = parsed(args, options, HELP);
  const [command, name, extra] = positionals;
  if (command !== "list" && command !== "rotate") throw usage(`keys ${command ?? "what? list or rotate"}`, HELP);
  if (command === "list" ? name !== undefined || values.create === true : name === undefined || extra !== undefined)
    throw usage(
      command === "list" ? "keys list takes no name" : "keys rotate: name one key (see: regate keys list)",
      HELP,
    );
  const { dataDir } = folderOf(values);
  if (command === "list" || name === undefined) {
    const keys = listKeys(dataDir);
    if (values.json === true) await print(JSON.stringify(keys));
    else process.stdout.write(keys.length === 0 ? "There are no keys yet.\n" : listed(keys));
    return 0;
  }
  const key = await rotateKey(dataDir, name, values.create === true);
  const restart = key.use !== "tokenize";
  if (values.json === true) await print(JSON.stringify({ ...key, restart_needed: restart }));
  else
    await print(
      `${key.name}: ${oneLine(key.versions[0] ?? "")} is the key from now on.${restart ? " Start the gate again to use it." : ""}`,
    );
  return 0;
}

function listed(keys: readonly KeyFile[]): string {
  return table(
    ["NAME", "USE", "IN USE", "BEFORE", "CHANGED"],
    keys.map(({ name, use, versions: [first = "", ...others], changed_at }) => [
      oneLine(name),
      use,
      oneLine(first),
      oneLine(others.join(", ")),
      changed_at,
    ]),
  );
}
