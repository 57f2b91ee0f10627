/**
 * Runs inside of the sandbox: reads {"calls"} (and {"code"} where no file holds the program) as JSON from standard input, loads the program as a
 * module named `solution`, calls its functions and writes one line of JSON a call. What the program prints is dropped. It shares the process
 * with the program, which may therefore do anything to it: it holds nothing worth reading, and its lines are checked outside.
 */
export const PYTHON_GUEST = `
import sys, os, json, types

def encode(value, depth=0):
    if depth > 100:
        raise ValueError("the result is nested too deeply")
    if value is None or value is True or value is False:
        return value
    kind = type(value)
    if isinstance(value, int):
        value = int.__add__(value, 0)
        return value if abs(value) < 2 ** 53 else {"i": str(value)}
    if isinstance(value, float):
        value = float.__add__(value, 0.0)
        if value != value or value in (float("inf"), float("-inf")):
            return {"n": repr(value)}
        return {"f": repr(value)} if value == int(value) else value
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, (bytes, bytearray)):
        return {"b": bytes(value).hex()}
    if isinstance(value, list):
        return [encode(item, depth + 1) for item in list.__iter__(value)]
    if isinstance(value, tuple):
        return {"t": [encode(item, depth + 1) for item in tuple.__iter__(value)]}
    if isinstance(value, (set, frozenset)):
        return {"s": [encode(item, depth + 1) for item in set(value)]}
    if isinstance(value, dict):
        return {"d": [[encode(k, depth + 1), encode(v, depth + 1)] for k, v in dict.items(value)]}
    if kind.__name__ == "deque" and kind.__module__ == "collections":
        return [encode(item, depth + 1) for item in value]
    if kind.__module__ == "numpy" and hasattr(value, "tolist"):
        return encode(value.tolist(), depth + 1)
    return {"x": kind.__name__}

def decode(value):
    if isinstance(value, list):
        return [decode(item) for item in value]
    if not isinstance(value, dict):
        return value
    (kind, content), = value.items()
    if kind == "n" or kind == "f":
        return float(content)
    if kind == "i":
        return int(content)
    if kind == "t":
        return tuple(decode(item) for item in content)
    if kind == "s":
        return set(decode(item) for item in content)
    if kind == "b":
        return bytes.fromhex(content)
    return {decode(k): decode(v) for k, v in content}

def find(space, name):
    parts = name.split(".")
    if parts[0] not in space:
        raise NameError("there is no " + parts[0])
    found = space[parts[0]]
    for part in parts[1:]:
        found = getattr(found() if isinstance(found, type) else found, part)
    return found

def main():
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    request = json.loads(sys.stdin.buffer.read())
    out = os.dup(1)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.dup2(null, 1)
    def reply(line):
        data = (MARK + json.dumps(line, ensure_ascii=False) + "\\n").encode("utf-8", "surrogatepass")
        while data:
            data = data[os.write(out, data):]
    def explain(error):
        return {"error": type(error).__name__ + ": " + str(error)[:300]}
    module = types.ModuleType("solution")
    sys.modules["solution"] = module
    try:
        code = request["code"] if "code" in request else open("/code/main.py", encoding="utf-8").read()
        exec(compile(code, "solution.py", "exec"), module.__dict__)
    except BaseException as error:
        reply(explain(error))
        os._exit(0)
    for call in request["calls"]:
        try:
            reply({"value": encode(find(module.__dict__, call["name"])(*[decode(arg) for arg in call["args"]]))})
        except BaseException as error:
            reply(explain(error))
    os._exit(0)

MARK = "\\x1e"
main()
`;
