// SCRAM-SHA-256 and SCRAM-SHA-256-PLUS, the client's side. RFC 5802, RFC 7677; what PostgreSQL makes of them: its manual, "SASL Authentication".
import { createHash, createHmac, pbkdf2, randomBytes, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import { RegateError } from "../../errors.ts";

const derive = promisify(pbkdf2);

/** More would keep a thread busy for seconds for a server that has proven nothing yet. */
const mostIterations = 1_000_000;

/**
 * "p": bound to the channel by `binding`; "y": the client could, but the server did not offer it (a server that did will notice); "n": the
 * client cannot.
 */
export type ChannelBinding = { readonly flag: "n" | "y" } | { readonly flag: "p"; readonly binding: Buffer };

/** The salted password of the last login, so that the next one to the same server need not derive it again. */
export type SaltedPassword = { salt: string; iterations: number; salted: Buffer };

export type ScramOptions = {
  readonly password: string;
  readonly channel: ChannelBinding;
  /** Below this the server's answer is refused: who listens in on a cheap derivation can guess passwords offline. */
  readonly leastIterations: number;
  readonly known?: SaltedPassword | undefined;
  /** For tests; else random. */
  readonly nonce?: string;
};

/** One login: `first`, then `final` on the server's first message, then `verify` on its last. */
export class ScramClient {
  salted: SaltedPassword | undefined;
  /** The server has proven that it knows the password, too. */
  verified = false;
  readonly #options: ScramOptions;
  readonly #nonce: string;
  readonly #header: string;
  readonly #bare: string;
  #signature: Buffer | undefined;

  constructor(options: ScramOptions) {
    this.#options = options;
    this.#nonce = options.nonce ?? randomBytes(18).toString("base64");
    this.#header = options.channel.flag === "p" ? "p=tls-server-end-point,," : `${options.channel.flag},,`;
    // PostgreSQL takes the user from the startup packet and ignores the one here.
    this.#bare = `n=,r=${this.#nonce}`;
  }

  get mechanism(): string {
    return this.#options.channel.flag === "p" ? "SCRAM-SHA-256-PLUS" : "SCRAM-SHA-256";
  }

  first(): Buffer {
    return Buffer.from(this.#header + this.#bare);
  }

  /** @throws RegateError UPSTREAM_AUTH */
  async final(serverFirst: Buffer): Promise<Buffer> {
    const text = serverFirst.toString("latin1");
    const match = /^r=([\x21-\x2b\x2d-\x7e]+),s=([A-Za-z0-9+/]+={0,2}),i=([1-9]\d{0,9})(?:,.*)?$/s.exec(text);
    if (match === null)
      throw refused(
        /^e=/.test(text) ? `the server says ${text.slice(2, 200)}` : "the server's first message cannot be read",
      );
    const [, nonce, salt, count] = match as unknown as [string, string, string, string];
    const iterations = Number(count);
    if (!nonce.startsWith(this.#nonce) || nonce.length === this.#nonce.length)
      throw refused("the server's nonce does not continue the client's");
    if (iterations > mostIterations)
      throw refused(`the server asks for ${iterations} iterations, more than ${mostIterations}`);
    if (iterations < this.#options.leastIterations) {
      throw refused(
        `the server asks for ${iterations} iterations over an unprotected connection, less than ${this.#options.leastIterations}`,
      );
    }
    const salted = await this.#salt(salt, iterations);
    const { channel } = this.#options;
    const bound =
      channel.flag === "p" ? Buffer.concat([Buffer.from(this.#header), channel.binding]) : Buffer.from(this.#header);
    const withoutProof = `c=${bound.toString("base64")},r=${nonce}`;
    const signed = `${this.#bare},${text},${withoutProof}`;
    const clientKey = hmac(salted, "Client Key");
    const proof = hmac(createHash("sha256").update(clientKey).digest(), signed);
    for (let i = 0; i < proof.length; i++) proof[i]! ^= clientKey[i]!;
    this.#signature = hmac(hmac(salted, "Server Key"), signed);
    return Buffer.from(`${withoutProof},p=${proof.toString("base64")}`);
  }

  async #salt(salt: string, iterations: number): Promise<Buffer> {
    const { known, password } = this.#options;
    if (known?.salt === salt && known.iterations === iterations) {
      this.salted = known;
      return known.salted;
    }
    const salted = await derive(saslprep(password), Buffer.from(salt, "base64"), iterations, 32, "sha256");
    this.salted = { salt, iterations, salted };
    return salted;
  }

  /** @throws RegateError UPSTREAM_AUTH */
  verify(serverFinal: Buffer): void {
    const text = serverFinal.toString("latin1");
    if (text.startsWith("e=")) throw refused(`the server says ${text.slice(2, 200)}`);
    const given = Buffer.from(/^v=([A-Za-z0-9+/]+={0,2})(?:,.*)?$/s.exec(text)?.[1] ?? "", "base64");
    const expected = this.#signature;
    if (expected === undefined || given.length !== expected.length || !timingSafeEqual(given, expected)) {
      throw refused("the server could not prove that it knows the password");
    }
    this.verified = true;
  }
}

function hmac(key: Buffer, text: string): Buffer {
  return createHmac("sha256", key).update(text, "latin1").digest();
}

function refused(what: string): RegateError {
  return new RegateError("UPSTREAM_AUTH", { detail: `SCRAM: ${what}.` });
}

// RFC 3454: B.1 mapped to nothing, C.1.2 mapped to space, and what is prohibited (C.1.2 to C.9).
const nothing = /\u034f|[\u180b-\u180d]|[\ufe00-\ufe0f]|[\u00ad\u1806\u200b-\u200d\u2060\ufeff]/g;
const spaces = /[\u00a0\u1680\u2000-\u200b\u202f\u205f\u3000]/g;
const prohibited =
  /[\u0340\u0341\p{Cc}\p{Cs}\p{Co}\p{Cn}\u06dd\u070f\u180e\u200c-\u200f\u2028-\u202e\u2060-\u2063\u206a-\u206f\u2ff0-\u2ffb\ufeff\ufff9-\ufffd\u{1d173}-\u{1d17a}\u{e0001}\u{e0020}-\u{e007f}]/u;
/** Unassigned in Unicode 3.2, by which PostgreSQL goes. The planes of symbols are what passwords have of it. */
const newer = /[\u{1f000}-\u{1ffff}]/u;
const rightToLeft = /[\p{Script=Hebrew}\p{Script=Arabic}\p{Script=Syriac}\p{Script=Thaana}]/u;
const leftToRight =
  /[\p{Script=Latin}\p{Script=Greek}\p{Script=Cyrillic}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]/u;

/** The password as PostgreSQL stored it: prepared by RFC 4013, or as it is where it cannot be (as pg_saslprep's callers do). */
export function saslprep(password: string): string {
  if (/^[\x00-\x7f]*$/.test(password)) return password;
  const prepared = password.replace(spaces, " ").replace(nothing, "").normalize("NFKC");
  if (prepared === "" || prohibited.test(prepared) || newer.test(prepared)) return password;
  if (rightToLeft.test(prepared)) {
    const letters = [...prepared];
    const framed = rightToLeft.test(letters[0]!) && rightToLeft.test(letters.at(-1)!);
    if (!framed || leftToRight.test(prepared)) return password;
  }
  return prepared;
}
