package mock

import (
	"encoding/base64"
	"fmt"
	"net/http"
	"strconv"
	"time"
)

// requestWith gives a request with these headers.
func requestWith(h http.Header) *http.Request { return &http.Request{Header: h} }

// Twilio plays the list of messages: `next_page_uri` is relative to the host and
// null on the last page, times are RFC 2822 texts, basic credentials
// (twilio.com/docs, "Paging through API responses").
func Twilio() *API {
	const sid, token = "ACe0123456789abcdef0123456789abcde", "0123456789abcdef0123456789abcdef"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var messages []Record // newest first
	add := func(n int, at time.Time) {
		messages = append([]Record{{"sid": fmt.Sprintf("SM%032d", n), "body": fmt.Sprintf("Text %d", n), "date_sent": at.Format(time.RFC1123Z), "price": nil}}, messages...)
	}
	for n := range 230 {
		add(n, start.Add(time.Duration(n)*time.Hour))
	}
	api := &API{
		Name: "twilio",
		Env: func(base string) map[string]string {
			return map[string]string{"TWILIO_API": base, "TWILIO_ACCOUNT": sid}
		},
		Credentials: `{"Twilio": {"type": "basic", "username": "` + sid + `", "password": "` + token + `"}}`,
	}
	path := "/2010-04-01/Accounts/" + sid + "/Messages.json"
	api.Handle = func(c *Call) {
		if c.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(sid+":"+token)) {
			c.Reply(401, Record{"code": 20003, "message": "Authenticate", "status": 401})
			return
		}
		size, ok := c.Int("PageSize", 50)
		page, ok2 := c.Int("Page", 0)
		if c.Path != path || !ok || !ok2 {
			c.Reply(404, Record{"code": 20404, "message": "The requested resource was not found", "status": 404})
			return
		}
		var from time.Time
		if text, sent := c.Arg("DateSent>"); sent {
			t, err := time.Parse("2006-01-02", text)
			if err != nil {
				c.Reply(400, Record{"code": 20001, "message": "DateSent> is invalid", "status": 400})
				return
			}
			from = t
		}
		if page > 0 && c.Query.Get("PageToken") == "" {
			c.Reply(400, Record{"code": 20006, "message": "Page parameter needs a PageToken", "status": 400})
			return
		}
		all := []Record{}
		for _, m := range messages {
			if at, _ := time.Parse(time.RFC1123Z, m["date_sent"].(string)); !at.Before(from) {
				all = append(all, m)
			}
		}
		out := Record{"messages": clip(all, page*size, size), "page": page, "page_size": size, "next_page_uri": nil, "uri": c.Path}
		if (page+1)*size < len(all) {
			q := c.Query
			q.Set("Page", strconv.Itoa(page+1))
			q.Set("PageSize", strconv.Itoa(size))
			q.Set("PageToken", "PA"+messages[page]["sid"].(string))
			out["next_page_uri"] = path + "?" + q.Encode()
		}
		c.Reply(200, out)
	}
	api.Change = func() { add(230, start.Add(21*24*time.Hour)) }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"messages": byKey(messages, "sid")} }
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/2010"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages, want 1", n)
		}
		return nil
	}
	return api
}

