// A real PostgreSQL with a configuration of the test's own, and certificates of a certificate authority of the test's own.
import { execFileSync, spawn } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, writeFileSync } from "node:fs";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { findBinaries, reachableBinaries, runAs } from "../../../src/demo/place.ts";

export type RealServer = {
  readonly port: number;
  /** The folder of its Unix socket. */
  readonly folder: string;
  stop(): Promise<void>;
};

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** The server is the one in REGATE_TEST_PG (a folder of programs), if set. `sql` runs first, as the superuser postgres over the Unix socket, which trusts everybody; `hba` says the rest. */
export async function startServer(
  folder: string,
  options: { readonly hba: string; readonly configuration: string; readonly sql: string },
): Promise<RealServer> {
  const user = runAs();
  const own = (path: string): void => {
    if (user !== undefined) chownSync(path, user.uid, user.gid);
  };
  own(folder);
  const { bin } = reachableBinaries(findBinaries(process.env.REGATE_TEST_PG), user, folder);
  const data = join(folder, "data");
  const as = { ...user, cwd: folder };
  const arguments_ = ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C"];
  execFileSync(join(bin, "initdb"), arguments_, { ...as, stdio: "pipe" });
  writeFileSync(join(data, "pg_hba.conf"), `local all all trust\n${options.hba}\n`);
  const port = await freePort();
  writeFileSync(
    join(data, "postgresql.auto.conf"),
    `listen_addresses = '127.0.0.1'\nport = ${port}\nunix_socket_directories = '${folder}'\nfsync = off\n${options.configuration}\n`,
  );
  const child = spawn(join(bin, "postgres"), ["-D", data], { ...as, stdio: ["ignore", "ignore", "pipe"] });
  process.once("exit", () => child.kill("SIGQUIT"));
  let log = "";
  child.stderr.on("data", (chunk: Buffer) => {
    log += chunk.toString();
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  for (let tries = 0; !log.includes("ready to accept connections"); tries++) {
    if (tries > 400 || child.exitCode !== null) throw new Error(`PostgreSQL did not start: ${log}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
  const stop = async (): Promise<void> => {
    child.kill("SIGINT");
    await ended;
  };
  const psql = ["-h", folder, "-p", String(port), "-U", "postgres", "-v", "ON_ERROR_STOP=1", "-q", "postgres"];
  try {
    execFileSync("psql", psql, { input: options.sql, stdio: "pipe" });
  } catch (error) {
    await stop();
    throw error;
  }
  return {
    port,
    folder,
    stop,
  };
}

export type Authority = {
  readonly ca: string;
  readonly caKey: string;
  /** Makes `name.crt` and `name.key`; the paths. */
  issue(name: string, subject: string, alternative?: string): { cert: string; key: string };
};

const rsa = ["rsa:2048", "-sha256"];

/** `openssl` makes what a server's owner would make with it. */
export function createAuthority(folder: string, algorithm: readonly string[] = rsa): Authority {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o755);
  const openssl = (...given: string[]): void => {
    execFileSync("openssl", given, { cwd: folder, stdio: "pipe" });
  };
  const readable = (key: string): void => {
    const user = runAs();
    if (user !== undefined) chownSync(key, user.uid, user.gid);
    chmodSync(key, 0o600);
  };
  const [kind = "", ...signing] = algorithm;
  const root = ["-keyout", "ca.key", "-out", "ca.crt", "-subj", "/CN=Test CA", "-days", "2"];
  openssl("req", "-x509", "-nodes", "-newkey", kind, ...signing, ...root);
  readable(join(folder, "ca.key"));
  return {
    ca: join(folder, "ca.crt"),
    caKey: join(folder, "ca.key"),
    issue: (name, subject, alternative) => {
      const extension = alternative === undefined ? [] : ["-addext", `subjectAltName=${alternative}`];
      const request = [
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-CA",
        "ca.crt",
        "-CAkey",
        "ca.key",
        "-nodes",
        "-days",
        "2",
      ];
      const paths = ["-keyout", `${name}.key`, "-out", `${name}.crt`, "-subj", `/CN=${subject}`];
      const constraint = ["-addext", "basicConstraints=critical,CA:FALSE"];
      openssl(...request, ...paths, ...constraint, ...extension);
      const [cert, key] = [join(folder, `${name}.crt`), join(folder, `${name}.key`)];
      readable(key);
      return { cert, key };
    },
  };
}
