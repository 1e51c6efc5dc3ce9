package mock

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// MicrosoftGraph plays the delta query of users: `@odata.nextLink` is the next
// page's whole address, `@odata.deltaLink` on the last one is what the next run
// begins with; a removed user comes with `@removed`; a delta that is too old is
// answered by 410 and says to begin anew; 429 and 503 have a Retry-After; the
// token comes by client credentials (learn.microsoft.com, "Use delta query").
func MicrosoftGraph() *API {
	const id, secret = "6731de76-14a6-49ae-97bc-6eba6914391e", "A1b~secret-of-the-app-0123456789"
	users := map[string]Record{}
	var order []string
	for i := range 230 {
		key := fmt.Sprintf("87d349ed-44d7-43e1-9a83-%012d", i)
		users[key] = Record{"id": key, "displayName": fmt.Sprintf("User %d", i), "mail": fmt.Sprintf("u%d@acme.test", i)}
		order = append(order, key)
	}
	var changes []Record // since the first delta
	token, expires := "", time.Time{}
	issued, asked := 0, 0
	api := &API{
		Name:        "microsoft-graph",
		Env:         func(base string) map[string]string { return map[string]string{"GRAPH_API": base + "/v1.0"} },
		Credentials: `{"Graph": {"type": "oauth2", "clientId": "` + id + `", "clientSecret": "` + secret + `", "tokenUrl": "${GRAPH_LOGIN}/oauth2/v2.0/token", "scopes": ["https://graph.microsoft.com/.default"]}}`,
	}
	env := api.Env
	api.Env = func(base string) map[string]string {
		e := env(base)
		e["GRAPH_LOGIN"] = base
		return e
	}
	api.Handle = func(c *Call) {
		fail := func(status int, code, message string, headers ...string) {
			c.Reply(status, Record{"error": Record{"code": code, "message": message}}, headers...)
		}
		if c.Path == "/oauth2/v2.0/token" {
			form, err := url.ParseQuery(string(c.Body))
			user, password, basic := basicAuth(c)
			if basic {
				form.Set("client_id", user)
				form.Set("client_secret", password)
			}
			if err != nil || form.Get("grant_type") != "client_credentials" || form.Get("client_secret") != secret || form.Get("scope") == "" {
				c.Reply(401, Record{"error": "invalid_client", "error_description": "AADSTS7000215: Invalid client secret provided."})
				return
			}
			issued++
			token, expires = fmt.Sprintf("eyJ0eXAiOiJKV1Qi.%d", issued), c.Now().Add(time.Hour)
			c.Reply(200, Record{"token_type": "Bearer", "expires_in": 3600, "access_token": token})
			return
		}
		asked++
		if token == "" || !c.Bearer(token) || !c.Now().Before(expires) {
			fail(401, "InvalidAuthenticationToken", "Access token has expired or is not yet valid.")
			return
		}
		if asked == 2 {
			fail(429, "TooManyRequests", "Please retry after", "Retry-After", "10")
			return
		}
		if c.Path != "/v1.0/users/delta" {
			fail(404, "ResourceNotFound", "Resource could not be discovered.")
			return
		}
		link := func(name, value string) string { return c.Base + c.Path + "?" + name + "=" + value }
		if delta, sent := c.Arg("$deltatoken"); sent {
			if delta == "expired" {
				fail(410, "syncStateNotFound", "The sync state generation is not found; begin a new sync.")
				return
			}
			from, err := strconv.Atoi(strings.TrimPrefix(delta, "delta-"))
			if err != nil || from > len(changes) {
				fail(400, "BadRequest", "Badly formed token.")
				return
			}
			c.Reply(200, Record{"value": clip(changes, from, len(changes)), "@odata.deltaLink": link("$deltatoken", fmt.Sprintf("delta-%d", len(changes)))})
			return
		}
		at := 0
		if skip, sent := c.Arg("$skiptoken"); sent {
			n, err := strconv.Atoi(strings.TrimPrefix(skip, "skip-"))
			if err != nil {
				fail(400, "BadRequest", "Badly formed token.")
				return
			}
			at = n
		}
		page := []Record{}
		for _, key := range clip(order, at, 100) {
			page = append(page, users[key])
		}
		out := Record{"@odata.context": c.Base + "/v1.0/$metadata#users", "value": page}
		if at+100 < len(order) {
			out["@odata.nextLink"] = link("$skiptoken", fmt.Sprintf("skip-%d", at+100))
		} else {
			out["@odata.deltaLink"] = link("$deltatoken", fmt.Sprintf("delta-%d", len(changes)))
		}
		c.Reply(200, out)
	}
	api.Change = func() {
		first, second := order[0], order[1]
		users[first] = Record{"id": first, "displayName": "The first user", "mail": "u0@acme.test"}
		delete(users, second)
		order = append(order[:1], order[2:]...)
		changes = append(changes, users[first], Record{"id": second, "@removed": Record{"reason": "deleted"}})
	}
	api.Want = func() map[string]map[string]any {
		out := map[string]any{}
		for key, u := range users {
			out[key] = u
		}
		return map[string]map[string]any{"users": out}
	}
	api.Again = func(calls []*Call) error {
		return EachHas(calls, "/v1.0/users/delta", "$deltatoken", "delta-0")
	}
	return api
}