// PagerDuty plays the list of incidents: offset and limit, `more`, refused
// beyond an offset and limit of 10,000 together, and a window of at most six
// months between `since` and `until` (developer.pagerduty.com, "Pagination").
// The cap here is a thousand.
func PagerDuty() *API {
	const token, most = "y_NbAkKc66ryYTWUXYEu", 1000
	start := time.Date(2025, 10, 1, 0, 0, 0, 0, time.UTC)
	var incidents []Record
	for i := range 2200 {
		incidents = append(incidents, Record{"id": fmt.Sprintf("PT4KHL%d", i), "title": fmt.Sprintf("Incident %d", i), "status": "resolved", "created_at": stamp(start.Add(time.Duration(i) * time.Hour))})
	}
	api := &API{
		Name:        "pagerduty",
		Env:         func(base string) map[string]string { return map[string]string{"PAGERDUTY_API": base} },
		Credentials: `{"PagerDuty": {"type": "api_key", "header": "Authorization", "prefix": "Token", "key": "token=` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		if c.Header.Get("Authorization") != "Token token="+token {
			c.Reply(401, Record{"error": Record{"message": "Unauthorized", "code": 2006}})
			return
		}
		size, ok := c.Int("limit", 25)
		offset, ok2 := c.Int("offset", 0)
		since, err := time.Parse(time.RFC3339, c.Query.Get("since"))
		until, err2 := time.Parse(time.RFC3339, c.Query.Get("until"))
		if c.Path != "/incidents" || !ok || !ok2 || err != nil || err2 != nil || size > 100 || offset+size > most || until.Sub(since) > 180*24*time.Hour {
			c.Reply(400, Record{"error": Record{"message": "Arguments Caused Error", "code": 2001, "errors": []string{"Offset and limit together must not exceed 10000"}}})
			return
		}
		all := []Record{}
		for _, x := range incidents {
			if at, _ := time.Parse(time.RFC3339, x["created_at"].(string)); !at.Before(since) && at.Before(until) {
				all = append(all, x)
			}
		}
		c.Reply(200, Record{"incidents": clip(all, offset, size), "limit": size, "offset": offset, "total": nil, "more": offset+size < len(all)})
	}
	api.Change = func() {
		incidents = append(incidents, Record{"id": "PNEW", "title": "A new one", "status": "triggered", "created_at": "2026-01-20T09:30:00Z"})
	}
	api.Want = func() map[string]map[string]any {
		return map[string]map[string]any{"incidents": byKey(incidents, "id")}
	}
	api.Again = func(calls []*Call) error {
		if n := len(calls); n > 3 {
			return fmt.Errorf("the second run has made %d requests, want at most 3", n)
		}
		return nil
	}
	return api
}

// Mailchimp plays the members of a list: offset and count, `total_items`, the
// data centre in the address, basic credentials with any user, at most 1,000 a
// page, 429 when more than ten ask at once (mailchimp.com/developer, "Pagination").
func Mailchimp() *API {
	const key = "0123456789abcdef0123456789abcdef-us6"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var members []Record
	for i := range 1234 {
		members = append(members, Record{"id": fmt.Sprintf("%032x", i), "email_address": fmt.Sprintf("m%d@example.com", i), "status": "subscribed", "last_changed": start.Add(time.Duration(i) * time.Minute).Format("2006-01-02T15:04:05+00:00")})
	}
	api := &API{
		Name: "mailchimp",
		Env: func(base string) map[string]string {
			return map[string]string{"MAILCHIMP_API": base, "MAILCHIMP_LIST": "57afe96172"}
		},
		Credentials: `{"Mailchimp": {"type": "basic", "username": "reqon", "password": "` + key + `"}}`,
	}
	api.Handle = func(c *Call) {
		fail := func(status int, title, detail string) {
			c.Send(status, "application/problem+json; charset=utf-8", []byte(fmt.Sprintf(`{"type":"https://mailchimp.com/developer/marketing/docs/errors/","title":%q,"status":%d,"detail":%q}`, title, status, detail)))
		}
		if _, password, ok := basicAuth(c); !ok || password != key {
			fail(401, "API Key Invalid", "Your API key may be invalid, or you've attempted to access the wrong datacenter.")
			return
		}
		if c.Path != "/3.0/lists/57afe96172/members" {
			fail(404, "Resource Not Found", "The requested resource could not be found.")
			return
		}
		count, ok := c.Int("count", 10)
		offset, ok2 := c.Int("offset", 0)
		if !ok || !ok2 || count > 1000 || count < 0 || offset < 0 {
			fail(400, "Invalid Resource", "The resource submitted could not be validated: count must be 1000 or less")
			return
		}
		all := []Record{}
		for _, m := range members {
			at, _ := time.Parse(time.RFC3339, m["last_changed"].(string))
			from, err := time.Parse(time.RFC3339, c.Query.Get("since_last_changed"))
			if err != nil && c.Query.Has("since_last_changed") {
				fail(400, "Invalid Resource", "since_last_changed is no time of ISO 8601")
				return
			}
			if !at.Before(from) {
				all = append(all, m)
			}
		}
		c.Reply(200, Record{"members": clip(all, offset, count), "list_id": "57afe96172", "total_items": len(all)})
	}
	api.Change = func() {
		members[11]["status"], members[11]["last_changed"] = "unsubscribed", "2026-01-21T00:00:00+00:00"
	}
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"members": byKey(members, "id")} }
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/3.0"); n > 2 {
			return fmt.Errorf("the second run has fetched %d pages, want at most 2", n)
		}
		return nil
	}
	return api
}
