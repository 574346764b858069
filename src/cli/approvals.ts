// regate approvals: see held commands, and approve or deny them, over the gate's HTTP API.
import type { ApprovalEntry } from "../core/ports.ts";
import { api } from "./api.ts";
import { callerOptions, callerToken, gateUrl } from "./caller.ts";
import { asksForHelp, parsed, say, usage } from "./options.ts";
import { folderOf } from "./folder.ts";
import { oneLine, span, styled, table, visible } from "./text.ts";

export const HELP = `regate approvals list    [--all] [--json]
regate approvals show    ID [--json]
regate approvals approve ID [--comment TEXT] [--json]
regate approvals deny    ID [--comment TEXT] [--json]

Who you are: a token in REGATE_TOKEN (or --token TOKEN, which other users of this machine may see), or, on the gate's own machine with its
data folder readable, --as human:NAME [--group G]…, which issues one for a minute.
Which gate: --url http://127.0.0.1:6080, else listen.http of --config FILE (or regate.yaml).
A request can't be decided by who made it. Exit codes: 0 done, 1 refused or failed, 2 not understood.
`;

const options = {
  config: { type: "string", short: "c" },
  "data-dir": { type: "string" },
  json: { type: "boolean" },
  all: { type: "boolean" },
  comment: { type: "string" },
  ...callerOptions,
} as const;

type Shown = Omit<ApprovalEntry, "binding">;

/** @returns the exit code. @throws RegateError USAGE, API_UNREACHABLE, APPROVAL_*, TOKEN_*, KEY_UNREADABLE, CONFIG_* */
export async function run(args: string[]): Promise<number> {
  const [command, ...rest] = args;
  if (command === undefined || command === "help" || command === "-h" || command === "--help") {
    process.stdout.write(HELP);
    return command === undefined ? 2 : 0;
  }
  if (asksForHelp(rest)) return say(HELP);
  if (!["list", "show", "approve", "deny"].includes(command)) throw usage(`approvals ${command}`, HELP);
  const { values, positionals } = parsed(rest, options, HELP);
  const [id, extra] = positionals;
  if (command === "list" ? id !== undefined : extra !== undefined)
    throw usage(`approvals ${command}: ${extra ?? id} is one word too many`, HELP);
  if (command !== "list" && id === undefined)
    throw usage(`approvals ${command}: the ID is missing (see: regate approvals list)`, HELP);
  const folder = folderOf(values);
  const url = gateUrl(values, folder);
  const token = await callerToken("approvals", values, folder, HELP);
  if (command === "list") {
    const { approvals } = (await api(
      url,
      token,
      "GET",
      `/v1/approvals${values.all === true ? "" : "?state=pending"}`,
    )) as { approvals: Shown[] };
    process.stdout.write(
      values.json === true ? `${JSON.stringify(approvals)}\n` : listed(approvals, values.all === true),
    );
    return 0;
  }
  const path = `/v1/approvals/${encodeURIComponent(id ?? "")}`;
  const comment = values.comment === undefined ? {} : { comment: values.comment };
  const entry = (
    command === "show"
      ? await api(url, token, "GET", path)
      : await api(url, token, "POST", `${path}/${command}`, comment)
  ) as Shown;
  process.stdout.write(values.json === true ? `${JSON.stringify(entry)}\n` : described(entry));
  return 0;
}

function listed(approvals: readonly Shown[], all: boolean): string {
  if (approvals.length === 0) return all ? "There are no approvals.\n" : "Nothing waits for an approval.\n";
  const now = Date.now();
  const rows = approvals.map((entry) => [
    entry.id,
    entry.state === "pending"
      ? styled("yellow", `${span((Date.parse(entry.expires_at) - now) / 1000)} left`)
      : entry.state,
    oneLine(entry.requester.subject),
    oneLine(entry.resource),
    oneLine(entry.approvers.join(",")),
    oneLine(entry.text, process.stdout.isTTY === true ? 60 : 200),
  ]);
  return table(["ID", "STATE", "REQUESTER", "RESOURCE", "APPROVERS", "COMMAND"], rows);
}

/** Everything that a decision rests on, the command's text whole. */
function described(entry: Shown): string {
  const colour = entry.state === "approved" ? "green" : entry.state === "pending" ? "yellow" : "red";
  const lines = [
    `${styled(colour, entry.state)}  ${entry.id}`,
    `  requester  ${oneLine([entry.requester.subject, ...entry.requester.actors.map((actor) => `through ${actor}`)].join(", "))}`,
    `  resource   ${oneLine(entry.resource)}`,
    ...entry.reasons.map((reason) => `  because    ${oneLine(`${reason.code}: ${reason.message}`)}`),
    `  approvers  ${oneLine(entry.approvers.join(", "))}${entry.count > 1 ? `, ${entry.count} of them` : ""}`,
    ...(entry.decided_by.length === 0 ? [] : [`  decided by ${oneLine(entry.decided_by.join(", "))}`]),
    ...(entry.state === "pending" && entry.decided_by.length > 0
      ? [`  missing    ${entry.count - entry.decided_by.length} more`]
      : []),
    ...(entry.comment === null ? [] : [`  comment    ${oneLine(entry.comment)}`]),
    `  expires    ${entry.expires_at}`,
    ...visible(entry.text)
      .split("\n")
      .map((line, i) => (i === 0 ? `  command    ${line}` : `             ${line}`)),
  ];
  return `${lines.join("\n")}\n`;
}