// basicAuth reads basic credentials.
func basicAuth(c *Call) (user, password string, ok bool) {
	r := requestWith(c.Header)
	return r.BasicAuth()
}

// Xero plays the invoices of a tenant: pages by number of 100, the tenant in a
// header, `If-Modified-Since` for what has changed, 429 with Retry-After and the
// limit that was met, and a page beyond the last that is empty; the token is that
// of a custom connection, by client credentials (developer.xero.com, "Invoices",
// "OAuth 2.0 API limits", "Custom Connections").
func Xero() *API {
	const client, secret = "A1B2C3D4E5F6A1B2C3D4E5F6A1B2C3D4", "s3cr3t-of-the-custom-connection"
	const token, tenant = "eyJhbGciOiJSUzI1NiIsImtpZCI6", "70784a63-d24b-46a9-a4db-0e70a274b056"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	type invoice struct {
		record  Record
		changed time.Time
	}
	var invoices []*invoice
	for i := range 250 {
		at := start.Add(time.Duration(i) * time.Hour)
		invoices = append(invoices, &invoice{Record{
			"InvoiceID": fmt.Sprintf("243216c5-369e-4056-ac67-%012d", i), "Type": "ACCREC", "Total": float64(100 + i), "UpdatedDateUTC": fmt.Sprintf("/Date(%d+0000)/", at.UnixMilli()),
		}, at})
	}
	asked := 0
	api := &API{
		Name: "xero",
		Env: func(base string) map[string]string {
			return map[string]string{"XERO_API": base, "XERO_LOGIN": base, "XERO_TENANT": tenant}
		},
		Credentials: `{"Xero": {"type": "oauth2", "clientId": "` + client + `", "clientSecret": "` + secret + `", "tokenUrl": "${XERO_LOGIN}/connect/token"}}`,
	}
	api.Handle = func(c *Call) {
		if c.Path == "/connect/token" {
			form, err := url.ParseQuery(string(c.Body))
			if user, password, basic := basicAuth(c); err != nil || !basic || user != client || password != secret || form.Get("grant_type") != "client_credentials" {
				c.Reply(400, Record{"error": "invalid_client"})
				return
			}
			c.Reply(200, Record{"access_token": token, "expires_in": 1800, "token_type": "Bearer"})
			return
		}
		asked++
		switch {
		case !c.Bearer(token):
			c.Reply(401, Record{"Title": "Unauthorized", "Status": 401, "Detail": "TokenExpired"})
			return
		case c.Header.Get("Xero-Tenant-Id") != tenant:
			c.Reply(403, Record{"Title": "Forbidden", "Status": 403, "Detail": "AuthenticationUnsuccessful"})
			return
		case asked == 2:
			c.Send(429, "text/plain", nil, "Retry-After", "17", "X-Rate-Limit-Problem", "minute")
			return
		case c.Path != "/api.xro/2.0/Invoices":
			c.Send(404, "text/plain", []byte("The resource you're looking for cannot be found"))
			return
		}
		var from time.Time
		if text := c.Header.Get("If-Modified-Since"); text != "" {
			t, err := time.Parse("2006-01-02T15:04:05", strings.TrimSuffix(strings.Split(text, ".")[0], "Z"))
			if err != nil {
				if t, err = time.Parse(time.RFC1123, text); err != nil {
					c.Reply(400, Record{"Message": "If-Modified-Since is no time"})
					return
				}
			}
			from = t
		}
		page, ok := c.Int("page", 1)
		if !ok || page < 1 {
			c.Reply(400, Record{"Message": "page must be 1 or more"})
			return
		}
		all := []Record{}
		for _, x := range invoices {
			if !x.changed.Before(from) {
				all = append(all, x.record)
			}
		}
		c.Reply(200, Record{"Id": "e6a1", "Status": "OK", "Invoices": clip(all, (page-1)*100, 100)})
	}
	api.Change = func() {
		at := start.Add(480 * time.Hour)
		invoices[4].record["Total"], invoices[4].changed = float64(5), at
		invoices[4].record["UpdatedDateUTC"] = fmt.Sprintf("/Date(%d+0000)/", at.UnixMilli())
	}
	api.Want = func() map[string]map[string]any {
		out := map[string]any{}
		for _, x := range invoices {
			out[x.record["InvoiceID"].(string)] = x.record
		}
		return map[string]map[string]any{"invoices": out}
	}
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/api.xro"); n > 2 {
			return fmt.Errorf("the second run has fetched %d pages, want at most 2", n)
		}
		return nil
	}
	return api
}
