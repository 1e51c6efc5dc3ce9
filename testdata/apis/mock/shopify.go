package mock

import (
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// Shopify plays the REST Admin API: `Link` pages by `page_info`, with which no
// other parameter but limit and fields may be sent, a leaky bucket of forty that
// drains two a second (X-Shopify-Shop-Api-Call-Limit), 429 with Retry-After as a
// decimal, and a token in a header of its own (shopify.dev, "Make paginated
// requests to the REST Admin API").
func Shopify() *API {
	const token = "shpat_0123456789abcdef0123456789abcdef"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var products []Record
	for i := range 620 {
		products = append(products, Record{
			"id": float64(632910392 + i), "title": fmt.Sprintf("Product %d", i), "status": "active",
			"updated_at": start.Add(time.Duration(i) * time.Minute).Format("2006-01-02T15:04:05-07:00"),
		})
	}
	level, last := 38.0, time.Time{} // of the bucket
	cursors := map[string]url.Values{}
	api := &API{
		Name:        "shopify",
		Env:         func(base string) map[string]string { return map[string]string{"SHOPIFY_URL": base} },
		Credentials: `{"Shopify": {"type": "api_key", "key": "` + token + `", "header": "X-Shopify-Access-Token"}}`,
	}
	api.Handle = func(c *Call) {
		if c.Header.Get("X-Shopify-Access-Token") != token {
			c.Reply(401, Record{"errors": "[API] Invalid API key or access token (unrecognized login or wrong password)"})
			return
		}
		if !last.IsZero() {
			level = max(0, level-2*c.Now().Sub(last).Seconds())
		}
		last = c.Now()
		if level+1 > 40 {
			c.Reply(429, Record{"errors": "Exceeded 2 calls per second for api client. Reduce request rates to resume uninterrupted service."},
				"Retry-After", "2.0", "X-Shopify-Shop-Api-Call-Limit", "40/40")
			return
		}
		level++
		headers := []string{"X-Shopify-Shop-Api-Call-Limit", fmt.Sprintf("%d/40", int(level))}
		if c.Path != "/admin/api/2026-01/products.json" {
			c.Reply(404, Record{"errors": "Not Found"}, headers...)
			return
		}
		q := c.Query
		offset := 0
		if info, sent := c.Arg("page_info"); sent {
			for name := range q {
				if name != "page_info" && name != "limit" && name != "fields" {
					c.Reply(400, Record{"errors": Record{name: name + " cannot be passed when page_info is present."}}, headers...)
					return
				}
			}
			kept, ok := cursors[info]
			if !ok {
				c.Reply(400, Record{"errors": Record{"page_info": "Invalid value."}}, headers...)
				return
			}
			q = kept
			offset, _ = strconv.Atoi(q.Get("offset"))
		}
		size, ok := c.Int("limit", 50)
		if !ok || size < 1 || size > 250 {
			c.Reply(400, Record{"errors": Record{"limit": "must be between 1 and 250"}}, headers...)
			return
		}
		all := []Record{}
		for _, p := range products {
			at, _ := time.Parse(time.RFC3339, p["updated_at"].(string))
			from, err := time.Parse(time.RFC3339, q.Get("updated_at_min"))
			if q.Get("updated_at_min") == "" || err == nil && !at.Before(from) {
				all = append(all, p)
			}
		}
		if offset+size < len(all) {
			info := fmt.Sprintf("eyJ%d", len(cursors)+1)
			kept := url.Values{"offset": {strconv.Itoa(offset + size)}}
			if v := q.Get("updated_at_min"); v != "" {
				kept.Set("updated_at_min", v)
			}
			cursors[info] = kept
			headers = append(headers, "Link", fmt.Sprintf("<%s%s?limit=%d&page_info=%s>; rel=\"next\"", c.Base, c.Path, size, info))
		}
		c.Reply(200, Record{"products": clip(all, offset, size)}, headers...)
	}
	api.Change = func() {
		products[5]["title"] = "Product five"
		products[5]["updated_at"] = "2026-01-21T10:00:00+01:00"
	}
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"products": byKey(products, "id")} }
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/admin"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages, want 1", n)
		}
		return nil
	}
	return api
}

