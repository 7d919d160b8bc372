"""The same operations in FastAPI, with the sqlite3 of Python on the service's database.

The database is the variable DATABASE. Serve it with uvicorn, one worker for each core.
"""

import hashlib
import os
import sqlite3
import time
from typing import Annotated

from fastapi import Cookie, FastAPI, Header, HTTPException
from pydantic import BaseModel

IDLE_FOR = 7 * 24 * 60 * 60 * 1000
database = sqlite3.connect(os.environ["DATABASE"], check_same_thread=False)
app = FastAPI()


class Org(BaseModel):
    org_id: int
    name: str


class User(BaseModel):
    user_id: int
    email: str
    display_name: str
    org_list: list[Org]


class App(BaseModel):
    app_id: int
    name: str
    api_key_list: list[str]


class AppList(BaseModel):
    app_list: list[App]


def session(cookie: str | None, authorization: str | None) -> tuple[int, str, str]:
    key = cookie or (authorization or "").removeprefix("Bearer ")
    now = int(time.time() * 1000)
    found = database.execute(
        "SELECT user_id, user.email, display_name FROM session JOIN user ON user.id = user_id"
        " WHERE key_hash = ? AND state = 'active' AND expires_at > ? AND used_at > ?",
        (hashlib.sha256(key.encode()).digest(), now, now - IDLE_FOR),
    ).fetchone()
    if found is None:
        raise HTTPException(403, "not logged in")
    return found


@app.get("/livez")
async def livez() -> str:
    return "alive"


# Each question takes microseconds: a thread for it would cost more.
@app.get("/api/1/user")
async def user(
    session_key: Annotated[str | None, Cookie()] = None,
    authorization: Annotated[str | None, Header()] = None,
) -> User:
    user_id, email, display_name = session(session_key, authorization)
    orgs = database.execute(
        "SELECT org.id, name FROM org JOIN membership ON org_id = org.id"
        " WHERE user_id = ? ORDER BY name",
        (user_id,),
    )
    return User(
        user_id=user_id,
        email=email,
        display_name=display_name,
        org_list=[Org(org_id=org_id, name=name) for org_id, name in orgs],
    )


@app.get("/api/1/app")
async def apps(
    org_id: int,
    session_key: Annotated[str | None, Cookie()] = None,
    authorization: Annotated[str | None, Header()] = None,
) -> AppList:
    user_id, _, _ = session(session_key, authorization)
    member = "SELECT role FROM membership WHERE user_id = ? AND org_id = ?"
    if database.execute(member, (user_id, org_id)).fetchone() is None:
        raise HTTPException(403, "not allowed")
    found = database.execute("SELECT id, name FROM app WHERE org_id = ? ORDER BY id", (org_id,))
    apps = {id: App(app_id=id, name=name, api_key_list=[]) for id, name in found}
    keys = "SELECT app_id, key FROM api_key JOIN app ON app.id = app_id WHERE org_id = ?"
    for app_id, key in database.execute(keys, (org_id,)):
        apps[app_id].api_key_list.append(key)
    return AppList(app_list=list(apps.values()))
