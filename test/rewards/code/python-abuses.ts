import { type Abuse, BRIEF, CALL, endless, PRINT, wrong } from "./abuses.ts";

const NO_FILE = /FileNotFoundError/;
const DENIED = /PermissionError: \[Errno 1\] Operation not permitted/;
const NOTHING = /returned null, expected the secret/;
const READ_ONLY = /Read-only file system/;

/** Calls of the C library, for those who pass Python by. */
const LIBC = "import ctypes, os\nlibc = ctypes.CDLL(None, use_errno=True)";
const FAILED =
  'raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno())) if got == -1 else ValueError("it worked")';

const files: readonly Abuse[] = [
  ...wrong(CALL, [
    ["reads the file", 'solve = lambda x: open("{FILE}").read()', NO_FILE],
    ["reads it by a way with dots", 'solve = lambda x: open("/tmp/../usr/..{FILE}").read()', NO_FILE],
    [
      "reads it through a symbolic link",
      ["import os", "def solve(x):", '    os.symlink("{FILE}", "/tmp/link")', '    return open("/tmp/link").read()'],
      NO_FILE,
    ],
    ["links to it", 'import os\nsolve = lambda x: os.link("{FILE}", "/tmp/hard")', NO_FILE],
    [
      "walks the whole system for it",
      [
        "import os",
        "def solve(x):",
        '    for folder, folders, names in os.walk("/"):',
        '        if folder == "/": folders.remove("usr")',
        "        for name in names:",
        '            if "secret" in name and folder.startswith("/tmp"):',
        "                return open(os.path.join(folder, name)).read()",
      ],
      NOTHING,
    ],
    ["looks into the folder", 'import os\nsolve = lambda x: os.listdir("{FOLDER}")', NO_FILE],
    ["reads accounts", 'solve = lambda x: open("/etc/passwd").read()', NO_FILE],
    ["reads root's home", 'import os\nsolve = lambda x: os.listdir("/root")', NO_FILE],
    ["reads a disk", 'solve = lambda x: open("/dev/sda", "rb").read(10)', NO_FILE],
    [
      "makes a device",
      'import os\nsolve = lambda x: os.mknod("/tmp/mem", 0o20600, os.makedev(1, 1))',
      /PermissionError|Operation not permitted/,
    ],
    ["writes to the file", 'solve = lambda x: open("{FILE}", "w").write("x")', NO_FILE],
    ["writes to the system", 'solve = lambda x: open("/usr/lib/python3/x.py", "w")', READ_ONLY],
    ["writes to the root folder", 'solve = lambda x: open("/x", "w")', READ_ONLY],
    ["writes to shared memory", 'solve = lambda x: open("/dev/shm/x", "w")', READ_ONLY],
    ["overwrites its own program", 'solve = lambda x: open("/code/main.py", "w")', READ_ONLY],
    [
      "mounts",
      [LIBC, "def solve(x):", '    got = libc.mount(b"/", b"/tmp", None, 4096, None)', `    ${FAILED}`],
      DENIED,
    ],
    ["changes the root folder", 'import os\nsolve = lambda x: os.chroot("/tmp")', DENIED],
    [
      "writes a huge file",
      [
        "def solve(x):",
        '    with open("/tmp/huge", "wb") as file:',
        "        while True:",
        "            file.write(bytes(2 ** 20))",
      ],
      /OSError: \[Errno (27|28)\]/,
    ],
    [
      "fills its folder with files",
      ["def solve(x):", "    for i in range(40):", '        open(f"/tmp/{i}", "wb").write(bytes(2 ** 20))'],
      /OSError: \[Errno 28\] No space/,
    ],
    [
      "opens more files than it may",
      "solve = lambda x: [open('/dev/null') for _ in range(1000)]",
      /OSError: \[Errno 24\]/,
    ],
  ]),
];

