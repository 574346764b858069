// The sessions that run, by the keys with which a cancel request finds them.
import { randomBytes, timingSafeEqual } from "node:crypto";
import type { Session } from "./session.ts";

/** BackendKeyData: the gate's own, never the server's. */
export type CancelKey = { readonly pid: number; readonly secret: Buffer };

type Entry = { readonly key: CancelKey; readonly session: Session };

export class Sessions implements Iterable<Session> {
  readonly #byPid = new Map<number, Entry>();

  get size(): number {
    return this.#byPid.size;
  }

  [Symbol.iterator](): Iterator<Session> {
    return Array.from(this.#byPid.values(), ({ session }) => session).values();
  }

  /** Adds the session that is made, until it calls `ended`. `minor`: of version 3 of the protocol. */
  add(minor: number, make: (ended: () => void) => Session): Entry {
    let key = newKey(minor);
    while (this.#byPid.has(key.pid)) key = newKey(minor);
    const entry = { key, session: make(() => this.#byPid.delete(key.pid)) };
    this.#byPid.set(key.pid, entry);
    return entry;
  }

  /** A cancel request: without the right secret nothing happens, and nobody is told. */
  cancel({ pid, secret }: CancelKey): void {
    const found = this.#byPid.get(pid);
    if (found === undefined || found.key.secret.length !== secret.length) return;
    if (timingSafeEqual(found.key.secret, secret)) found.session.cancel();
  }
}

/** 4 secret bytes in protocol 3.0, 32 from 3.2 on. */
function newKey(minor: number): CancelKey {
  return { pid: 1 + (randomBytes(4).readUInt32BE(0) & 0x3fffffff), secret: randomBytes(minor >= 2 ? 32 : 4) };
}
