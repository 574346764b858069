// Whom a policy's list of approvers names.
import type { Identity } from "./facts.ts";

const nfc = (name: string): string => name.normalize("NFC");

/** The entry that names an identity: "subject:x", "group:x", or "*", which is every human in person (nobody who acts for one). */
export function namedBy(identity: Identity, approvers: readonly string[]): string | undefined {
  return approvers.find((entry) => {
    if (entry === "*") return identity.kind === "human" && identity.actors.length === 0;
    if (entry.startsWith("subject:")) return nfc(entry.slice("subject:".length)) === nfc(identity.subject);
    if (entry.startsWith("group:"))
      return identity.groups.some((group) => nfc(group) === nfc(entry.slice("group:".length)));
    return false;
  });
}
