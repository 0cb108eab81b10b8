"""The demo with a client that openapi-python-client generated: a viewer pays, the overlay shows, the coins are spent.

Usage: python demo.py BASE_URL CHANNEL  (dev mode, a channel with a meme; the generated package on PYTHONPATH)
"""

import sys
import uuid

import httpx
from mem_alerts_client import AuthenticatedClient, Client
from mem_alerts_client.api.accounts import get_me
from mem_alerts_client.api.activations import activate_meme, get_my_activation
from mem_alerts_client.api.channels import get_channel
from mem_alerts_client.api.memes import list_channel_memes
from mem_alerts_client.api.overlay import acknowledge_play, poll_overlay_events
from mem_alerts_client.api.owner import adjust_wallet
from mem_alerts_client.api.streamer import get_channel_stats, get_overlay_token
from mem_alerts_client.models import Ack, AckState, ActivationStatus, Adjustment, ErrorCode, ProblemBody, ScreenView

base_url, slug = sys.argv[1:]


def login(name: str, role: str) -> AuthenticatedClient:
    """A client with a session of the dev login, which is no part of the promise."""
    answer = httpx.post(f"{base_url}/auth/dev/login", json={"login": name, "role": role})
    return AuthenticatedClient(base_url=base_url, token=answer.raise_for_status().json()["token"])


def good(answer):
    """The body of an answer that must be good."""
    assert answer is not None and not isinstance(answer, ProblemBody), answer
    return answer


anonymous = Client(base_url=base_url, timeout=httpx.Timeout(30))
refused = get_me.sync(client=anonymous)
assert isinstance(refused, ProblemBody) and refused.error_code == ErrorCode.UNAUTHORIZED, refused

streamer = login(slug, "streamer")
admin = login("admin_py", "admin")
viewer = login("viewer_py", "viewer")
me = good(get_me.sync(client=viewer))
channel = good(get_channel.sync(slug, client=viewer))
good(adjust_wallet.sync(me.id, channel.id, client=admin, body=Adjustment(delta=1000, reason="demo")))

token = good(get_overlay_token.sync(client=streamer)).token
screen_id = uuid.uuid4()


def poll(**cursor):
    where = {"wait": 10, "screen": ScreenView.OBS, "screen_id": screen_id, **cursor}
    return good(poll_overlay_events.sync(token, client=anonymous, **where))


page = poll()
assert page.events[0].event == "overlay:config", page

meme = good(list_channel_memes.sync(slug, client=viewer))[0]
key = str(uuid.uuid4())
placed = good(activate_meme.sync(meme.id, client=viewer, idempotency_key=key))
assert placed.activation.coins_spent == placed.final_price
again = good(activate_meme.sync(meme.id, client=viewer, idempotency_key=key))
assert again == placed, "the same key, the same answer"

activation = placed.activation.id
play = None
for _ in range(10):
    told = (event.data for event in page.events if event.event == "activation:new")
    play = next((data for data in told if data["id"] == str(activation)), None)
    if play:
        break
    page = poll(cursor=page.cursor)
assert play, "the overlay was not told"
for state in (AckState.STARTED, AckState.DONE):
    word = Ack(state=state, play_epoch=play["playEpoch"], screen_id=screen_id)
    good(acknowledge_play.sync(token, activation, client=anonymous, body=word))
assert good(get_my_activation.sync(activation, client=viewer)).status == ActivationStatus.DONE
assert good(get_channel_stats.sync(client=streamer)).activations_done >= 1
print(f"python: {meme.title} was shown for {placed.final_price} coins")