// HubSpot plays the CRM search: a POST with `after` and `limit` in the body,
// `paging.next.after`, at most 200 a page, and no more than 10,000 results of
// one search, beyond which it answers 400. The capacity here is a thousand, so
// that the test stays quick (developers.hubspot.com, "CRM API | Search").
func HubSpot() *API {
	const token, most = "pat-eu1-01234567-89ab-cdef-0123-456789abcdef", 1000
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var contacts []Record
	add := func(id int, at time.Time) {
		contacts = append(contacts, Record{"id": strconv.Itoa(id), "properties": Record{
			"email": fmt.Sprintf("c%d@example.com", id), "lastmodifieddate": at.Format("2006-01-02T15:04:05.000Z"),
		}})
	}
	for i := range 2300 {
		add(i+1, start.Add(time.Duration(i/3)*20*time.Minute)) // three share a time
	}
	api := &API{
		Name:        "hubspot",
		Env:         func(base string) map[string]string { return map[string]string{"HUBSPOT_API": base} },
		Credentials: `{"HubSpot": {"type": "bearer", "token": "` + token + `"}}`,
	}
	modified := func(x Record) string { return x["properties"].(Record)["lastmodifieddate"].(string) }
	api.Handle = func(c *Call) {
		fail := func(status int, message string) {
			c.Reply(status, Record{"status": "error", "message": message, "correlationId": "a1", "category": "VALIDATION_ERROR"})
		}
		if !c.Bearer(token) {
			c.Reply(401, Record{"status": "error", "message": "Authentication credentials not found.", "category": "INVALID_AUTHENTICATION"})
			return
		}
		body, ok := c.JSON()
		if !ok || c.Method != "POST" || c.Path != "/crm/v3/objects/contacts/search" {
			fail(400, "Invalid input JSON")
			return
		}
		size, offset := 10, 0
		from, below := "", "~" // behind all times
		for name, v := range body {
			switch name {
			case "limit":
				n, isNumber := v.(float64)
				if !isNumber || n < 1 || n > 200 {
					fail(400, "limit must be between 1 and 200")
					return
				}
				size = int(n)
			case "after":
				text := fmt.Sprint(v)
				n, err := strconv.Atoi(text)
				if v == nil || err != nil {
					fail(400, "Invalid input JSON on line 1, column 1: Cannot deserialize value of `after`")
					return
				}
				offset = n
			case "filterGroups":
				groups, _ := v.([]any)
				if len(groups) != 1 {
					fail(400, "one filter group is played")
					return
				}
				group, _ := groups[0].(Record)
				filters, _ := group["filters"].([]any)
				for _, f := range filters {
					filter, _ := f.(Record)
					at, err := strconv.ParseInt(fmt.Sprintf("%.0f", filter["value"]), 10, 64)
					if text, isText := filter["value"].(string); isText {
						at, err = strconv.ParseInt(text, 10, 64)
					}
					bound := time.UnixMilli(at).UTC().Format("2006-01-02T15:04:05.000Z")
					switch {
					case err != nil:
						fail(400, fmt.Sprintf("Unable to parse value: %v", filter["value"]))
						return
					case filter["propertyName"] == "lastmodifieddate" && filter["operator"] == "GTE":
						from = bound
					case filter["propertyName"] == "lastmodifieddate" && filter["operator"] == "LT":
						below = bound
					default:
						fail(400, "Unsupported filter")
						return
					}
				}
			case "sorts", "properties":
			default:
				fail(400, "Unknown field "+name)
				return
			}
		}
		if offset+size > most {
			fail(400, fmt.Sprintf("There was a problem with the request: after + limit must not exceed %d", most))
			return
		}
		var all []Record
		for _, x := range contacts {
			if m := modified(x); m >= from && m < below {
				all = append(all, x)
			}
		}
		out := Record{"total": float64(len(all)), "results": clip(all, offset, size)}
		if offset+size < len(all) {
			out["paging"] = Record{"next": Record{"after": strconv.Itoa(offset + size), "link": "?after=" + strconv.Itoa(offset+size)}}
		}
		c.Reply(200, out)
	}
	api.Change = func() { add(9001, start.Add(480*time.Hour)) }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"contacts": byKey(contacts, "id")} }
	api.Again = func(calls []*Call) error {
		if n := len(calls); n != 1 {
			return fmt.Errorf("the second run has made %d requests, want 1", n)
		}
		return nil
	}
	return api
}

