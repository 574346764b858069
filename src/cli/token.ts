// regate token: issue tokens with the key in the data folder, list what was issued, revoke.
import { userInfo } from "node:os";
import { parseDuration } from "../config/fields.ts";
import type { IssuedToken, TokenRequest } from "../identity/issue.ts";
import { issueToken } from "../identity/issue.ts";
import { revoke, revokedIds } from "../state/revocations.ts";
import { rememberedTokens, rememberToken, type TokenEntry } from "../state/tokens.ts";
import { asksForHelp, parsed, say, usage } from "./options.ts";
import { type Folder, folderOf } from "./folder.ts";
import { oneLine, span, styled, table } from "./text.ts";

export const HELP = `regate token issue --subject agent:NAME --resource RESOURCE… [--ttl 5m] [--group G]… [--scope S]… [--actor A]… [--json]
regate token list   [--all] [--json]
regate token revoke ID… | --subject agent:NAME  [--json]

issue prints the token alone, for the password: export PGPASSWORD=$(regate token issue --subject agent:bot --resource shop)
--resource may be repeated; "*" is all. --ttl is at most identity.tokens.max_ttl. The subject says its kind: agent:, human: or service:.
list shows tokens that are still good (--all: also those that ended in the last days); never the tokens themselves.
revoke ends what a token may do within a second, in running sessions too.
All take --config FILE or --data-dir FOLDER; no running gate is needed. Exit codes: 0 done, 1 failed, 2 not understood.
`;

const place = {
  config: { type: "string", short: "c" },
  "data-dir": { type: "string" },
  json: { type: "boolean" },
} as const;

/** @returns the exit code. @throws RegateError USAGE, TOKEN_REQUEST, KEY_UNREADABLE, DATA_DIR, CONFIG_* */
export async function run(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  if (asksForHelp(rest)) return say(HELP);
  switch (command) {
    case "issue":
      return issue(rest);
    case "list":
      return list(rest);
    case "revoke":
      return revokeTokens(rest);
    case undefined:
    case "help":
    case "-h":
    case "--help":
      process.stdout.write(HELP);
      return command === undefined ? 2 : 0;
    default:
      throw usage(`token ${command}`, HELP);
  }
}

/** Issues a token by a data folder's key, and notes it in the list. */
export async function issueFrom(
  folder: Folder,
  request: TokenRequest,
): Promise<{ token: string; issued: IssuedToken }> {
  const made = await issueToken(request, {
    dataDir: folder.dataDir,
    maxTtlSeconds: Math.floor(folder.config.identity.tokens.max_ttl / 1000),
  });
  rememberToken(folder.stateDir, made.issued);
  return made;
}

async function issue(args: string[]): Promise<number> {
  const many = { type: "string", multiple: true } as const;
  const { values, positionals } = parsed(
    args,
    {
      ...place,
      subject: { type: "string" },
      resource: many,
      ttl: { type: "string" },
      group: many,
      scope: many,
      actor: many,
    },
    HELP,
  );
  if (positionals.length > 0) throw usage(`token issue: ${positionals[0]} is one word too many`, HELP);
  if (values.subject === undefined) throw usage("token issue: --subject is missing", HELP);
  if (values.resource === undefined) throw usage("token issue: --resource is missing", HELP);
  const folder = folderOf(values);
  const { tokens } = folder.config.identity;
  const ttl = values.ttl === undefined ? tokens.ttl : parseDuration(values.ttl);
  if (ttl === undefined) throw usage(`token issue: --ttl ${values.ttl}: expected a duration such as 5m or 1h`, HELP);
  const nfc = (names: readonly string[] = []): string[] => names.map((name) => name.normalize("NFC"));
  const { token, issued } = await issueFrom(folder, {
    subject: values.subject.normalize("NFC"),
    resources: nfc(values.resource),
    ttlSeconds: Math.floor(ttl / 1000),
    groups: nfc(values.group),
    scopes: values.scope ?? [],
    actors: nfc(values.actor),
  });
  const names = Object.keys(folder.config.resources);
  for (const name of issued.resources) {
    if (names.length > 0 && name !== "*" && !names.includes(name))
      process.stderr.write(`note: the configuration has no resource ${oneLine(name)}\n`);
  }
  process.stdout.write(values.json === true ? `${JSON.stringify({ token, ...issued })}\n` : `${token}\n`);
  return 0;
}

async function list(args: string[]): Promise<number> {
  const { values } = parsed(args, { ...place, all: { type: "boolean" } }, HELP);
  const { stateDir } = folderOf(values);
  const now = Date.now() / 1000;
  const revoked = revokedIds(stateDir);
  const entries = rememberedTokens(stateDir)
    .filter((entry) => values.all === true || (entry.expires_at > now && !revoked.has(entry.id)))
    .map((entry) => ({ ...entry, state: stateOf(entry, revoked, now) }));
  if (values.json === true) {
    process.stdout.write(`${JSON.stringify(entries)}\n`);
    return 0;
  }
  if (entries.length === 0) {
    process.stdout.write(
      values.all === true
        ? "No tokens were issued here.\n"
        : "No tokens are good now. (--all shows those that ended.)\n",
    );
    return 0;
  }
  const rows = entries.map((entry) => [
    entry.id,
    entry.state === "good" ? styled("green", `${span(entry.expires_at - now)} left`) : entry.state,
    oneLine(entry.subject),
    oneLine(entry.resources.join(",")),
    oneLine(
      [...entry.groups.map((group) => `group ${group}`), ...entry.scopes.map((scope) => `scope ${scope}`)].join(", "),
    ),
  ]);
  process.stdout.write(table(["ID", "STATE", "SUBJECT", "RESOURCES", "RIGHTS"], rows));
  return 0;
}

function stateOf(entry: TokenEntry, revoked: ReadonlySet<string>, now: number): "good" | "revoked" | "expired" {
  if (revoked.has(entry.id)) return "revoked";
  return entry.expires_at > now ? "good" : "expired";
}

async function revokeTokens(args: string[]): Promise<number> {
  const { values, positionals } = parsed(args, { ...place, subject: { type: "string" } }, HELP);
  if ((positionals.length === 0) === (values.subject === undefined))
    throw usage("token revoke: name the tokens' ids, or one --subject", HELP);
  const { stateDir, config } = folderOf(values);
  const now = Math.floor(Date.now() / 1000);
  const known = new Map(rememberedTokens(stateDir).map((entry) => [entry.id, entry]));
  const subject = values.subject?.normalize("NFC");
  const ids =
    subject === undefined
      ? positionals
      : [...known.values()]
          .filter((entry) => entry.subject === subject && entry.expires_at > now)
          .map((entry) => entry.id);
  const results = ids.map((id) => {
    const until = known.get(id)?.expires_at ?? now + Math.ceil(config.identity.tokens.max_ttl / 1000);
    const fresh = revoke(stateDir, { id, until, revoked_at: new Date().toISOString(), by: userInfo().username });
    return { id, subject: known.get(id)?.subject ?? null, revoked: fresh ? "now" : "before" };
  });
  if (values.json === true) process.stdout.write(`${JSON.stringify(results)}\n`);
  else {
    for (const { id, subject: of, revoked } of results) {
      const whose = of === null ? " (not in the list of tokens issued here)" : ` of ${oneLine(of)}`;
      process.stdout.write(`${revoked === "now" ? "revoked" : "was revoked before"}: ${id}${whose}\n`);
    }
    if (results.length === 0) process.stdout.write(`No token of ${oneLine(subject ?? "")} is good now.\n`);
  }
  return 0;
}
