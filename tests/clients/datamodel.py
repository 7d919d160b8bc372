"""The models of datamodel-code-generator, which check every request and reply, over plain httpx."""

import httpx
from generated import (
    AppList,
    CreateAppReply,
    CreateAppRequest,
    DeleteAppReply,
    LoginReply,
    LoginRequest,
    LogoutReply,
    Problem,
    User,
)
from life import URL, live


class Refused(Exception):
    pass


class ModelClient:
    client = httpx.Client(base_url=URL)

    def ask(self, model, method, path, body=None, **query):
        content = body.model_dump(mode="json", exclude_none=True) if body else None
        reply = self.client.request(method, path, json=content, params=query)
        if reply.is_error:
            problem = Problem.model_validate_json(reply.text)
            raise Refused(problem.status, problem.code.value)
        return model.model_validate_json(reply.text)

    def login(self, email):
        reply = self.ask(LoginReply, "POST", "/api/1/login", LoginRequest(email=email))
        return reply.session_key.root.get_secret_value(), reply.manual_code

    def use(self, key):
        self.client = httpx.Client(base_url=URL, headers={"Authorization": f"Bearer {key}"})

    def user(self):
        user = self.ask(User, "GET", "/api/1/user")
        return user.email.root, user.org_list[0].org_id.root

    def apps(self, org_id):
        reply = self.ask(AppList, "GET", "/api/1/app", org_id=org_id)
        keys = [[getattr(key, "root", key) for key in app.api_key_list] for app in reply.app_list]
        return [(app.app_id.root, app.name, keys) for app, keys in zip(reply.app_list, keys)]

    def create(self, org_id, name):
        body = CreateAppRequest(org_id=org_id, app_name=name)
        return self.ask(CreateAppReply, "POST", "/api/1/app", body).app_id.root

    def delete(self, app_id):
        return self.ask(DeleteAppReply, "DELETE", f"/api/1/app/{app_id}").result.value

    def logout(self):
        return self.ask(LogoutReply, "POST", "/api/1/logout").result.value

    def refusal(self, call):
        try:
            return call()
        except Refused as refused:
            return refused.args


live(ModelClient())
