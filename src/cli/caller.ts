// Who calls a running gate's HTTP API, and where it is: what commands that ask it have in common.
import { RegateError } from "../errors.ts";
import { apiUrl } from "./api.ts";
import type { Folder } from "./folder.ts";
import { usage } from "./options.ts";
import { issueFrom } from "./token.ts";

export const callerOptions = {
  url: { type: "string" },
  token: { type: "string" },
  as: { type: "string" },
  group: { type: "string", multiple: true },
} as const;

export type Caller = {
  readonly url?: string;
  readonly token?: string;
  readonly as?: string;
  readonly group?: readonly string[];
};

/** `--url`, else where a gate with this configuration listens, as seen from its own machine. @throws RegateError USAGE */
export function gateUrl({ url }: Caller, { config }: Folder): URL {
  const address = config.listen.http.replace(/^0\.0\.0\.0:/, "127.0.0.1:").replace(/^\[::\]:/, "[::1]:");
  return apiUrl(url ?? `http://${address}`);
}

/** `--as` issues a token for a minute; else `--token` or REGATE_TOKEN. @throws RegateError USAGE, KEY_UNREADABLE, TOKEN_REQUEST */
export async function callerToken(command: string, values: Caller, folder: Folder, help: string): Promise<string> {
  if (values.as !== undefined) {
    if (values.token !== undefined) throw usage(`${command}: --token and --as exclude each other`, help);
    const { token } = await issueFrom(folder, {
      subject: values.as.normalize("NFC"),
      resources: ["*"],
      ttlSeconds: 60,
      groups: values.group ?? [],
    });
    return token;
  }
  if (values.group !== undefined) throw usage(`${command}: --group goes with --as`, help);
  const token = values.token ?? process.env.REGATE_TOKEN;
  if (token !== undefined && token !== "") return token.trim();
  throw new RegateError("USAGE", {
    detail: `${command}: who are you? No token was given`,
    hint: "Set REGATE_TOKEN to one of: regate token issue --subject human:NAME --group GROUP --resource RESOURCE. Or, on the gate's machine: --as human:NAME --group GROUP.",
  });
}
