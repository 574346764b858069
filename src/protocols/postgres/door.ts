// The listening socket: every connection there is, and which of them still wait for their login.
import { createServer, type Server, type Socket } from "node:net";
import { RegateError } from "../../errors.ts";

/** Connections that may wait for their login at the same time, at least. */
const waitingLimit = 1000;

export class Door {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** In the order in which they came. */
  readonly #waiting = new Set<Socket>();

  /** `enter` gives true for who waits no more, and stays. `sessions`: how many may be logged in. */
  constructor(sessions: number, enter: (socket: Socket) => Promise<boolean>) {
    const limit = Math.max(waitingLimit, sessions);
    this.#server = createServer({ noDelay: true, keepAlive: true }, (socket) => {
      this.#sockets.add(socket);
      this.#waiting.add(socket);
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#waiting.delete(socket);
      });
      // Who has not logged in yet takes nobody's place: of those that wait, the oldest makes room.
      if (this.#waiting.size > limit) this.#waiting.values().next().value?.destroy();
      void enter(socket).then((stays) => {
        if (stays) this.#waiting.delete(socket);
      });
    });
  }

  /** The port that it has. @throws RegateError PORT_IN_USE, CONFIG_INVALID */
  open(host: string, port: number): Promise<number> {
    const server = this.#server;
    return new Promise((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => {
        const [code, detail] =
          error.code === "EADDRINUSE"
            ? (["PORT_IN_USE", `${host}:${port}`] as const)
            : (["CONFIG_INVALID", `listen ${host}:${port}: ${error.message}`] as const);
        reject(new RegateError(code, { detail, cause: error }));
      });
      server.listen(port, host, () => resolve((server.address() as { port: number }).port));
    });
  }

  /** Nobody comes in any more, and whoever waits is sent away. Settled once everybody has left. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    // Those that are not logged in yet have nothing to lose.
    for (const socket of this.#waiting) socket.destroy();
    return closed;
  }

  /** Ends every connection that is left, once it was told what is on its way. */
  clear(): void {
    for (const socket of this.#sockets) socket.destroySoon();
  }
}
