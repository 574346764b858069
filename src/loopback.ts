// Which names and addresses stand for this machine alone: what is sent there in clear does not leave it.
import { isIP } from "node:net";

/** By its form: no name is looked up, and a name that only begins like an address (127.0.0.1.example.com) is none. */
export function isLoopback(host: string | undefined): boolean {
  const name = host?.toLowerCase() ?? "";
  if (name === "localhost" || name === "::1") return true;
  const address = name.startsWith("::ffff:") ? name.slice("::ffff:".length) : name;
  return isIP(address) === 4 && address.startsWith("127.");
}
