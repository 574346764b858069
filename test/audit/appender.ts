// A process that appends records and says on stdout which are durable; the test kills it. Arguments: folder, durability.
import { writeSync } from "node:fs";
import { openAuditLog } from "../../src/audit/index.ts";

const [dir, durability] = process.argv.slice(2) as [string, "fsync" | "write"];
const log = await openAuditLog({ dir, durability });
let number = 0;
for (let session = 0; session < 8; session++) next(session);

function next(session: number): void {
  const own = number++;
  const line = JSON.stringify({
    path: "regate/decision",
    custom: { session, sequence: own },
    text: "x".repeat(own % 3000),
  });
  log.append(line).settled((error) => {
    if (error !== undefined) throw error;
    writeSync(1, `${own}\n`);
    next(session);
  });
}
