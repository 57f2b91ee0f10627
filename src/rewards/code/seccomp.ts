/** Numbers of the system calls that a candidate may not make, by processor. Absent: this processor has no such call. */
const DENIED: Readonly<Record<string, readonly [x64: number | null, arm64: number | null]>> = {
  // other processes
  fork: [57, null],
  vfork: [58, null],
  ptrace: [101, 117],
  process_vm_readv: [310, 270],
  process_vm_writev: [311, 271],
  pidfd_open: [434, 434],
  pidfd_getfd: [438, 438],
  pidfd_send_signal: [424, 424],
  process_madvise: [440, 440],
  kcmp: [312, 272],
  // sockets of every family, those that no network namespace separates too
  socket: [41, 198],
  connect: [42, 203],
  bind: [49, 200],
  listen: [50, 201],
  accept: [43, 202],
  accept4: [288, 242],
  // mounts and namespaces
  mount: [165, 40],
  umount2: [166, 39],
  pivot_root: [155, 41],
  chroot: [161, 51],
  unshare: [272, 97],
  setns: [308, 268],
  open_tree: [428, 428],
  move_mount: [429, 429],
  fsopen: [430, 430],
  fsconfig: [431, 431],
  fsmount: [432, 432],
  fspick: [433, 433],
  mount_setattr: [442, 442],
  open_by_handle_at: [304, 265],
  name_to_handle_at: [303, 264],
  // memory that no limit counts
  memfd_create: [319, 279],
  memfd_secret: [447, 447],
  shmget: [29, 194],
  msgget: [68, 186],
  semget: [64, 190],
  mq_open: [240, 180],
  // wide or rarely used doors of the kernel
  seccomp: [317, 277],
  io_setup: [206, 0],
  quotactl_fd: [443, 443],
  keyctl: [250, 219],
  add_key: [248, 217],
  request_key: [249, 218],
  bpf: [321, 280],
  perf_event_open: [298, 241],
  userfaultfd: [323, 282],
  io_uring_setup: [425, 425],
  io_uring_enter: [426, 426],
  io_uring_register: [427, 427],
  fanotify_init: [300, 262],
  inotify_init: [253, null],
  inotify_init1: [294, 26],
  personality: [135, 92],
  modify_ldt: [154, null],
  iopl: [172, null],
  ioperm: [173, null],
  syslog: [103, 116],
  vmsplice: [278, 75],
  // the system as a whole
  kexec_load: [246, 104],
  kexec_file_load: [320, 294],
  init_module: [175, 105],
  finit_module: [313, 273],
  delete_module: [176, 106],
  quotactl: [179, 60],
  acct: [163, 89],
  swapon: [167, 224],
  swapoff: [168, 225],
  reboot: [169, 142],
  settimeofday: [164, 170],
  clock_settime: [227, 112],
  adjtimex: [159, 171],
  clock_adjtime: [305, 266],
};

interface Machine {
  /** What the kernel calls it. */
  readonly audit: number;
  /** Its column above. */
  readonly column: 0 | 1;
  /** Calls that depend on an argument, or have a substitute. */
  readonly clone: number;
  readonly clone3: number;
  readonly socketpair: number;
}

/** By processor, as Node names it. */
const MACHINES: Readonly<Record<string, Machine>> = {
  x64: { audit: 0xc000003e, column: 0, clone: 56, clone3: 435, socketpair: 53 },
  arm64: { audit: 0xc00000b7, column: 1, clone: 220, clone3: 435, socketpair: 199 },
};

const CLONE_THREAD = 0x10000;
const AF_UNIX = 1;
/** Calls of the other 32-bit view of x64. */
const X32_BIT = 0x40000000;
const [EPERM, ENOSYS] = [1, 38];
const [LOAD, IF_EQUAL, IF_AT_LEAST, IF_ANY_BIT, RETURN] = [0x20, 0x15, 0x35, 0x45, 0x06];
const [ALLOW, ERROR, KILL] = [0x7fff0000, 0x00050000, 0x80000000];
/** Offsets in the kernel's record of a call: number, processor, first argument. */
const [NUMBER, MACHINE, ARGUMENT] = [0, 4, 16];

/**
 * A filter of system calls (seccomp, classic BPF) for a candidate: it may start threads but no processes, and open no sockets but pairs within
 * itself (asyncio needs one); the calls above fail with "not permitted".
 * @returns null for processors whose numbers are not known here
 */
export function systemCallFilter(arch: string = process.arch): Uint8Array | null {
  const machine = MACHINES[arch];
  if (!machine) return null;
  const rows: [code: number, ifTrue: number, ifFalse: number, value: number][] = [
    [LOAD, 0, 0, MACHINE],
    [IF_EQUAL, 1, 0, machine.audit],
    [RETURN, 0, 0, KILL],
    [LOAD, 0, 0, NUMBER],
  ];
  if (machine.column === 0) rows.push([IF_AT_LEAST, 0, 1, X32_BIT], [RETURN, 0, 0, KILL]);
  for (const numbers of Object.values(DENIED)) {
    const number = numbers[machine.column];
    if (number !== null) rows.push([IF_EQUAL, 0, 1, number], [RETURN, 0, 0, ERROR | EPERM]);
  }
  rows.push([IF_EQUAL, 0, 1, machine.clone3], [RETURN, 0, 0, ERROR | ENOSYS]); // its arguments can't be seen; libraries then use clone
  rows.push(
    [IF_EQUAL, 0, 4, machine.clone],
    [LOAD, 0, 0, ARGUMENT],
    [IF_ANY_BIT, 0, 1, CLONE_THREAD],
    [RETURN, 0, 0, ALLOW],
    [RETURN, 0, 0, ERROR | EPERM],
  );
  rows.push(
    [IF_EQUAL, 0, 3, machine.socketpair],
    [LOAD, 0, 0, ARGUMENT],
    [IF_EQUAL, 1, 0, AF_UNIX],
    [RETURN, 0, 0, ERROR | EPERM],
  );
  rows.push([RETURN, 0, 0, ALLOW]);
  const bytes = new Uint8Array(rows.length * 8);
  const view = new DataView(bytes.buffer);
  rows.forEach(([code, ifTrue, ifFalse, value], i) => {
    view.setUint16(8 * i, code, true);
    view.setUint8(8 * i + 2, ifTrue);
    view.setUint8(8 * i + 3, ifFalse);
    view.setUint32(8 * i + 4, value >>> 0, true);
  });
  return bytes;
}
