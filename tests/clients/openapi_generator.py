"""The client of OpenAPI Generator for Python."""

from generated import ApiClient, ApiException, AppApi, AuthApi, Configuration
from generated.models import CreateAppRequest, LoginRequest, Problem
from life import URL, live


class GeneratedClient:
    def login(self, email):
        api = AuthApi(ApiClient(Configuration(host=URL)))
        reply = api.login(LoginRequest(email=email))
        return reply.session_key, reply.manual_code

    def use(self, key):
        client = ApiClient(Configuration(host=URL, access_token=key))
        self.auth, self.app = AuthApi(client), AppApi(client)

    def user(self):
        user = self.auth.get_user()
        return user.email, user.org_list[0].org_id

    def apps(self, org_id):
        reply = self.app.list_apps(org_id)
        return [(app.app_id, app.name, app.api_key_list) for app in reply.app_list]

    def create(self, org_id, name):
        return self.app.create_app(CreateAppRequest(org_id=org_id, app_name=name)).app_id

    def delete(self, app_id):
        return self.app.delete_app(app_id).result.value

    def logout(self):
        return self.auth.logout().result.value

    def refusal(self, call):
        try:
            return call()
        except ApiException as error:
            assert isinstance(error.data, Problem), error
            return error.status, error.data.code.value


live(GeneratedClient())
