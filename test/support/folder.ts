// A temporary folder that the database's user can enter, too, removed when the test file ends.
import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after } from "node:test";

export function temporaryFolder(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), `regate-${name}-`));
  chmodSync(folder, 0o755);
  after(() => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  return folder;
}
