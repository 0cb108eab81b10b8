"""injections.py OUT BASE_URL [OPERATION...]: every parameter and field of every operation, attacked with SQL.

What takes any text gets every payload that sqlmap has for PostgreSQL. What takes a number, an id, a time or one of some
words must refuse each of REFUSED: such text never comes near a query. Some hours; called again with the same OUT it goes
on where it was ended.
"""

import json
import pathlib
import subprocess
import sys
import urllib.parse

import requests

OUT, BASE = pathlib.Path(sys.argv[1]), sys.argv[2]
DOCUMENT = requests.get(f"{BASE}/openapi.json", timeout=30).json()
WHO = {"viewer": ("viewer", "viewer"), "streamer": ("demo", "streamer"), "editor": ("demo", "streamer"),
       "moderator": ("demo", "streamer"), "observer": ("admin", "admin"), "houseModerator": ("admin", "admin"),
       "admin": ("admin", "admin")}
# What sqlmap says of a place that held.
HELD = "do not appear to be injectable"
# Streams never end, and what ends the session or the system's work would end the attack.
PASSED_OVER = {"logOut", "endMyOtherSessions"}
# One of each kind of payload: quoting, comments, unions, stacked statements, waiting, errors, other encodings.
REFUSED = ["'", "1'", '1"', "1' OR '1'='1", "1 OR 1=1", "1) OR (1=1", "1'--", "1/**/OR/**/1=1", "1 UNION SELECT NULL--",
           "1' UNION SELECT version()--", "1; SELECT pg_sleep(3)--", "1';SELECT pg_sleep(3)--", "1 AND (SELECT 1 FROM pg_sleep(3))=1",
           "1 AND 1=CAST(version() AS int)", "1||pg_sleep(3)", "$$1$$", "E'\\x27'", "1\uff07 OR 1=1", "%27", "1%2527"]
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


def takes_text(of):
    of = schema(of)
    return not (of.get("type") in ("integer", "number", "boolean") or "enum" in of or of.get("format") in ("uuid", "date-time", "date"))


def places(operation, path):
    """Each place of a request that takes a value, as a request with a mark there."""
    values, query, headers, text = {}, [], {}, {}
    for parameter in operation.get("parameters", []):
        text[parameter["name"]] = takes_text(parameter["schema"])
        given = example(parameter["schema"])
        if parameter["in"] == "path":
            values[parameter["name"]] = str(given)
        elif parameter["in"] == "query":
            query.append((parameter["name"], given))
        elif parameter["in"] == "header":
            headers[parameter["name"]] = str(given)
    kind, described = next(((kind, of["schema"]) for kind, of in operation.get("requestBody", {}).get("content", {}).items()), (None, {}))
    body = example(described) if kind else None

    def request(name, free, inside=None, marked_body=body):
        filled = path
        for key, value in values.items():
            filled = filled.replace("{" + key + "}", value + "*" * (inside == ("path", key)))
        asked = [f"{key}={value}" + "*" * (inside == ("query", key)) for key, value in query]
        filled += "?" + "&".join(asked) if asked else ""
        said = {name: f"{headers[name]}*"} if inside == ("header", name) else {}
        return {"name": name, "text": free, "path": filled, "kind": kind, "body": marked_body, "headers": said}

    for inside, names in (("path", values), ("query", dict(query)), ("header", headers)):
        for name in names:
            # A header is text, whatever is made of it.
            yield request(name, text[name] or inside == "header", (inside, name))
    if kind and not isinstance(body, dict):
        return
    for name, free, marked in leaves(body, described) if kind else ():
        yield request(name, free, marked_body=marked)
    for name, of in schema(described).get("properties", {}).items():
        # What the example leaves out, one beside the rest at a time: some exclude each other.
        if name not in body and schema(of).get("format") != "binary":
            for inner, free, marked in leaves(example(of), of, name):
                yield request(inner, free, marked_body={**body, name: marked})


