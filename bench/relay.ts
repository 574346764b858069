// A raw TCP relay on Node's own pipe: what the gate's cost is a ratio of. Usage: node bench/relay.ts LISTEN_PORT HOST PORT
import { connect, createServer } from "node:net";

const [listen, host, port] = process.argv.slice(2);
createServer({ noDelay: true }, (client) => {
  const server = connect({ host: host!, port: Number(port), noDelay: true });
  client.pipe(server);
  server.pipe(client);
  client.on("error", () => server.destroy());
  server.on("error", () => client.destroy());
}).listen(Number(listen), "127.0.0.1", () => console.log("ready"));
