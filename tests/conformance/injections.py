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


def attack(method, path, operation):
    """Whether something was injected."""
    name = operation["operationId"]
    query = []
    for parameter in operation.get("parameters", []):
        value = example(parameter["schema"])
        if parameter["in"] == "path":
            # The mark says: here, too.
            path = path.replace("{" + parameter["name"] + "}", f"{value}*")
        elif parameter["in"] == "query":
            query.append(f"{parameter['name']}={value}*")
    command = [
        str(pathlib.Path(sys.executable).with_name("sqlmap")), "--batch", "--level=5", "--risk=3", "--dbms=PostgreSQL", "--time-sec=3",
        "--flush-session", "--ignore-code=*", "--disable-coloring", f"--output-dir={OUT}", f"--method={method.upper()}",
        f"--headers=Authorization: Bearer {token(operation['x-asker'])}\\nContent-Type: application/json",
        "-u", BASE + path + ("?" + "&".join(query) if query else ""),
    ]
    content = operation.get("requestBody", {}).get("content", {})
    for kind, of in content.items():
        if "json" in kind:
            command += [f"--data={json.dumps(example(of['schema']))}"]
    if not query and "*" not in path and not content:
        return False
    said = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    (OUT / f"{name}.log").write_text(said)
    if "is vulnerable" in said or "identified the following injection point" in said:
        print(f"INJECTED: {method} {path} (see {OUT / name}.log)", flush=True)
        return True
    if "do not appear to be injectable" not in said:
        print(f"UNCLEAR: {method} {path} (see {OUT / name}.log)", flush=True)
        return True
    return False


OUT.mkdir(parents=True, exist_ok=True)
only = set(sys.argv[3:])
asked = found = 0
for path, operations in DOCUMENT["paths"].items():
    for method, operation in operations.items():
        if path.endswith("/events") or operation["operationId"] in PASSED_OVER:
            continue
        if only and operation["operationId"] not in only:
            continue
        asked += 1
        found += attack(method, path, operation)
print(f"{asked} operations, {found} with a finding")
sys.exit(found > 0)