def sent(place, body):
    """The body as it goes over the wire, and what it is."""
    if place["kind"] is None:
        return None, "application/json"
    if "json" in place["kind"]:
        return json.dumps(body), "application/json"
    fields = "".join(f'--part\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n' for name, value in body.items())
    file = '--part\r\nContent-Disposition: form-data; name="file"; filename="a.gif"\r\nContent-Type: image/gif\r\n\r\nGIF89a\r\n'
    return fields + file + "--part--\r\n", "multipart/form-data; boundary=part"


def leaves(of, described, name="body"):
    """Each value within: its name, whether it takes any text, and the whole with a mark behind it."""
    described = schema(described)
    if isinstance(of, dict):
        for key, value in of.items():
            for inner, free, marked in leaves(value, described.get("properties", {}).get(key, {}), key):
                yield inner, free, {**of, key: marked}
    elif isinstance(of, list):
        for number, value in enumerate(of):
            for inner, free, marked in leaves(value, described.get("items", {}), name):
                yield inner, free, [*of[:number], marked, *of[number + 1:]]
    elif isinstance(of, str) or (isinstance(of, (int, float)) and not isinstance(of, bool)):
        yield name, takes_text(described), f"{of}*"


def with_payload(of, payload):
    """What is marked, with `payload` for the mark."""
    if isinstance(of, dict):
        return {key: with_payload(value, payload) for key, value in of.items()}
    if isinstance(of, list):
        return [with_payload(value, payload) for value in of]
    return of.removesuffix("*") + payload if isinstance(of, str) and of.endswith("*") else of


def refuses(method, operation, place):
    """Whether a place that takes no text takes one of the payloads."""
    session = token(operation["x-asker"])
    for payload in REFUSED:
        address = BASE + place["path"].replace("*", urllib.parse.quote(payload, safe=""))
        body, kind = sent(place, with_payload(place["body"], payload))
        answer = requests.request(method, address, data=body and body.encode(), timeout=30, allow_redirects=False,
                                  headers={"Authorization": f"Bearer {session}", "Content-Type": kind})
        if answer.status_code not in (400, 404, 422):
            print(f"TAKEN: {method} {place['path']}, {place['name']}: {payload!r} is answered {answer.status_code}", flush=True)
            return True
    return False


def attack(method, operation, place):
    """Whether something was injected, or cannot be told."""
    log = OUT / f"{operation['operationId']}.{place['name']}.log"
    if log.exists() and HELD in log.read_text():
        return False
    # One session a place: it lives for minutes, and what is refused for its end says nothing.
    session = token(operation["x-asker"])
    body, kind = sent(place, place["body"])
    headers = {"Authorization": f"Bearer {session}", "Content-Type": kind, **place["headers"]}
    command = [
        str(pathlib.Path(sys.executable).with_name("sqlmap")), "--batch", "--level=5", "--risk=3", "--dbms=PostgreSQL", "--time-sec=3",
        "--flush-session", "--ignore-code=*", "--disable-coloring", f"--output-dir={OUT}", f"--method={method.upper()}",
        "--headers=" + "\\n".join(f"{name}: {value}" for name, value in headers.items()), "-u", BASE + place["path"],
    ]
    if body is not None:
        command += [f"--data={body}"]
    said = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL).stdout
    log.write_text(said)
    if "is vulnerable" in said or "identified the following injection point" in said:
        print(f"INJECTED: {method} {place['path']}, {place['name']} (see {log})", flush=True)
        return True
    alive = requests.get(f"{BASE}/auth/sessions", headers={"Authorization": f"Bearer {session}"}, timeout=30).ok
    if HELD not in said or not alive:
        print(f"UNCLEAR: {method} {place['path']}, {place['name']} (see {log})", flush=True)
        return True
    return False


OUT.mkdir(parents=True, exist_ok=True)
only = set(sys.argv[3:])
asked = attacked = found = 0
for path, operations in DOCUMENT["paths"].items():
    for method, operation in operations.items():
        if method == "get" and path.endswith("/events") or operation["operationId"] in PASSED_OVER:
            continue
        if only and operation["operationId"] not in only:
            continue
        asked += 1
        for place in places(operation, path):
            attacked += 1
            found += (attack if place["text"] else refuses)(method, operation, place)
print(f"{asked} operations, {attacked} places, {found} with a finding")
sys.exit(found > 0)