// Salesforce plays a SOQL query: a session by the OAuth password of a connected
// app whose answer says where the instance is, `nextRecordsUrl` relative to it,
// 401 with INVALID_SESSION_ID when the session is over (developer.salesforce.com,
// "Query", "QueryMore").
func Salesforce() *API {
	const user, password, secret = "sync@acme.test", "Hunter2Hunter2token", "3MVG9secret-of-the-app"
	start := time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)
	var accounts []Record
	for i := range 4500 {
		accounts = append(accounts, Record{
			"attributes": Record{"type": "Account", "url": fmt.Sprintf("/services/data/v60.0/sobjects/Account/001%012d", i)},
			"Id":         fmt.Sprintf("001%012d", i), "Name": fmt.Sprintf("Account %d", i),
			"SystemModstamp": start.Add(time.Duration(i) * time.Second).Format("2006-01-02T15:04:05.000+0000"),
		})
	}
	session, used := "", 0
	logins := 0
	locators := map[string][]Record{}
	api := &API{Name: "salesforce"}
	api.Env = func(base string) map[string]string {
		return map[string]string{
			"SF_LOGIN_URL": base, "SF_CLIENT_ID": "3MVG9app", "SF_CLIENT_SECRET": secret, "SF_USERNAME": user, "SF_PASSWORD": password,
		}
	}
	api.Handle = func(c *Call) {
		if c.Path == "/services/oauth2/token" {
			form, err := url.ParseQuery(string(c.Body))
			if err != nil || form.Get("grant_type") != "password" || form.Get("username") != user || form.Get("password") != password || form.Get("client_secret") != secret {
				c.Reply(400, Record{"error": "invalid_grant", "error_description": "authentication failure"})
				return
			}
			logins++
			session, used = fmt.Sprintf("00D!session-number-%d", logins), 0
			c.Reply(200, Record{"access_token": session, "instance_url": c.Base + "/instance", "token_type": "Bearer", "issued_at": "1768899600000"})
			return
		}
		if session == "" || !c.Bearer(session) || used >= 2 && logins == 1 {
			session = ""
			c.Reply(401, []Record{{"message": "Session expired or invalid", "errorCode": "INVALID_SESSION_ID"}})
			return
		}
		used++
		path, ok := strings.CutPrefix(c.Path, "/instance/services/data/v60.0/query")
		if !ok {
			c.Reply(404, []Record{{"errorCode": "NOT_FOUND", "message": "The requested resource does not exist"}})
			return
		}
		rest := locators[strings.Trim(path, "/")]
		if path == "" || path == "/" {
			soql := strings.Join(strings.Fields(c.Query.Get("q")), " ")
			head := "SELECT Id, Name, SystemModstamp FROM Account"
			where, ok := strings.CutPrefix(soql, head)
			from := ""
			if at, limited := strings.CutPrefix(where, " WHERE SystemModstamp >= "); ok && limited {
				at, _, _ = strings.Cut(at, " ")
				t, err := time.Parse(time.RFC3339, at)
				if ok = err == nil; ok {
					from = t.UTC().Format("2006-01-02T15:04:05.000+0000")
				}
			} else if !strings.HasPrefix(where, " ORDER BY") {
				ok = false
			}
			if !ok {
				c.Reply(400, []Record{{"errorCode": "MALFORMED_QUERY", "message": "unexpected token in " + soql}})
				return
			}
			for _, a := range accounts {
				if a["SystemModstamp"].(string) >= from {
					rest = append(rest, a)
				}
			}
		} else if rest == nil {
			c.Reply(400, []Record{{"errorCode": "INVALID_QUERY_LOCATOR", "message": "invalid query locator"}})
			return
		}
		out := Record{"totalSize": float64(len(rest)), "done": len(rest) <= 2000, "records": clip(rest, 0, 2000)}
		if len(rest) > 2000 {
			locator := fmt.Sprintf("01g-%d", len(locators)+1)
			locators[locator] = rest[2000:]
			out["nextRecordsUrl"] = "/instance/services/data/v60.0/query/" + locator
		}
		c.Reply(200, out)
	}
	api.Change = func() {
		accounts[7]["Name"] = "Account seven"
		accounts[7]["SystemModstamp"] = "2026-01-21T09:00:00.000+0000"
	}
	api.Want = func() map[string]map[string]any {
		out := map[string]any{}
		for _, a := range accounts {
			out[a["Id"].(string)] = Record{"Id": a["Id"], "Name": a["Name"], "SystemModstamp": a["SystemModstamp"]}
		}
		return map[string]map[string]any{"accounts": out}
	}
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/instance/services/data/v60.0/query"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages, want 1", n)
		}
		return nil
	}
	return api
}
