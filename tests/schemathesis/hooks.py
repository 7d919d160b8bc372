"""Logs Schemathesis in, and gives its calls what generated data cannot have."""

import itertools
import json
import os
import re
import time
import unicodedata
from pathlib import Path

import requests
import schemathesis

URL = os.environ["CORTEX_REPORT_URL"]
# The organization of whoever logs in first.
ORG_ID = 1
MAILS = Path("mail")
MEDIA_TYPES = ["application/json", "application/x-www-form-urlencoded"]


def log_in(email):
    login = requests.post(f"{URL}/api/1/login", json={"email": email}).json()
    code = {"manual_code": login["manual_code"]}
    requests.post(verification_url(email), data=code).raise_for_status()
    return login["session_key"]


def verification_url(email):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        for mail in MAILS.glob("*.eml"):
            text = mail.read_text()
            # The others are of generated logins, which nobody finishes.
            mail.unlink()
            if f"\nTo: {email}\n" in text:
                return re.search(r"http\S+/verify/\S+", text)[0]
        time.sleep(0.005)
    raise TimeoutError(f"no mail came for {email}")


def bearer(key):
    return f"Bearer {key}"


ANN, BOB = log_in("ann@example.org"), log_in("bob@example.org")
# As schemathesis.toml names them.
users = [
    {"name": name, "fixedHeaders": [{"name": "Authorization", "value": bearer(key)}]}
    for name, key in [("ann", ANN), ("bob", BOB)]
]
Path("auth.json").write_text(json.dumps({"auth": users}))

# The pattern takes them; the service refuses names that nobody can see, or that mislead.
FILLERS = "\u115f\u1160\u2800\u3164\uffa0"


def is_plain(name):
    marks = any(unicodedata.combining(it) or unicodedata.category(it) in ("Mn", "Me") for it in name)
    return not marks and all(it.isprintable() or it.isspace() for it in name.strip()) and not set(name) & set(FILLERS)


names = (f"app {os.getpid()} {number}" for number in itertools.count(1))
turns, places = itertools.count(), itertools.count()
# Operations that have been answered with a key, so that `ignored_auth` has looked at them already.
answered = set()


@schemathesis.hook
def before_call(context, case, kwargs):
    for place in (case.query, case.body):
        if isinstance(place, dict) and isinstance(place.get("app_name"), str):
            if case.meta.generation.mode.is_positive and not is_plain(place["app_name"]):
                place["app_name"] = next(names)
    # Another credential, or none, is what such a case is about.
    if case.headers.get("Authorization") != bearer(ANN):
        return
    operation = case.operation.definition.raw["operationId"]
    phase = case.meta.phase.name.value
    if phase == "stateful":
        # One name for all its applications would answer 409 to most.
        for place in (case.query, case.body):
            if isinstance(place, dict) and case.meta.generation.mode.is_positive and "app_name" in place:
                place["app_name"] = next(names)
    elif operation == "deleteApp" and next(turns) % 2:
        if str(case.path_parameters["app_id"]).isdecimal():
            case.path_parameters["app_id"] = create_app()
    place_key(case, operation, phase)


def create_app():
    body = {"org_id": ORG_ID, "app_name": next(names)}
    headers = {"Authorization": bearer(ANN)}
    created = requests.post(f"{URL}/api/1/app", headers=headers, json=body)
    created.raise_for_status()
    return created.json()["app_id"]


def place_key(case, operation, phase):
    """Sends one key, in every place where it may stand in turn.

    "Two different keys in one request are refused with 400", so a generated one in the body and the
    real one beside it would hide what the rest of the request is answered with.
    """
    # Logging out ends the session.
    key = log_in("ann@example.org") if operation == "logout" else ANN
    del case.headers["Authorization"]
    turn = next(places)
    given = case.body.get("session_key") if isinstance(case.body, dict) else None
    if given is not None:
        if not isinstance(given, str) or not 1 <= len(given) <= 128:
            # It is the case's fault, and a 400 whatever else is sent.
            return
        if phase == "fuzzing" and operation in answered and turn % 4:
            if turn % 4 > 1:
                case.body["session_key"] = key
            return
        del case.body["session_key"]
    if "requestBody" not in case.operation.definition.raw:
        # By x-body-member and x-form-bodies it takes one all the same.
        if phase == "fuzzing" and operation in answered and turn % 4 > 1:
            case.body, case.media_type = {"session_key": key}, MEDIA_TYPES[turn % 2]
            return
    if turn % 2:
        case.cookies["session_key"] = key
    else:
        case.headers["Authorization"] = bearer(key)


@schemathesis.hook
def after_call(context, case, response):
    operation = case.operation.definition.raw["operationId"]
    if response.status_code == 200:
        answered.add(operation)
    with open("answers", "a") as answers:
        print(operation, response.status_code, file=answers)
