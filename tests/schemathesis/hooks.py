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
        for mail in MAILS.glob("login-*.eml"):
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


names = (f"name {os.getpid()} {number}" for number in itertools.count(1))
guests = (f"guest{number}@example.org" for number in itertools.count(1))
turns, places = itertools.count(), itertools.count()
# These end sessions, so they have one of their own.
ENDING = ["endOtherSessions", "endSession", "logout"]
# Otherwise these would be refused for the wrong name, or take from ann what the others need.
ALWAYS = ["deleteOrg", "removeMember", "updateMember"]
# Operations that have been answered with a key, so that `ignored_auth` has looked at them already.
answered = set()


@schemathesis.hook
def before_call(context, case, kwargs):
    is_positive = case.meta.generation.mode.is_positive
    if is_positive:
        make_acceptable(case)
    if case.operation.definition.raw["operationId"] == "updateOrg" and isinstance(case.body, dict):
        keep_names(case)
    # Another credential, or none, is what such a case is about.
    if case.headers.get("Authorization") != bearer(ANN):
        return
    operation = case.operation.definition.raw["operationId"]
    phase = case.meta.phase.name.value
    key = log_in("eve@example.org") if operation in ENDING else ANN
    if phase == "stateful":
        # One name for all its applications would answer 409 to most.
        for place in (case.query, case.body):
            if isinstance(place, dict) and is_positive and "app_name" in place:
                place["app_name"] = next(names)
    elif operation in MAKERS and (next(turns) % 2 or operation in ALWAYS) and is_positive:
        MAKERS[operation](case, key)
    place_key(case, operation, phase, key)


def make_acceptable(case):
    """Replaces what is as documented, and refused all the same."""
    for place in (case.query, case.body):
        if not isinstance(place, dict):
            continue
        for name in ("app_name", "org_name", "label"):
            if isinstance(place.get(name), str) and not is_plain(place[name]):
                place[name] = next(names)
        if isinstance(place.get("ends_at"), str) and place["ends_at"] < "2027":
            place["ends_at"] = "2099-12-31T00:00:00Z"


def keep_names(case):
    """Lets no organization get the name that another operation would delete it by."""
    if isinstance(case.body.get("org_name"), str):
        case.body["org_name"] = next(names)
    if isinstance(case.body.get("short_name"), str):
        case.body["short_name"] = "ann"


def call(method, path, key=None, **arguments):
    headers = {"Authorization": bearer(key or ANN)}
    answer = requests.request(method, f"{URL}/api/1{path}", headers=headers, **arguments)
    answer.raise_for_status()
    return answer.json()


def with_app(case, key):
    created = call("POST", "/app", json={"org_id": ORG_ID, "app_name": next(names)})
    case.path_parameters["app_id"] = created["app_id"]
    if isinstance(case.body, dict) and "app_name" in case.body:
        case.body["app_name"] = next(names)


def with_api_key(case, key):
    with_app(case, key)
    keys = call("GET", f"/app/{case.path_parameters['app_id']}/api_key")
    case.path_parameters["api_key_id"] = keys["api_key_list"][0]["api_key_id"]


def with_org(case, key):
    name = next(names)
    case.path_parameters["org_id"] = call("POST", "/org", json={"org_name": name})["org_id"]
    if isinstance(case.query, dict) and "org_name" in case.query:
        case.query["org_name"] = name


def invite():
    invited = {"email": next(guests), "role": "member"}
    return call("POST", f"/org/{ORG_ID}/invitation", json=invited)


def with_invitation(case, key):
    case.path_parameters["org_id"] = ORG_ID
    case.path_parameters["invitation_id"] = invite()["invitation_id"]


def with_member(case, key):
    guest = log_in(invite()["email"])
    case.path_parameters["org_id"] = ORG_ID
    case.path_parameters["user_id"] = call("GET", "/user", guest)["user_id"]


def with_token(case, key):
    case.path_parameters["org_id"] = ORG_ID
    token = {"label": next(names), "role": "viewer"}
    case.path_parameters["token_id"] = call("POST", f"/org/{ORG_ID}/token", json=token)["token_id"]


def with_session(case, key):
    sessions = call("GET", "/session", key)["session_list"]
    case.path_parameters["session_id"] = sessions[0]["session_id"]


def with_key(case, key):
    """Sends an event, or a line of log, that can be stored."""
    created = call("POST", "/app", json={"org_id": ORG_ID, "app_name": next(names)})
    keys = call("GET", f"/app/{created['app_id']}/api_key")
    case.path_parameters["org"] = "ann"
    event = {"type": "event", "device_tag": next(names)}
    case.body = {**case.body, "api_key": keys["api_key_list"][0]["api_key"], "events": [event]}


# What has to exist for an operation to be answered with 200.
MAKERS = {
    "track": with_key,
    "appLog": with_key,
    "getApp": with_app,
    "updateApp": with_app,
    "deleteApp": with_app,
    "listApiKeys": with_app,
    "createApiKey": with_app,
    "updateApiKey": with_api_key,
    "revokeApiKey": with_api_key,
    "deleteOrg": with_org,
    "revokeInvitation": with_invitation,
    "updateMember": with_member,
    "removeMember": with_member,
    "revokeToken": with_token,
    "endSession": with_session,
}


def place_key(case, operation, phase, key):
    """Sends one key, in every place where it may stand in turn.

    "Two different keys in one request are refused with 400", so a generated one in the body and the
    real one beside it would hide what the rest of the request is answered with.
    """
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
