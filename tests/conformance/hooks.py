"""What a fuzzer must know of this system: whom an operation serves, what is there to be acted upon, and not to lock itself out."""

import os
import random
import threading
import uuid

import requests
import schemathesis

BASE = os.environ["MEMALERTS_URL"]
CHANNEL = os.environ["MEMALERTS_CHANNEL"]
# Whom an operation serves (`x-asker` in the document), and who that is here: login and role.
STREAMER, ADMIN, VIEWER = (CHANNEL, "streamer"), ("fuzzadmin", "admin"), ("fuzz", "viewer")
WHO = {"streamer": STREAMER, "editor": STREAMER, "moderator": STREAMER, "observer": ADMIN, "admin": ADMIN}
# Of what is known to be there, how much is put in the place of something made up.
KNOWN_SHARE = 0.5
# How long an event stream is read.
STREAM_SECONDS = 0.5

lock = threading.Lock()
dice = random.Random(1)
tokens: dict[tuple[str, str], str] = {}
people: dict[tuple[str, str], str] = {}


def token(who: tuple[str, str]) -> str:
    with lock:
        if who not in tokens:
            answer = requests.post(f"{BASE}/auth/dev/login", json={"login": who[0], "role": who[1]}, timeout=30)
            answer.raise_for_status()
            tokens[who] = answer.json()["token"]
            people[who] = answer.json()["userId"]
        return tokens[who]


def who_asks(case) -> tuple[str, str]:
    if case.operation.definition.raw.get("operationId") == "forgetMe":
        # Each time somebody else whom nobody needs.
        return f"gone_{dice.getrandbits(40):x}", "viewer"
    return WHO.get(case.operation.definition.raw.get("x-asker"), VIEWER)


def ask(who: tuple[str, str], path: str):
    answer = requests.get(BASE + path, headers={"Authorization": f"Bearer {token(who)}"}, timeout=30)
    answer.raise_for_status()
    return answer.json()


def there() -> dict[str, str]:
    """What is there, by the name of the parameter and where an operation has it."""
    channel = ask(VIEWER, f"/channels/{CHANNEL}")
    # What the fuzzer has deleted or hidden is not there any more; nor is a token that it has revoked.
    meme = next(iter(ask(VIEWER, f"/channels/{CHANNEL}/memes")), {"id": str(uuid.uuid4())})
    program = next(iter(ask(STREAMER, "/streamer/tokens")), {"id": str(uuid.uuid4())})
    return {
        "{slug}": channel["slug"],
        "{channelId}": channel["id"],
        "{userId}": people[VIEWER],
        "/memes/{id}": meme["id"],
        "/overlay/t/{token}": ask(STREAMER, "/streamer/overlay/token")["token"],
        "/overlay/credits/t/{token}": ask(STREAMER, "/streamer/credits/token")["token"],
        "/streamer/tokens/{id}": program["id"],
        "/admin/jobs/{id}": "1",
        "/admin/workers/{id}": "1",
    }


known: dict[str, str] = {}


@schemathesis.auth(refresh_interval=None)
class Doors:
    def get(self, case, context):
        return token(who_asks(case))

    def set(self, case, _cached, context):
        case.headers = {**(case.headers or {}), "Authorization": f"Bearer {token(who_asks(case))}"}


@schemathesis.hook
def before_call(context, case, kwargs):
    if not known:
        known.update(there())
    # A stream of events is open until one of both ends it, and a poll waits as long as it is told.
    if case.operation.path.endswith("/events"):
        kwargs["timeout"] = STREAM_SECONDS
    if case.operation.path.endswith("/poll") and str((case.query or {}).get("wait", "")).isdigit():
        case.query["wait"] = min(int(case.query["wait"]), 1) if int(case.query["wait"]) <= 25 else case.query["wait"]
    given = case.path_parameters
    if not isinstance(given, dict):
        return
    for name in given:
        place = "{" + name + "}"
        found = next((value for key, value in known.items() if key.endswith(place) and key in case.operation.path), None)
        if found is not None and dice.random() < KNOWN_SHARE:
            given[name] = found
    # Nobody who is needed is banned or given another role.
    if case.operation.path.startswith("/owner/users/") and given.get("id") in people.values():
        given["id"] = str(uuid.uuid4())


@schemathesis.hook
def after_call(context, case, response):
    # Whatever became of the session, the next request begins with a good one; overlay tokens are rotated, too.
    if response.status_code == 401 or case.operation.path.startswith("/auth/"):
        with lock:
            tokens.clear()
    if case.operation.path.endswith("/rotate"):
        known.clear()
