// The Host header: on loopback it must name loopback, so that no web page can reach the gate through a name of its own (DNS rebinding).
/** The name in "name:port", "[::1]:port" or "name"; undefined when it is none of these. */
export function hostName(header: string | undefined): string | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([A-Za-z0-9.-]+))(?::\d{1,5})?$/.exec(header ?? "");
  return match?.[1] ?? match?.[2];
}
