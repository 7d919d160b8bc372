"""The life of a client: what is the same whoever generated it."""

import os
import re
import time
import urllib.parse
import urllib.request
from pathlib import Path

URL, EMAIL, MAILS = (os.environ[name] for name in ("LATER_URL", "EMAIL", "MAILS"))


def verify(manual_code):
    """Types the code on the page that the mail links to."""
    form = urllib.parse.urlencode({"manual_code": manual_code}).encode()
    urllib.request.urlopen(verification_url(), form).close()


def verification_url():
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for mail in Path(MAILS).glob("*.eml"):
            text = mail.read_text()
            if f"\nTo: {EMAIL}\n" in text:
                mail.unlink()
                return re.search(r"http\S+/verify/\S+", text)[0]
        time.sleep(0.01)
    raise TimeoutError(f"no mail came for {EMAIL}")


def equal(value, expected):
    assert value == expected, f"{value!r} instead of {expected!r}"


def live(client):
    """Drives a client that has a method for each operation.

    `refusal(call)` answers the status and the code of the problem that a call is answered with.
    """
    key, manual_code = client.login(EMAIL)
    client.use(key)
    equal(client.refusal(client.user), (403, "not_logged_in"))
    verify(manual_code)
    email, org_id = client.user()
    equal(email, EMAIL)
    equal(client.apps(org_id), [])
    app_id = client.create(org_id, "Space Miner")
    [(listed, name, api_keys)] = client.apps(org_id)
    equal((listed, name, len(api_keys), len(api_keys[0])), (app_id, "Space Miner", 1, 32))
    equal(client.refusal(lambda: client.create(org_id, "space miner")), (409, "name_taken"))
    equal(client.delete(app_id), "deleted")
    equal(client.apps(org_id), [])
    equal(client.refusal(lambda: client.delete(app_id)), (403, "not_allowed"))
    equal(client.logout(), "logged_out")
    equal(client.refusal(client.user), (403, "not_logged_in"))
