import { spawnSync } from "node:child_process";
import { closeSync, existsSync, mkdtempSync, openSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { ConfigError } from "../../utils/errors.ts";
import { systemCallFilter } from "./seccomp.ts";

/** A sandbox that works on this machine. */
export interface PythonSandbox {
  /** Everything before the arguments of Python. */
  command(limits: { readonly memoryMb: number; readonly cpuSeconds: number }): string[];
  readonly filter: Uint8Array;
  /** Versions, for people. */
  readonly versions: string;
}

/** Files that the sandbox inherits: the program, the filter of system calls, and one it reports to. */
export const [PROGRAM_FILE, FILTER_FILE, STATUS_FILE] = [3, 4, 5];

const INSTALL = "apt-get install bubblewrap python3";
const PYTHONS = ["/usr/bin/python3", "/usr/local/bin/python3"];
/** Root gives its rights away before: a program that got out would be nobody, and limits of processes hold for others only. */
const AS_NOBODY = ["/usr/bin/setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "--"];
/** What links in / lead to, and what else of /usr is seen. */
const LINKS = ["bin", "lib", "lib32", "lib64", "libx32"];
const SYSTEM = [...LINKS, "libexec", "share", "local/bin", "local/lib"];
const TMP_BYTES = 16 * 2 ** 20;
const MAX_PROCESSES = 64;
const MAX_FILES = 64;

const PROBE_MS = 30_000;

const found = new Map<string, PythonSandbox | ConfigError>();

/**
 * Looks for bubblewrap and Python and tries them once with everything that a candidate gets.
 * @param python path of the interpreter; it must be under /usr, which is all of the system that a candidate sees
 * @throws ConfigError with what to install; code is never run without a sandbox
 */
export function findSandbox(python: string | null): PythonSandbox {
  const key = python ?? "";
  const known = found.get(key) ?? search(python);
  found.set(key, known);
  if (known instanceof ConfigError) throw known;
  return known;
}

function search(wanted: string | null): PythonSandbox | ConfigError {
  const refuse = (why: string): ConfigError =>
    new ConfigError(
      `code-python: ${why}. Programs are only run in a sandbox. Install it with: ${INSTALL} (or name a sandbox server with the option url)`,
    );
  if (process.platform !== "linux") return refuse(`bubblewrap needs Linux, this is ${process.platform}`);
  const filter = systemCallFilter();
  if (!filter) return refuse(`there is no filter of system calls for ${process.arch}`);
  const bwrap = ["/usr/bin/bwrap", "/usr/local/bin/bwrap", "/bin/bwrap"].find(existsSync);
  if (!bwrap) return refuse("bubblewrap (bwrap) was not found");
  const python = wanted ?? PYTHONS.find(existsSync);
  if (!python || !existsSync(python)) return refuse(`Python was not found${wanted ? ` at ${wanted}` : ""}`);
  if (!/^\/usr\/(.+\/)?bin\/[^/]+$/.test(python) || resolve(python) !== python)
    return refuse(`Python must be in a folder bin under /usr, ${python} is not`);
  if (!existsSync("/usr/bin/prlimit")) return refuse("prlimit (package util-linux) was not found");
  const isRoot = process.getuid?.() === 0;
  let problem = "";
  for (const prefix of isRoot ? [AS_NOBODY, []] : [[]]) {
    const command = (limits: { memoryMb: number; cpuSeconds: number }): string[] => [
      ...prefix,
      bwrap,
      ...isolation(python),
      ...resources(limits),
      python,
      "-s",
      "-B",
    ];
    const probe = tryOut(command({ memoryMb: 512, cpuSeconds: 10 }), filter);
    if (probe.ok) return { command, filter, versions: `${version(bwrap)}, Python ${probe.text}` };
    problem = probe.text;
  }
  return refuse(`bubblewrap ${bwrap} does not work here (it needs version 0.8 and user namespaces): ${problem}`);
}

/**
 * Nothing of the machine but its programs and libraries, read-only (a checkout may be under /usr too); a small private /tmp, whose files live as
 * long as the program; no network, no other processes, no /proc, no environment.
 */
function isolation(python: string): string[] {
  const own = dirname(dirname(python)); // of an installation such as a virtual environment
  const folders = SYSTEM.map((name) => `/usr/${name}`).concat(own === "/usr" || own === "/usr/local" ? [] : own);
  return [
    ...[
      "--unshare-all",
      "--unshare-user",
      "--disable-userns",
      "--uid",
      "65534",
      "--gid",
      "65534",
      "--hostname",
      "sandbox",
    ],
    ...["--die-with-parent", "--new-session", "--cap-drop", "ALL", "--clearenv"],
    ...["--setenv", "PATH", "/usr/bin", "--setenv", "HOME", "/tmp", "--setenv", "LANG", "C.UTF-8"],
    ...["--setenv", "PYTHONHASHSEED", "0", "--setenv", "PYTHONUTF8", "1", "--setenv", "OPENBLAS_NUM_THREADS", "1"],
    ...folders.filter(existsSync).flatMap((folder) => ["--ro-bind", folder, folder]),
    ...LINKS.flatMap((name) => (existsSync(`/usr/${name}`) ? ["--symlink", `usr/${name}`, `/${name}`] : [])),
    ...["--dev", "/dev"],
    ...["--size", String(TMP_BYTES), "--tmpfs", "/tmp", "--ro-bind-data", String(PROGRAM_FILE), "/code/main.py"],
    ...["--remount-ro", "/dev", "--remount-ro", "/", "--chdir", "/tmp"],
    ...["--seccomp", String(FILTER_FILE), "--json-status-fd", String(STATUS_FILE), "--"],
  ];
}

function resources({ memoryMb, cpuSeconds }: { memoryMb: number; cpuSeconds: number }): string[] {
  return [
    "/usr/bin/prlimit",
    `--as=${memoryMb * 2 ** 20}`,
    `--cpu=${cpuSeconds}`,
    `--fsize=${TMP_BYTES}`,
    `--nproc=${MAX_PROCESSES}`,
    `--nofile=${MAX_FILES}`,
    ...["--core=0", "--memlock=0", "--msgqueue=0", "--"],
  ];
}

/** Runs a program that says its version if it can't start a process: that tells that every part works. */
function tryOut([file = "", ...args]: readonly string[], filter: Uint8Array): { ok: boolean; text: string } {
  const program = "import os, platform\ntry:\n    os.fork()\nexcept OSError:\n    print(platform.python_version())\n";
  const folder = mkdtempSync(join(tmpdir(), "rlvr-sandbox-"));
  const opened: number[] = [];
  try {
    for (const content of [program, filter]) {
      const path = join(folder, String(opened.length));
      writeFileSync(path, content);
      opened.push(openSync(path, "r"));
    }
    opened.push(openSync("/dev/null", "w"));
    const stdio = ["ignore" as const, "pipe" as const, "pipe" as const, ...opened];
    const run = spawnSync(file, [...args, "/code/main.py"], {
      env: {},
      stdio,
      encoding: "utf8",
      timeout: PROBE_MS,
      killSignal: "SIGKILL",
    });
    const text = run.stdout?.trim() ?? "";
    if (run.status === 0 && /^3\.\d+/.test(text)) return { ok: true, text };
    return { ok: false, text: (run.stderr?.trim() || run.error?.message || `exit code ${run.status}`).slice(0, 300) };
  } finally {
    for (const descriptor of opened) closeSync(descriptor);
    rmSync(folder, { recursive: true });
  }
}

function version(bwrap: string): string {
  return spawnSync(bwrap, ["--version"], { encoding: "utf8", env: {} }).stdout?.trim() ?? "bubblewrap";
}
