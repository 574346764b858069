// Starts an embedded PostgreSQL, says where it is, and waits to be killed.
import { startEmbedded } from "../../src/demo/embedded.ts";

const server = await startEmbedded({ dir: process.argv[2]! });
console.log(JSON.stringify({ data: server.data, url: server.url("postgres", "postgres") }));
setInterval(() => undefined, 60_000);