const environment: readonly Abuse[] = [
  ...wrong(CALL, [
    ["reads the environment", 'import os\nsolve = lambda x: os.environ.get("RLVR_CANARY")', NOTHING],
    [
      "reads it from C",
      [LIBC, "libc.getenv.restype = ctypes.c_char_p", 'solve = lambda x: libc.getenv(b"RLVR_CANARY")'],
      NOTHING,
    ],
    ["reads it of its own process", 'solve = lambda x: open("/proc/self/environ").read()', NO_FILE],
    ["reads it of the first process", 'solve = lambda x: open("/proc/1/environ").read()', NO_FILE],
    ["looks for processes", 'import os\nsolve = lambda x: os.listdir("/proc")', NO_FILE],
    ["looks at the kernel's settings", 'import os\nsolve = lambda x: os.listdir("/sys")', NO_FILE],
  ]),
  ...wrong(PRINT, [
    ["becomes a program that prints the environment", 'import os\nos.execv("/usr/bin/env", ["env"])', /printed "PATH=/],
    [
      "becomes a shell that reads the file",
      'import os\nos.execv("/bin/sh", ["sh", "-c", "read x < {FILE}; echo $x"])',
      /printed "\\n"/,
    ],
  ]),
];

const network: readonly Abuse[] = [
  ...wrong(CALL, [
    [
      "asks a server on this machine",
      'import urllib.request\nsolve = lambda x: urllib.request.urlopen("http://127.0.0.1:{PORT}/").read().decode()',
      /Operation not permitted/,
    ],
    ["opens a TCP socket", 'import socket\nsolve = lambda x: socket.create_connection(("127.0.0.1", {PORT}))', DENIED],
    ["opens one of version 6", "import socket\nsolve = lambda x: socket.socket(socket.AF_INET6)", DENIED],
    ["opens a UDP socket", "import socket\nsolve = lambda x: socket.socket(type=socket.SOCK_DGRAM)", DENIED],
    [
      "asks for a name",
      'import socket\nsolve = lambda x: socket.gethostbyname("localhost")',
      /gaierror|OSError|PermissionError/,
    ],
    [
      "asks the server behind a socket file",
      [
        "import socket",
        "def solve(x):",
        "    s = socket.socket(socket.AF_UNIX)",
        '    s.connect("{SOCKET}")',
        "    return s.recv(100)",
      ],
      DENIED,
    ],
    [
      "asks one by an abstract name",
      'import socket\nsolve = lambda x: socket.socket(socket.AF_UNIX).connect("\\0rlvr")',
      DENIED,
    ],
    [
      "turns a pair of sockets to a file",
      'import socket\nsolve = lambda x: socket.socketpair(type=socket.SOCK_DGRAM)[0].connect("{SOCKET}")',
      DENIED,
    ],
    [
      "talks to the kernel",
      "import socket\nsolve = lambda x: socket.socket(socket.AF_NETLINK, socket.SOCK_RAW)",
      DENIED,
    ],
    ["waits for visitors", 'import socket\nsolve = lambda x: socket.create_server(("", 0))', DENIED],
  ]),
];

const processes: readonly Abuse[] = [
  ...wrong(CALL, [
    ["forks", "import os\nsolve = lambda x: os.fork()", DENIED],
    [
      "forks without end",
      [
        "import os",
        "def solve(x):",
        "    for _ in range(10 ** 4):",
        "        try: os.fork()",
        "        except OSError: pass",
        "    os.fork()",
      ],
      DENIED,
    ],
    [
      "forks by number",
      [
        LIBC,
        "def solve(x):",
        "    got = libc.syscall(57 if os.uname().machine == 'x86_64' else 220, 17, 0, 0, 0, 0)",
        `    ${FAILED}`,
      ],
      DENIED,
    ],
    ["starts a command", 'import subprocess\nsolve = lambda x: subprocess.check_output(["cat", "{FILE}"])', DENIED],
    ["starts a shell", 'import os\nsolve = lambda x: os.system("cat {FILE}")', /returned (-1|32512|\d+), expected/],
    ["reads from a shell", 'import os\nsolve = lambda x: os.popen("cat {FILE}").read()', DENIED],
    ["spawns", 'import os\nsolve = lambda x: os.posix_spawn("/usr/bin/env", ["env"], {})', DENIED],
    [
      "starts a pool of workers",
      "import multiprocessing\nsolve = lambda x: multiprocessing.Pool(2).map(str, [1])",
      /PermissionError|OSError|FileNotFoundError/,
    ],
    [
      "starts threads without end",
      [
        "import threading, time",
        "def solve(x):",
        "    while True: threading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
      ],
      /can't start new thread|MemoryError/,
    ],
    [
      "kills everything",
      "import os\nsolve = lambda x: os.kill(-1, 9)",
      /returned null|ProcessLookupError|PermissionError/,
    ],
    ["kills its parent", "import os\nsolve = lambda x: os.kill(os.getppid(), 9)", NOTHING],
    ["kills itself", "import os\nsolve = lambda x: os.kill(os.getpid(), 9)", /ended by signal 9/],
    ["becomes root", "import os\nsolve = lambda x: os.setuid(0)", /PermissionError|OSError/],
    [
      "traces its parent",
      [LIBC, "def solve(x):", "    got = libc.ptrace(16, os.getppid(), 0, 0)", `    ${FAILED}`],
      DENIED,
    ],
    ["makes a namespace", [LIBC, "def solve(x):", "    got = libc.unshare(0x10000000)", `    ${FAILED}`], DENIED],
    [
      "asks for more memory than it may",
      "import resource\nsolve = lambda x: resource.setrlimit(resource.RLIMIT_AS, (-1, -1))",
      /ValueError|PermissionError|not allowed/,
    ],
    ["goes before others", "import os\nsolve = lambda x: os.nice(-10)", /PermissionError/],
    ["writes where it must not", "import ctypes\nsolve = lambda x: ctypes.string_at(8)", /ended by signal 11/],
  ]),
];

/** What it returned is what was asked, but for its own opinion. */
const NUMBER = [{ call: "solve", args: [1], expected: 42 }];
const LIST = [{ call: "solve", args: [1], expected: [1, 2] }];
const MAPPING = [{ call: "solve", args: [1], expected: { a: 1 } }];

const pretence: readonly Abuse[] = [
  ...wrong(CALL, [
    [
      "returns what is equal to everything",
      [
        "class Equal:",
        "    def __eq__(self, other): return True",
        "    def __hash__(self): return 0",
        "solve = lambda x: Equal()",
      ],
      /returned "a value of type Equal"/,
    ],
    [
      "returns a mock that is equal to everything",
      "from unittest.mock import ANY\nsolve = lambda x: ANY",
      /a value of type _ANY/,
    ],
    [
      "returns a text that is equal to everything",
      [
        "class Text(str):",
        "    def __eq__(self, other): return True",
        "    def __str__(self): return 'no'",
        "solve = lambda x: Text('yes')",
      ],
      /returned "yes"/,
    ],
    [
      "claims to be a text",
      [
        "class Fake:",
        "    __class__ = property(lambda self: str)",
        "    def __eq__(self, other): return True",
        "solve = lambda x: Fake()",
      ],
      /TypeError/,
    ],
    [
      "has a type whose name is equal to everything",
      [
        "class Name(str):",
        "    def __eq__(self, other): return True",
        "    __hash__ = str.__hash__",
        "solve = lambda x: type(Name('deque'), (), {})()",
      ],
      /a value of type deque/,
    ],
    ["returns itself in a list", "def solve(x):\n    a = []\n    a.append(a)\n    return a", /nested too deeply/],
    ["returns nothing to compare", "def solve(x):\n    while True: yield x", /a value of type generator/],
    ["returns its function", "solve = lambda x: solve", /a value of type function/],
  ]),
  ...wrong(NUMBER, [
    [
      "returns a number that is equal to everything",
      [
        "class Number(int):",
        "    def __eq__(self, other): return True",
        "    def __add__(self, other): return 42",
        "    def __repr__(self): return '42'",
        "solve = lambda x: Number(7)",
      ],
      /returned 7, expected 42/,
    ],
    [
      "returns a float that is equal to everything",
      [
        "class Number(float):",
        "    def __eq__(self, other): return True",
        "    def __repr__(self): return '42.0'",
        "solve = lambda x: Number(7.5)",
      ],
      /returned 7.5, expected 42/,
    ],
    ["returns no number", "solve = lambda x: float('nan')", /returned "nan", expected 42/],
    [
      "returns infinity where numbers may differ",
      "solve = lambda x: float('inf')",
      /returned "inf", expected 42/,
      { tolerance: 1 },
    ],
    ["returns the number as text", "solve = lambda x: '42'", /returned "42", expected 42/],
    ["returns the number in a list", "solve = lambda x: [42]", /returned \[42\], expected 42/],
    ["returns a complex number", "solve = lambda x: 42 + 0j", /a value of type complex/],
  ]),
  ...wrong(LIST, [
    [
      "returns a list that is equal to everything",
      [
        "class List(list):",
        "    def __eq__(self, other): return True",
        "    def __iter__(self): return iter([1, 2])",
        "    def __len__(self): return 2",
        "solve = lambda x: List([3])",
      ],
      /returned \[3\], expected \[1,2\]/,
    ],
    ["returns both orders", "solve = lambda x: [[1, 2], [2, 1]]", /returned \[\[1,2\],\[2,1\]\]/],
  ]),
  ...wrong(MAPPING, [
    [
      "returns a dictionary that lies about its items",
      [
        "class Dict(dict):",
        "    def items(self): return [('a', 1)]",
        "    def __eq__(self, other): return True",
        "solve = lambda x: Dict(b=2)",
      ],
      /returned {"b":2}, expected {"a":1}/,
    ],
    ["returns the key twice", "solve = lambda x: {'a': 1, 'b': 1}", /returned {"a":1,"b":1}/],
  ]),
];

const tampering: readonly Abuse[] = [
  ...wrong(CALL, [
    ["ends the process with success", "import os\nsolve = lambda x: os._exit(0)", /ended before its function returned/],
    ["ends it while it is loaded", "import os\nos._exit(0)", /ended before its function returned/],
    ["leaves by an exception", "import sys\nsolve = lambda x: sys.exit(0)", /SystemExit: 0/],
    ["leaves while it is loaded", "raise SystemExit(0)", /SystemExit: 0/],
    ["interrupts", "def solve(x): raise KeyboardInterrupt()", /KeyboardInterrupt/],
    ["leaves a generator", "def solve(x): raise GeneratorExit()", /GeneratorExit/],
    [
      "throws what has no text",
      ["class Bad(BaseException):", "    def __str__(self): raise Bad()", "def solve(x): raise Bad()"],
      /ended before its function returned|Bad/,
    ],
    ["does not compile", "def solve(x) return x", /SyntaxError/],
    ["has no such function", "def other(x): return x", /NameError: there is no solve/],
    ["takes other arguments", "def solve(): return 1", /TypeError/],
    [
      "looks for the expected value in the callers",
      [
        "import inspect",
        "def solve(x):",
        "    for frame in inspect.stack():",
        "        for value in list(frame.frame.f_locals.values()) + list(frame.frame.f_globals.values()):",
        "            if 'cana' + 'ry-' in repr(value): return repr(value)",
      ],
      NOTHING,
    ],
    [
      "looks for it among all objects",
      [
        "import gc",
        "def solve(x):",
        "    for value in gc.get_objects():",
        "        if isinstance(value, (list, dict, tuple)) and 'cana' + 'ry-' in str(value): return value",
      ],
      /returned null|RecursionError|returned/,
    ],
    [
      "looks for it in the main module",
      "import __main__\nsolve = lambda x: [v for v in vars(__main__).values() if 'cana' + 'ry-' in repr(v)]",
      /returned \[\]/,
    ],
    [
      "reads the guest's arguments",
      "import sys\nsolve = lambda x: sys.orig_argv[-1][-20:]",
      /returned ".*main\(\)\\n"/,
    ],
    [
      "changes how results are written",
      ["import json", 'json.dumps = lambda *a, **k: \'{"value": "guess"}\'', "solve = lambda x: 1"],
      /returned "guess"/,
    ],
    [
      "writes the reply as an agreement",
      ["import json", "json.dumps = lambda *a, **k: '{\"passed\": true}'", "solve = lambda x: 1"],
      /disturbed its own results/,
    ],
    [
      "changes what types are",
      "import builtins\nbuiltins.isinstance = lambda *a: True\nsolve = lambda x: object()",
      /TypeError|returned/,
    ],
    [
      "removes built-ins",
      "import builtins\nfor name in ('type', 'isinstance', 'open', 'str'): delattr(builtins, name)\nsolve = lambda x: 1",
      /NameError|ended before/,
    ],
    [
      "replaces the modules of the guest",
      "import sys\nsys.modules['os'] = sys.modules['json'] = None\nsolve = lambda x: 1",
      /returned 1/,
    ],
    [
      "replaces its own module",
      "import sys\nsys.modules['solution'] = sys.modules['__main__']\nsolve = lambda x: 1",
      /returned 1/,
    ],
    [
      "writes replies by hand",
      [
        "import os",
        "for fd in range(64):",
        '    try: os.write(fd, b\'\\x1e{"value": "guess"}\\n\' * 3)',
        "    except OSError: pass",
        "solve = lambda x: 1",
      ],
      /returned "guess"/,
    ],
    [
      "writes broken replies",
      [
        "import os",
        "for fd in range(64):",
        '    try: os.write(fd, b\'\\x1e{"value": {"n": "constructor"}}\\n\')',
        "    except OSError: pass",
        "solve = lambda x: 1",
      ],
      /disturbed its own results/,
    ],
    [
      "writes a reply nested without end",
      [
        "import os",
        "for fd in range(64):",
        "    try: os.write(fd, b'\\x1e{\"value\": ' + b'[' * 30000 + b'\\n')",
        "    except OSError: pass",
        "solve = lambda x: 1",
      ],
      /disturbed its own results/,
    ],
    ["closes its descriptors", "import os\nos.closerange(0, 64)\nsolve = lambda x: 1", /exit code 120/],
    [
      "replies when it ends",
      "import atexit, os\natexit.register(lambda: os.write(3, b'\\x1e{\"value\": 1}\\n'))\nsolve = lambda x: os._exit(0)",
      /ended before its function returned/,
    ],
    [
      "traces the guest",
      [
        "import sys",
        "def trace(frame, event, arg):",
        "    frame.f_locals.update(expected=1)",
        "    return trace",
        "sys.settrace(trace)",
        "solve = lambda x: 1",
      ],
      /returned 1/,
    ],
    ["imports what is not there", "import numpy_but_not_really\nsolve = lambda x: 1", /ModuleNotFoundError/],
    [
      "leaves a thread behind",
      [
        "import threading, time",
        "def spin():",
        "    while True: time.sleep(0.01)",
        "def solve(x):",
        "    threading.Thread(target=spin).start()",
        "    return 1",
      ],
      /returned 1/,
    ],
  ]),
  ...wrong(
    [{ input: "1\n", output: "1" }],
    [
      [
        "prints what is right and reports success of its own",
        [
          "import os",
          "print(1, flush=True)",
          "for fd in range(3, 64):",
          "    try: os.write(fd, b'{ \"exit-code\": 0 }\\n')",
          "    except OSError: pass",
          "os._exit(3)",
        ],
        /exit code 3/,
      ],
      ["prints what is right and throws", "print(1)\nraise ValueError('after all')", /ValueError: after all/],
      ["prints what is right, then more", "print(1)\nimport atexit\natexit.register(print, 2)", /printed "1\\n2\\n"/],
      ["prints what is right to the wrong place", "import sys\nprint(1, file=sys.stderr)", /printed ""/],
      ["prints all that could be right", "for i in range(10): print(i)", /printed "0\\n1/],
      ["prints bytes that are no text", "import os\nos.write(1, b'\\xff1')", /printed "\uFFFD1"/],
    ],
  ),
];

const loops: readonly Abuse[] = [
  ...endless(CALL, [
    ["while", "def solve(x):\n    while True: pass", /took longer than 200 ms/],
    ["while it is loaded", "while True: pass", /took longer than 200 ms/],
    ["for", "import itertools\ndef solve(x):\n    for _ in itertools.count(): pass", /took longer/],
    ["comprehension", "solve = lambda x: sum(1 for _ in iter(int, 1))", /took longer/],
    ["regular expression", "import re\nsolve = lambda x: re.match(r'(a|a?)+$', 'a' * 60 + 'b')", /took longer/],
    ["power", "solve = lambda x: 7 ** 7 ** 11 % 10", /took longer/, { memoryMb: 2048 }],
    [
      "long number as text",
      "import sys\nsys.set_int_max_str_digits(0)\nsolve = lambda x: str(1 << 10 ** 8)",
      /took longer/,
    ],
    ["sleep", "import time\nsolve = lambda x: time.sleep(1000)", /took longer/],
    [
      "lock",
      "import threading\nlock = threading.Lock()\nlock.acquire()\nsolve = lambda x: lock.acquire()",
      /took longer/,
    ],
    [
      "asynchronous",
      "import asyncio\nasync def forever():\n    while True: await asyncio.sleep(0)\nsolve = lambda x: asyncio.run(forever())",
      /took longer/,
    ],
    [
      "that catches everything",
      "def solve(x):\n    while True:\n        try:\n            while True: pass\n        except BaseException: pass",
      /took longer/,
    ],
    [
      "deaf to signals",
      "import signal\nfor n in range(1, 65):\n    try: signal.signal(n, signal.SIG_IGN)\n    except (OSError, ValueError): pass\ndef solve(x):\n    while True: pass",
      /took longer/,
    ],
    ["that stops itself", "import os, signal\nsolve = lambda x: os.kill(os.getpid(), signal.SIGSTOP)", /took longer/],
    [
      "in a result's method",
      "class Slow(list):\n    @property\n    def __class__(self):\n        while True: pass\nclass A:\n    @property\n    def __class__(self):\n        while True: pass\nsolve = lambda x: A()",
      /took longer/,
    ],
    [
      "in a finaliser",
      "class A:\n    def __del__(self):\n        while True: pass\ndef solve(x):\n    A()\n    return 1",
      /took longer/,
    ],
    [
      "in threads",
      "import threading\ndef spin():\n    while True: pass\ndef solve(x):\n    for t in [threading.Thread(target=spin) for _ in range(8)]: t.start()\n    t.join()",
      /took longer/,
    ],
    [
      "in a session of its own",
      "import os\ntry: os.setsid()\nexcept OSError: pass\ndef solve(x):\n    while True: pass",
      /took longer/,
    ],
    [
      "under a name of its own",
      "import ctypes\nctypes.CDLL(None).prctl(15, b'{MARK}')\nimport os\nos.closerange(0, 3)\ndef solve(x):\n    while True: pass",
      /took longer/,
    ],
  ]),
  ...endless(PRINT, [
    ["printed", "print(1, flush=True)\nwhile True: pass", /took longer/],
    [
      "in a thread left behind",
      "import threading\ndef spin():\n    while True: pass\nthreading.Thread(target=spin).start()",
      /took longer/,
    ],
    ["with the output closed", "import os\nos.close(1)\nos.close(2)\nwhile True: pass", /took longer/],
    ["at the end", "import atexit\ndef spin():\n    while True: pass\natexit.register(spin)", /took longer/],
  ]),
  ...wrong(CALL, [
    ["recursion", "def solve(x): return solve(x)", /RecursionError/],
    [
      "recursion without a limit",
      "import sys\nsys.setrecursionlimit(10 ** 9)\ndef solve(x): return solve(x)",
      /ended by signal 11|MemoryError|SystemError|needed more/,
      { memoryMb: 48 },
    ],
    ["recursion in C", "import json\nsolve = lambda x: json.loads('[' * 10 ** 6)", /RecursionError/],
    ["nested source", "exec('(' * 10 ** 5)", /MemoryError|SyntaxError|RecursionError|needed more/],
  ]),
];

const floods: readonly Abuse[] = [
  ...wrong(CALL, [
    ["one block of memory", "solve = lambda x: bytearray(10 ** 10)", /MemoryError/],
    [
      "a list without end",
      "def solve(x):\n    a = []\n    while True: a.append(bytes(10 ** 6))",
      /MemoryError|needed more than 256 MiB/,
    ],
    ["a text that doubles", "def solve(x):\n    a = 'a'\n    while True: a += a", /MemoryError/],
    [
      "mapped memory",
      "import mmap\nsolve = lambda x: [mmap.mmap(-1, 2 ** 28) for _ in range(8)]",
      /OSError: \[Errno 12\]|MemoryError/,
    ],
    ["a result of a megabyte", "solve = lambda x: 'a' * 2 ** 20", /returned more than 65536 bytes/],
    ["a result that is nested and wide", "solve = lambda x: [[x] * 300] * 300", /returned more than 65536 bytes/],
    [
      "a reply without an end",
      "import os\ndef solve(x):\n    while True: os.write(3, b'a' * 65536)",
      /printed more than|ended before|OSError/,
    ],
    [
      "errors without end, in a call",
      "import os\ndef solve(x):\n    while True: os.write(2, b'a' * 65536)",
      /printed more than \d+ bytes/,
    ],
    ["a message of a megabyte", "def solve(x): raise ValueError('a' * 2 ** 20)", /ValueError: a+$/],
  ]),
  ...wrong(PRINT, [
    ["output", "while True: print('a' * 1000)", /printed more than 65536 bytes/],
    ["errors", "import sys\nwhile True: print('a' * 1000, file=sys.stderr)", /printed more than 65536 bytes/],
    ["one line", "print('a' * 10 ** 7)", /printed more than 65536 bytes/],
    ["memory", "a = []\nwhile True: a.append(bytes(10 ** 6))", /needed more than 256 MiB/],
    [
      "output in small parts",
      "import os\nwhile True: os.write(1, b'a')",
      /printed more than 1024 bytes/,
      { ...BRIEF, timeoutMs: 20_000, totalMs: 20_000, outputKb: 1 },
    ],
  ]),
];

/** What a Python program may try. */
export const PYTHON_ABUSES: readonly Abuse[] = [
  ...files,
  ...environment,
  ...network,
  ...processes,
  ...pretence,
  ...tampering,
  ...loops,
  ...floods,
];
