// The client of OpenAPI Generator for Go, whose models refuse what they do not know.
package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	openapi "life/generated"
)

func main() {
	email := os.Getenv("EMAIL")
	configuration := openapi.NewConfiguration()
	configuration.Servers = openapi.ServerConfigurations{{URL: os.Getenv("LATER_URL")}}
	client := openapi.NewAPIClient(configuration)
	anybody := context.Background()

	login := done(client.AuthAPI.Login(anybody).
		LoginRequest(*openapi.NewLoginRequest(email)).Execute())
	ann := context.WithValue(anybody, openapi.ContextAccessToken, login.SessionKey)
	getUser := client.AuthAPI.GetUser(ann)
	refused(403, "not_logged_in")(getUser.Execute())
	verify(email, login.ManualCode)
	user := done(getUser.Execute())
	equal(user.Email, email)
	orgID := user.OrgList[0].OrgId
	apps := func() []openapi.App {
		return done(client.AppAPI.ListApps(ann).OrgId(orgID).Execute()).AppList
	}
	create := func(name string) openapi.ApiCreateAppRequest {
		request := openapi.NewCreateAppRequest(orgID, name)
		return client.AppAPI.CreateApp(ann).CreateAppRequest(*request)
	}
	equal(len(apps()), 0)
	appID := done(create("Space Miner").Execute()).AppId
	app := apps()[0]
	equal(fmt.Sprint(app.AppId, app.Name, len(app.ApiKeyList)), fmt.Sprint(appID, "Space Miner", 1))
	refused(409, "name_taken")(ignore(create("space miner").Execute()))
	equal(string(done(client.AppAPI.DeleteApp(ann, appID).Execute()).Result), "deleted")
	equal(len(apps()), 0)
	refused(403, "not_allowed")(ignore(client.AppAPI.DeleteApp(ann, appID).Execute()))
	equal(string(done(client.AuthAPI.Logout(ann).Execute()).Result), "logged_out")
	refused(403, "not_logged_in")(getUser.Execute())
}

// done is the reply of a call that has to succeed.
func done[T any](reply *T, _ *http.Response, err error) *T {
	if err != nil {
		panic(err)
	}
	return reply
}

func ignore[T any](_ *T, response *http.Response, err error) (*openapi.User, *http.Response, error) {
	return nil, response, err
}

// refused checks the typed problem that a call is answered with.
func refused(status int32, code string) func(*openapi.User, *http.Response, error) {
	return func(_ *openapi.User, _ *http.Response, err error) {
		var failure *openapi.GenericOpenAPIError
		if !errors.As(err, &failure) {
			panic(fmt.Sprintf("%v instead of %v", err, code))
		}
		problem, ok := failure.Model().(openapi.Problem)
		if !ok {
			panic(failure)
		}
		equal(fmt.Sprint(problem.Status, problem.Code), fmt.Sprint(status, code))
	}
}

// verify types the code on the page that the mail links to.
func verify(email, manualCode string) {
	page, err := http.PostForm(verificationURL(email), url.Values{"manual_code": {manualCode}})
	if err != nil || page.StatusCode != http.StatusOK {
		panic(fmt.Sprint(page, err))
	}
}

func verificationURL(email string) string {
	for turn := 0; turn < 2000; turn++ {
		mails, _ := filepath.Glob(filepath.Join(os.Getenv("MAILS"), "*.eml"))
		for _, mail := range mails {
			bytes, _ := os.ReadFile(mail)
			text := strings.ReplaceAll(string(bytes), "\r\n", "\n")
			if strings.Contains(text, "\nTo: "+email+"\n") {
				os.Remove(mail)
				return regexp.MustCompile(`http\S+/verify/\S+`).FindString(text)
			}
		}
		time.Sleep(10 * time.Millisecond)
	}
	panic("no mail came for " + email)
}

func equal[T comparable](value, expected T) {
	if value != expected {
		panic(fmt.Sprintf("%v instead of %v", value, expected))
	}
}
