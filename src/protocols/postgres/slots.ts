// Names of a session and what they stand for. A change is told when it is sent and counts when the server has confirmed it.

/** What can have a name. `serial` is that of the message (or of the statement's message) that gave it. */
export type Slot<Self> = {
  readonly name: string;
  readonly serial: number;
  readonly segment: number;
  confirmed: boolean;
  failed: boolean;
  /** What had the name before: it comes back if this fails. */
  previous: Self | undefined;
  /** Bytes that it keeps. */
  readonly weight: number;
  /** The doubt (see {@link Slots.doubt}) up to which the server was asked whether the name still stands for this. */
  sure: number;
};

export class Slots<T extends Slot<T>> {
  readonly #slots = new Map<string, T>();
  #weight = 0;
  /** Names that the server was asked for, and did not have, at this doubt. */
  #absent = { doubt: 0, names: new Set<string>() };
  /** Grows whenever code ran that cannot be seen through: names that were given before may stand for something else. */
  doubt = 0;

  get size(): number {
    return this.#slots.size;
  }

  /** Bytes that all of them keep. */
  get weight(): number {
    return this.#weight;
  }

  #set(name: string, slot: T | undefined): void {
    this.#weight += (slot?.weight ?? 0) - (this.#slots.get(name)?.weight ?? 0);
    if (slot === undefined) this.#slots.delete(name);
    else this.#slots.set(name, slot);
  }

  get(name: string): T | undefined {
    return this.#slots.get(name);
  }

  /** Does the name certainly stand for nothing? */
  absent(name: string): boolean {
    if (this.#slots.has(name)) return false;
    return this.doubt === 0 || (this.#absent.doubt === this.doubt && this.#absent.names.has(name));
  }

  /** The server did not have it, at this doubt. */
  setAbsent(name: string, doubt: number): void {
    if (this.#absent.doubt !== doubt || this.#absent.names.size > 1000) this.#absent = { doubt, names: new Set() };
    this.#absent.names.add(name);
  }

  values(): Iterable<T> {
    return this.#slots.values();
  }

  /** Sent, not confirmed: what follows in the same segment is skipped if it fails. */
  sent(slot: T): void {
    slot.previous = this.#slots.get(slot.name);
    this.#set(slot.name, slot);
  }

  confirm(slot: T): void {
    slot.confirmed = true;
    slot.previous = undefined;
    slot.sure = this.doubt;
  }

  /** `destroyed`: the server gave up what had the name before. */
  fail(slot: T, destroyed: boolean): void {
    slot.failed = true;
    if (this.#slots.get(slot.name) !== slot) return;
    let before = slot.previous;
    while (before?.failed === true) before = before.previous;
    this.#set(slot.name, destroyed ? undefined : before);
  }

  /** SQL gave the name: it had none before, as the server has just said. */
  put(slot: T): void {
    const newer = this.#newerThan(slot.name, slot.serial);
    if (newer === undefined) this.#set(slot.name, slot);
    else newer.previous = slot;
  }

  /** Whatever was given the name by a message before this one is gone. */
  remove(name: string, serial: number): T | undefined {
    const newer = this.#newerThan(name, serial);
    const gone = newer === undefined ? this.#slots.get(name) : newer.previous;
    if (gone !== undefined) gone.failed = true;
    if (newer === undefined) this.#set(name, undefined);
    else newer.previous = undefined;
    return gone;
  }

  /** The oldest of this name that was sent after that message. */
  #newerThan(name: string, serial: number): T | undefined {
    let found: T | undefined;
    for (let slot = this.#slots.get(name); slot !== undefined && slot.serial > serial; slot = slot.previous)
      found = slot;
    return found;
  }
}
