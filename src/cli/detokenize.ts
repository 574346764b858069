// regate detokenize: the values of tokens, from a running gate, where its policy shows them to the caller in clear.
import type { Detokenized } from "../core/detokenize.ts";
import { api } from "./api.ts";
import { callerOptions, callerToken, gateUrl } from "./caller.ts";
import { print } from "./exit.ts";
import { folderOf } from "./folder.ts";
import { asksForHelp, parsed, say, usage } from "./options.ts";
import { oneLine } from "./text.ts";

export const HELP = `regate detokenize RESOURCE SCHEMA.TABLE.COLUMN TOKEN… [--key-version KID] [--json]

Turns tokens, which the mask tokenize put in the place of values, back into these. The gate's policy decides on it as on a SELECT of the column,
and each call is in the decision log, with the tokens and without the values. A token of before the key was rotated needs --key-version (see:
regate keys list). A text that cannot be a token gives an empty line (null with --json); one of another column or key gives a wrong value.

Who you are: a token in REGATE_TOKEN (or --token TOKEN, which other users of this machine may see), or, on the gate's own machine with its
data folder readable, --as human:NAME [--group G]…, which issues one for a minute.
Which gate: --url http://127.0.0.1:6080, else listen.http of --config FILE (or regate.yaml).
Exit codes: 0 done, 1 refused or failed, 2 not understood.
`;

/** @returns the exit code. @throws RegateError USAGE, API_UNREACHABLE, DETOKENIZE_*, MASK_KEY_MISSING, TOKEN_*, KEY_UNREADABLE, CONFIG_* */
export async function run(args: string[]): Promise<number> {
  if (asksForHelp(args)) return say(HELP);
  const { values, positionals } = parsed(
    args,
    {
      config: { type: "string", short: "c" },
      "data-dir": { type: "string" },
      json: { type: "boolean" },
      "key-version": { type: "string" },
      ...callerOptions,
    },
    HELP,
  );
  const [resource, column, ...tokens] = positionals;
  if (resource === undefined || column === undefined || tokens.length === 0)
    throw usage("detokenize: name the resource, the column, and at least one token", HELP);
  const folder = folderOf(values);
  const url = gateUrl(values, folder);
  const token = await callerToken("detokenize", values, folder, HELP);
  const version = values["key-version"];
  const request = { resource, column, tokens, ...(version === undefined ? {} : { version }) };
  const answer = (await api(url, token, "POST", "/v1/detokenize", request)) as Detokenized;
  if (values.json === true) await print(JSON.stringify(answer));
  else for (const value of answer.values) await print(value === null ? "" : oneLine(value));
  return 0;
}
