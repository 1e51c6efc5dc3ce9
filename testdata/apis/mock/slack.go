package mock

import (
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Slack plays conversations.history: errors come with status 200 and `ok`
// false, the next cursor is in response_metadata and "" on the last page,
// `oldest` is a decimal text whose digits count, one request a minute of some
// methods is answered by 429 with Retry-After (api.slack.com, "Pagination",
// "Rate limits").
func Slack() *API {
	const token = "xoxb-123456789012-abcdefghijkl"
	var messages []Record // newest first
	add := func(n int) {
		messages = append([]Record{{"type": "message", "ts": fmt.Sprintf("%d.%06d", 1_767_225_600+n*60, n), "text": fmt.Sprintf("Message %d", n)}}, messages...)
	}
	for n := range 450 {
		add(n)
	}
	asked := 0
	api := &API{
		Name: "slack",
		Env: func(base string) map[string]string {
			return map[string]string{"SLACK_API": base, "SLACK_CHANNEL": "C012AB3CD"}
		},
		Credentials: `{"Slack": {"type": "bearer", "token": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		asked++
		switch {
		case asked%3 == 0:
			c.Reply(429, Record{"ok": false, "error": "ratelimited"}, "Retry-After", "30")
			return
		case !c.Bearer(token):
			c.Reply(200, Record{"ok": false, "error": "invalid_auth"})
			return
		case c.Path != "/api/conversations.history":
			c.Reply(200, Record{"ok": false, "error": "unknown_method"})
			return
		case c.Query.Get("channel") != "C012AB3CD":
			c.Reply(200, Record{"ok": false, "error": "channel_not_found"})
			return
		case asked == 2: // in the middle, once
			c.Reply(200, Record{"ok": false, "error": "internal_error"})
			return
		}
		size, ok := c.Int("limit", 100)
		offset := 0
		if cursor, sent := c.Arg("cursor"); sent {
			n, err := strconv.Atoi(strings.TrimPrefix(cursor, "bmV4dF90czox"))
			if err != nil {
				c.Reply(200, Record{"ok": false, "error": "invalid_cursor"})
				return
			}
			offset = n
		}
		oldest, _ := c.Arg("oldest")
		if _, err := strconv.ParseFloat(oldest, 64); !ok || oldest != "" && err != nil {
			c.Reply(200, Record{"ok": false, "error": "invalid_ts_oldest"})
			return
		}
		var all []Record
		for _, m := range messages {
			if m["ts"].(string) > oldest {
				all = append(all, m)
			}
		}
		size = min(size, 200)
		next := ""
		if offset+size < len(all) {
			next = fmt.Sprintf("bmV4dF90czox%d", offset+size)
		}
		items := clip(all, offset, size)
		if items == nil {
			items = []Record{}
		}
		c.Reply(200, Record{"ok": true, "messages": items, "has_more": next != "", "response_metadata": Record{"next_cursor": next}})
	}
	api.Change = func() { add(450) }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"messages": byKey(messages, "ts")} }
	api.Again = func(calls []*Call) error {
		return EachHas(calls, "/api/conversations.history", "oldest", "1767252540.000449")
	}
	return api
}

// Airtable plays the list of records: `offset`, a text that is sent back, at most
// 100 a page, five requests a second and, beyond them, 429 for thirty seconds
// without a Retry-After (airtable.com/developers, "List records", "Rate limits").
func Airtable() *API {
	const token = "patABCDEFGHIJKLMN.0123456789abcdef"
	var records []Record
	for i := range 640 {
		records = append(records, Record{"id": fmt.Sprintf("rec%014d", i), "createdTime": "2026-01-02T03:04:05.000Z", "fields": Record{"Name": fmt.Sprintf("Row %d", i)}})
	}
	limit := &window{limit: 5, every: time.Second}
	var blocked time.Time
	api := &API{
		Name: "airtable",
		Env: func(base string) map[string]string {
			return map[string]string{"AIRTABLE_API": base, "AIRTABLE_BASE": "appLkNDICXNqxSDhG"}
		},
		Credentials: `{"Airtable": {"type": "bearer", "token": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		if !c.Bearer(token) {
			c.Reply(401, Record{"error": Record{"type": "AUTHENTICATION_REQUIRED", "message": "Authentication required"}})
			return
		}
		if c.Now().Before(blocked) || limit.take(c.Now()) < 0 {
			if !c.Now().Before(blocked) {
				blocked = c.Now().Add(30 * time.Second)
			}
			c.Reply(429, Record{"errors": []Record{{"error": "RATE_LIMIT_REACHED", "message": "Rate limit exceeded. Please try again later"}}})
			return
		}
		if c.Path != "/v0/appLkNDICXNqxSDhG/Projects" {
			c.Reply(404, Record{"error": "NOT_FOUND"})
			return
		}
		size, ok := c.Int("pageSize", 100)
		at := 0
		if offset, sent := c.Arg("offset"); sent {
			n, err := strconv.Atoi(strings.TrimPrefix(offset, "itrHoHnIkbXVLRrVo/"))
			if ok = ok && err == nil; !ok {
				c.Reply(422, Record{"error": Record{"type": "LIST_RECORDS_ITERATOR_NOT_AVAILABLE"}})
				return
			}
			at = n
		}
		if !ok || size < 1 || size > 100 {
			c.Reply(422, Record{"error": Record{"type": "INVALID_REQUEST_UNKNOWN", "message": "Invalid request: parameter validation failed."}})
			return
		}
		out := Record{"records": clip(records, at, size)}
		if at+size < len(records) {
			out["offset"] = fmt.Sprintf("itrHoHnIkbXVLRrVo/%d", at+size)
		}
		c.Reply(200, out)
	}
	api.Change = func() { records[0]["fields"] = Record{"Name": "The first row"} }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"projects": byKey(records, "id")} }
	return api
}

// Intercom plays the search of conversations: a POST whose `pagination` holds
// `starting_after`, nested two levels, and whose answer holds the next one in
// pages.next, an object that is missing on the last page; the time is a number
// of seconds (developers.intercom.com, "Search conversations").
func Intercom() *API {
	const token = "dG9rOjAxMjM0NTY3ODlhYmNkZWY="
	start := int64(1_767_225_600)
	var conversations []Record
	for i := range 330 {
		conversations = append(conversations, Record{"type": "conversation", "id": strconv.Itoa(5000 + i), "state": "open", "updated_at": float64(start + int64(i)*60)})
	}
	api := &API{
		Name:        "intercom",
		Env:         func(base string) map[string]string { return map[string]string{"INTERCOM_API": base} },
		Credentials: `{"Intercom": {"type": "bearer", "token": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		fail := func(status int, code, message string) {
			c.Reply(status, Record{"type": "error.list", "request_id": "b1", "errors": []Record{{"code": code, "message": message}}})
		}
		if !c.Bearer(token) {
			fail(401, "unauthorized", "Access Token Invalid")
			return
		}
		body, ok := c.JSON()
		if c.Path != "/conversations/search" || c.Method != "POST" || !ok {
			fail(404, "not_found", "Requested resource is not available")
			return
		}
		query, _ := body["query"].(Record)
		from, isNumber := query["value"].(float64)
		if query["field"] != "updated_at" || query["operator"] != ">" || !isNumber {
			fail(400, "invalid_field", "query.value is invalid")
			return
		}
		page, _ := body["pagination"].(Record)
		size, at := 20, 0
		if n, ok := page["per_page"].(float64); ok {
			size = min(int(n), 150)
		}
		if after, sent := page["starting_after"]; sent {
			text, isText := after.(string)
			n, err := strconv.Atoi(strings.TrimSuffix(text, "=="))
			if !isText || err != nil {
				fail(400, "parameter_invalid", "starting_after is invalid")
				return
			}
			at = n
		}
		all := []Record{}
		for _, x := range conversations {
			if x["updated_at"].(float64) > from {
				all = append(all, x)
			}
		}
		pages := Record{"type": "pages", "page": float64(at/size + 1), "per_page": float64(size), "total_pages": float64((len(all) + size - 1) / size)}
		if at+size < len(all) {
			pages["next"] = Record{"page": float64(at/size + 2), "starting_after": fmt.Sprintf("%d==", at+size)}
		}
		c.Reply(200, Record{"type": "conversation.list", "conversations": clip(all, at, size), "total_count": float64(len(all)), "pages": pages})
	}
	api.Change = func() {
		conversations[2]["state"] = "closed"
		conversations[2]["updated_at"] = float64(start + 20*86_400)
	}
	api.Want = func() map[string]map[string]any {
		return map[string]map[string]any{"conversations": byKey(conversations, "id")}
	}
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/conversations"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages, want 1", n)
		}
		return nil
	}
	return api
}
