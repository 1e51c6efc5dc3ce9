package mock

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Zendesk plays the incremental export of tickets by cursor: `start_time` in
// seconds for the first page, `cursor` from then on, `end_of_stream` on the last
// page, whose cursor is there all the same; ten requests a minute, else 429 with
// Retry-After (developer.zendesk.com, "Incremental Exports").
func Zendesk() *API {
	const user, token = "agent@acme.test/token", "6wiIBWbGkBMo1mRDMuVwkw1EPsNkeUj95PIz2akv"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var tickets []Record // in order of their update
	add := func(id int, at time.Time) {
		tickets = append(tickets, Record{"id": float64(id), "subject": fmt.Sprintf("Ticket %d", id), "generated_timestamp": float64(at.Unix())})
	}
	for i := range 2500 {
		add(i+1, start.Add(time.Duration(i)*time.Minute))
	}
	limit := &window{limit: 10, every: time.Minute}
	api := &API{
		Name:        "zendesk",
		Env:         func(base string) map[string]string { return map[string]string{"ZENDESK_URL": base} },
		Credentials: `{"Zendesk": {"type": "basic", "username": "` + user + `", "password": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		if c.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+token)) {
			c.Reply(401, Record{"error": "Couldn't authenticate you"})
			return
		}
		if limit.take(c.Now()) < 0 {
			c.Send(429, "text/plain", []byte("Number of allowed incremental ticket export API requests per minute exceeded"),
				"Retry-After", strconv.Itoa(int(limit.ends.Sub(c.Now())/time.Second)+1))
			return
		}
		if c.Path != "/api/v2/incremental/tickets/cursor.json" {
			c.Reply(404, Record{"error": "InvalidEndpoint"})
			return
		}
		at := 0
		switch cursor, sent := c.Arg("cursor"); {
		case sent:
			n, err := strconv.Atoi(strings.TrimPrefix(cursor, "MTU3NjYxMzUzOS4wfHw0NTF8"))
			if err != nil || n > len(tickets) {
				c.Reply(400, Record{"error": "InvalidCursor", "description": "The cursor parameter is invalid"})
				return
			}
			at = n
		default:
			from, ok := c.Int("start_time", -1)
			if !ok || from < 0 {
				c.Reply(422, Record{"error": "InvalidValue", "description": "start_time is missing or invalid"})
				return
			}
			if int64(from) > c.Now().Unix()-60 {
				c.Reply(422, Record{"error": "StartTimeTooRecent", "description": "Too recent start_time. Use a start_time older than 60 seconds"})
				return
			}
			for at < len(tickets) && int(tickets[at]["generated_timestamp"].(float64)) < from {
				at++
			}
		}
		page := clip(tickets, at, 1000)
		next := fmt.Sprintf("MTU3NjYxMzUzOS4wfHw0NTF8%d", at+len(page))
		c.Reply(200, Record{
			"tickets": page, "after_cursor": next, "after_url": c.Base + c.Path + "?cursor=" + next,
			"before_cursor": nil, "end_of_stream": at+len(page) == len(tickets),
		})
	}
	api.Change = func() { add(2501, start.Add(21*24*time.Hour)) }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"tickets": byKey(tickets, "id")} }
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/api"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages, want 1", n)
		}
		return nil
	}
	return api
}

// Jira plays the search by JQL: pages by `nextPageToken`, which must not be sent
// on the first one, `isLast`, at most 100 a page whatever is asked, and times in
// the form of JQL without seconds (developer.atlassian.com, "Search for issues
// using JQL enhanced search").
func Jira() *API {
	const user, token = "sync@acme.test", "ATATT3xFfGF0-0123456789"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var issues []Record
	for i := range 340 {
		issues = append(issues, Record{"id": strconv.Itoa(10000 + i), "key": fmt.Sprintf("OPS-%d", i+1), "fields": Record{
			"summary": fmt.Sprintf("Work %d", i+1), "updated": start.Add(time.Duration(i) * time.Hour).Format("2006-01-02T15:04:05.000-0700"),
		}})
	}
	updated := func(x Record) time.Time {
		t, _ := time.Parse("2006-01-02T15:04:05.000-0700", x["fields"].(Record)["updated"].(string))
		return t
	}
	api := &API{
		Name:        "jira",
		Env:         func(base string) map[string]string { return map[string]string{"JIRA_URL": base} },
		Credentials: `{"Jira": {"type": "basic", "username": "` + user + `", "password": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		if c.Header.Get("Authorization") != "Basic "+base64.StdEncoding.EncodeToString([]byte(user+":"+token)) {
			c.Send(401, "text/html", []byte("Client must be authenticated to access this resource."))
			return
		}
		body, ok := c.JSON()
		if c.Path != "/rest/api/3/search/jql" || c.Method != "POST" || !ok {
			c.Reply(400, Record{"errorMessages": []string{"Invalid request payload. Refer to the REST API documentation and try again."}})
			return
		}
		jql, _ := body["jql"].(string)
		rest, ok := strings.CutPrefix(jql, "project = OPS")
		var from time.Time
		if at, limited := strings.CutPrefix(rest, ` AND updated >= "`); ok && limited {
			at, order, found := strings.Cut(at, `"`)
			t, err := time.Parse("2006-01-02 15:04", at)
			from, ok = t, err == nil && found && order == " ORDER BY updated ASC"
		} else {
			ok = ok && rest == " ORDER BY updated ASC"
		}
		if !ok {
			c.Reply(400, Record{"errorMessages": []string{"Error in the JQL Query: " + jql}})
			return
		}
		offset := 0
		if v, sent := body["nextPageToken"]; sent {
			text, isText := v.(string)
			n, err := strconv.Atoi(strings.TrimPrefix(text, "CAEaAggD"))
			if !isText || err != nil {
				c.Reply(400, Record{"errorMessages": []string{"The nextPageToken is invalid."}})
				return
			}
			offset = n
		}
		var all []Record
		for _, x := range issues {
			if !updated(x).Before(from) {
				all = append(all, x)
			}
		}
		size := 50
		if n, isNumber := body["maxResults"].(float64); isNumber {
			size = min(int(n), 100)
		}
		out := Record{"issues": clip(all, offset, size), "isLast": offset+size >= len(all)}
		if offset+size < len(all) {
			out["nextPageToken"] = fmt.Sprintf("CAEaAggD%d", offset+size)
		}
		c.Reply(200, out)
	}
	api.Change = func() {
		issues[1]["fields"].(Record)["updated"] = "2026-01-21T12:00:00.000+0000"
		issues[1]["fields"].(Record)["summary"] = "Other work"
	}
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"issues": byKey(issues, "id")} }
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/rest"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages, want 1", n)
		}
		return nil
	}
	return api
}

