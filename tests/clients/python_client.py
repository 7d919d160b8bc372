"""The client of openapi-python-client, every module of which can be imported."""

import importlib
import pkgutil

import generated
from generated.api.app import create_app, delete_app, list_apps
from generated.api.auth import get_user, login, logout
from generated.client import AuthenticatedClient, Client
from generated.models import CreateAppRequest, LoginRequest, Problem
from life import URL, live

for module in pkgutil.walk_packages(generated.__path__, "generated."):
    importlib.import_module(module.name)


class Refused(Exception):
    pass


def ask(operation, *arguments, **named):
    reply = operation.sync(*arguments, **named)
    if isinstance(reply, Problem):
        raise Refused(reply.status, reply.code.value)
    return reply


class PythonClient:
    def login(self, email):
        reply = ask(login, client=Client(URL), body=LoginRequest(email=email))
        return reply.session_key, reply.manual_code

    def use(self, key):
        self.client = AuthenticatedClient(URL, key)

    def user(self):
        user = ask(get_user, client=self.client)
        return user.email, user.org_list[0].org_id

    def apps(self, org_id):
        reply = ask(list_apps, client=self.client, org_id=org_id)
        return [(app.app_id, app.name, app.api_key_list) for app in reply.app_list]

    def create(self, org_id, name):
        body = CreateAppRequest(org_id=org_id, app_name=name)
        return ask(create_app, client=self.client, body=body).app_id

    def delete(self, app_id):
        return ask(delete_app, app_id, client=self.client).result.value

    def logout(self):
        return ask(logout, client=self.client).result.value

    def refusal(self, call):
        try:
            return call()
        except Refused as refused:
            return refused.args


live(PythonClient())
