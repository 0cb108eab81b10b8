"""injections.py OUT BASE_URL [OPERATION...]: every parameter and field of every operation, under every payload that sqlmap has for PostgreSQL."""

import json
import pathlib
import subprocess
import sys

import requests

OUT, BASE = pathlib.Path(sys.argv[1]), sys.argv[2]
DOCUMENT = requests.get(f"{BASE}/openapi.json", timeout=30).json()
WHO = {"viewer": ("viewer", "viewer"), "streamer": ("demo", "streamer"), "editor": ("demo", "streamer"),
       "moderator": ("demo", "streamer"), "observer": ("admin", "admin"), "admin": ("admin", "admin")}
# Streams never end, and what ends the session or the system's work would end the attack.
PASSED_OVER = {"logOut", "endMyOtherSessions"}
SOMETHING = {"string": "demo", "integer": 1, "number": 1, "boolean": True, "array": [], "object": {}}


def schema(of):
    if "$ref" in of:
        return schema(DOCUMENT["components"]["schemas"][of["$ref"].rsplit("/", 1)[1]])
    return schema(of["allOf"][0]) if "allOf" in of else of


def example(of):
    of = schema(of)
    if "example" in of:
        return of["example"]
    if "enum" in of:
        return of["enum"][0]
    if of.get("format") == "uuid":
        return "01a1fc55-e97f-7272-9a0b-3ed5ef258b15"
    return SOMETHING.get(of.get("type"), "demo")


def token(asker):
    login, role = WHO.get(asker, WHO["viewer"])
    answer = requests.post(f"{BASE}/auth/dev/login", json={"login": login, "role": role}, timeout=30)
    answer.raise_for_status()
    return answer.json()["token"]


def places(operation, path):
    """Each place of a request that takes a value: what it is called, the path with its query, and the body, with a mark there."""
    values, query = {}, []
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            values[parameter["name"]] = str(example(parameter["schema"]))
        elif parameter["in"] == "query":
            query.append((parameter["name"], example(parameter["schema"])))
    bodies = [example(of["schema"]) for kind, of in operation.get("requestBody", {}).get("content", {}).items() if "json" in kind]
    body = bodies[0] if bodies else None

    def request(marked):
        filled = path
        for name, value in values.items():
            filled = filled.replace("{" + name + "}", value + "*" * (marked == ("path", name)))
        asked = [f"{name}={value}" + "*" * (marked == ("query", name)) for name, value in query]
        return filled + ("?" + "&".join(asked) if asked else ""), body

    for name in values:
        yield name, *request(("path", name))
    for name, _ in query:
        yield name, *request(("query", name))
    for name, marked in leaves(body):
        yield name, request(None)[0], marked


def leaves(of, name="body"):
    """Each value within, and the whole with a mark behind it."""
    if isinstance(of, dict):
        for key, value in of.items():
            for inner, marked in leaves(value, key):
                yield inner, {**of, key: marked}
    elif isinstance(of, list):
        for number, value in enumerate(of):
            for inner, marked in leaves(value, name):
                yield inner, [*of[:number], marked, *of[number + 1:]]
    elif isinstance(of, str) or (isinstance(of, (int, float)) and not isinstance(of, bool)):
        yield name, f"{of}*"


def attack(method, operation, place, path, body):
    """Whether something was injected, or cannot be told."""
    # One session a place: it lives for minutes, and what is refused for its end says nothing.
    session = token(operation["x-asker"])
    command = [
        str(pathlib.Path(sys.executable).with_name("sqlmap")), "--batch", "--level=5", "--risk=3", "--dbms=PostgreSQL", "--time-sec=3",
        "--flush-session", "--ignore-code=*", "--disable-coloring", f"--output-dir={OUT}", f"--method={method.upper()}",
        f"--headers=Authorization: Bearer {session}\\nContent-Type: application/json", "-u", BASE + path,
    ]
    if body is not None:
        command += [f"--data={json.dumps(body)}"]
    said = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    log = OUT / f"{operation['operationId']}.{place}.log"
    log.write_text(said)
    if "is vulnerable" in said or "identified the following injection point" in said:
        print(f"INJECTED: {method} {path}, {place} (see {log})", flush=True)
        return True
    alive = requests.get(f"{BASE}/auth/sessions", headers={"Authorization": f"Bearer {session}"}, timeout=30).ok
    if "do not appear to be injectable" not in said or not alive:
        print(f"UNCLEAR: {method} {path}, {place} (see {log})", flush=True)
        return True
    return False


OUT.mkdir(parents=True, exist_ok=True)
only = set(sys.argv[3:])
asked = attacked = found = 0
for path, operations in DOCUMENT["paths"].items():
    for method, operation in operations.items():
        if path.endswith("/events") or operation["operationId"] in PASSED_OVER:
            continue
        if only and operation["operationId"] not in only:
            continue
        asked += 1
        for place in places(operation, path):
            attacked += 1
            found += attack(method, operation, *place)
print(f"{asked} operations, {attacked} places, {found} with a finding")
sys.exit(found > 0)