// Notion plays the query of a database: a POST with `start_cursor`, which must
// be left out on the first page (a null is refused), `has_more`, a version
// header that must be there, three requests a second on average, and times cut
// to minutes (developers.notion.com, "Pagination", "Request limits").
func Notion() *API {
	const token, database = "ntn_0123456789abcdefghij", "d9824bdc84454327be8b5b47500af6ce"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var pages []Record
	for i := range 260 {
		pages = append(pages, Record{"object": "page", "id": fmt.Sprintf("59833787-2cf9-4fdf-8782-%012d", i), "last_edited_time": start.Add(time.Duration(i) * time.Minute).Format("2006-01-02T15:04:05.000Z")})
	}
	limit := &window{limit: 2, every: time.Second}
	api := &API{
		Name: "notion",
		Env: func(base string) map[string]string {
			return map[string]string{"NOTION_API": base, "NOTION_DATABASE": database}
		},
		Credentials: `{"Notion": {"type": "bearer", "token": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		fail := func(status int, code, message string, headers ...string) {
			c.Reply(status, Record{"object": "error", "status": float64(status), "code": code, "message": message}, headers...)
		}
		switch {
		case !c.Bearer(token):
			fail(401, "unauthorized", "API token is invalid.")
			return
		case c.Header.Get("Notion-Version") == "":
			fail(400, "missing_version", "Notion-Version header failed validation: Notion-Version header should be defined, instead was `undefined`.")
			return
		case limit.take(c.Now()) < 0:
			fail(429, "rate_limited", "You have been rate limited. Please try again in a few minutes.", "Retry-After", "1")
			return
		}
		body, ok := c.JSON()
		if c.Path != "/v1/databases/"+database+"/query" || c.Method != "POST" || !ok {
			fail(404, "object_not_found", "Could not find database.")
			return
		}
		offset, size, from := 0, 100, ""
		for name, v := range body {
			switch name {
			case "start_cursor":
				text, isText := v.(string)
				n := -1
				for i, p := range pages {
					if isText && p["id"] == text {
						n = i
					}
				}
				if n < 0 {
					fail(400, "validation_error", "body failed validation: body.start_cursor should be a valid uuid or `undefined`, instead was `null`.")
					return
				}
				offset = n
			case "page_size":
				n, isNumber := v.(float64)
				if !isNumber || n > 100 {
					fail(400, "validation_error", "body.page_size should be ≤ 100")
					return
				}
				size = int(n)
			case "filter":
				filter, _ := v.(Record)
				edited, _ := filter["last_edited_time"].(Record)
				text, isText := edited["on_or_after"].(string)
				if !isText {
					fail(400, "validation_error", "body.filter.last_edited_time.on_or_after should be a valid ISO 8601 date string")
					return
				}
				from = text
			case "sorts":
			default:
				fail(400, "validation_error", "body."+name+" should be not present")
				return
			}
		}
		all := []Record{}
		for i, p := range pages {
			if i >= offset && p["last_edited_time"].(string) >= from {
				all = append(all, p)
			}
		}
		out := Record{"object": "list", "results": clip(all, 0, size), "has_more": len(all) > size, "next_cursor": nil}
		if len(all) > size {
			out["next_cursor"] = all[size]["id"]
		}
		c.Reply(200, out)
	}
	api.Change = func() { pages[9]["last_edited_time"] = "2026-01-21T11:00:00.000Z" }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"pages": byKey(pages, "id")} }
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/v1"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages, want 1", n)
		}
		return nil
	}
	return api
}
