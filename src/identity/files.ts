// Secrets in files: made once, whoever comes first, and readable by nobody else.
import { randomUUID } from "node:crypto";
import { link, mkdir, open, readFile, stat, unlink } from "node:fs/promises";
import { join } from "node:path";
import { errorText, RegateError } from "../errors.ts";

/**
 * Reads `name` in `dir`, or makes it with `create`. Two processes that race get the same bytes: the file appears under its name
 * complete or not at all, and only once.
 * @throws RegateError KEY_UNREADABLE
 */
export async function readOrCreate(dir: string, name: string, create: () => Promise<Buffer> | Buffer): Promise<Buffer> {
  const path = join(dir, name);
  try {
    const found = await readSecret(path);
    if (found !== undefined) return found;
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await publish(dir, path, await create());
    const made = await readSecret(path);
    if (made !== undefined) return made;
    throw new Error("it vanished while it was made");
  } catch (cause) {
    if (cause instanceof RegateError) throw cause;
    throw new RegateError("KEY_UNREADABLE", {
      detail: `${path}: ${errorText(cause)}`,
      hint: "Run the command as the user that the gate runs as, with the gate's data_dir.",
      cause,
    });
  }
}

/** Undefined when there is no such file. */
async function readSecret(path: string): Promise<Buffer | undefined> {
  let bytes: Buffer;
  try {
    bytes = await readFile(path);
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    throw cause;
  }
  const { mode } = await stat(path);
  if (process.platform !== "win32" && (mode & 0o007) !== 0) {
    throw new RegateError("KEY_UNREADABLE", {
      detail: `${path}: everybody may open it (mode ${(mode & 0o777).toString(8)})`,
      hint: `Close it with: chmod 600 ${path}. Whoever may have read it can issue tokens: delete it to get a new key.`,
    });
  }
  return bytes;
}

async function publish(dir: string, path: string, bytes: Buffer): Promise<void> {
  const draft = join(dir, `.${randomUUID()}`);
  const file = await open(draft, "wx", 0o600);
  try {
    await file.writeFile(bytes);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(draft, path);
    const folder = await open(dir, "r");
    await folder.sync().finally(() => folder.close());
  } catch (cause) {
    if ((cause as NodeJS.ErrnoException).code !== "EEXIST") throw cause;
  } finally {
    await unlink(draft);
  }
}
