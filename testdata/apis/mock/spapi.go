package mock

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"net/url"
	"strings"
	"time"
)

// SellingPartner plays a report of Amazon's Selling Partner API: a token by
// Login with Amazon in a header of its own, a report that is asked for, polled
// until it is DONE, and fetched as a gzipped file with tabs in Latin-1 from an
// address at another origin that takes no credentials
// (developer-docs.amazon.com/sp-api, "Reports API").
func SellingPartner() *API {
	const refresh, secret = "Atzr|IwEBIA-refresh-token", "amzn1.oa2-cs.v1.0123456789abcdef"
	var orders []Record
	add := func(n int) {
		orders = append(orders, Record{"order-id": fmt.Sprintf("902-%07d-1", n), "sku": fmt.Sprintf("SKU \"%d\"", n), "quantity": fmt.Sprint(n%5 + 1), "city": "Köln"})
	}
	for n := range 1200 {
		add(n)
	}
	token, expires := "", time.Time{}
	polls := map[string]int{}
	api := &API{
		Name:        "amazon-sp-api",
		Credentials: `{"Amazon": {"type": "oauth2", "clientId": "amzn1.application-oa2-client.a1", "clientSecret": "` + secret + `", "refreshToken": "` + refresh + `", "tokenUrl": "${LWA_URL}/auth/o2/token"}}`,
	}
	api.Env = func(base string) map[string]string {
		return map[string]string{"SPAPI": base, "LWA_URL": base, "LWA_REFRESH": refresh, "LWA_SECRET": secret}
	}
	api.Handle = func(c *Call) {
		fail := func(status int, code, message string) {
			c.Reply(status, Record{"errors": []Record{{"code": code, "message": message}}})
		}
		if c.Path == "/auth/o2/token" {
			form, err := url.ParseQuery(string(c.Body))
			if _, password, basic := basicAuth(c); basic {
				form.Set("client_secret", password)
			}
			if err != nil || form.Get("grant_type") != "refresh_token" || form.Get("refresh_token") != refresh || form.Get("client_secret") != secret {
				c.Reply(400, Record{"error": "invalid_grant", "error_description": "The request has an invalid grant parameter"})
				return
			}
			token, expires = fmt.Sprintf("Atza|IQEBLjAsAhRmHjNgHpi0U-%d", c.Now().Unix()), c.Now().Add(time.Hour)
			c.Reply(200, Record{"access_token": token, "token_type": "bearer", "expires_in": 3600, "refresh_token": refresh})
			return
		}
		if c.Path == "/documents/report.txt" {
			if c.Header.Get("x-amz-access-token") != "" || c.Header.Get("Authorization") != "" {
				c.Send(400, "application/xml", []byte("<Error><Code>InvalidArgument</Code><Message>Only one auth mechanism allowed</Message></Error>"))
				return
			}
			var text bytes.Buffer
			zip := gzip.NewWriter(&text)
			fmt.Fprint(zip, "order-id\tsku\tquantity\tcity\r\n")
			for _, o := range orders {
				fmt.Fprintf(zip, "%s\t%s\t%s\t%s\r\n", o["order-id"], o["sku"], o["quantity"], strings.ReplaceAll(o["city"].(string), "ö", "\xf6"))
			}
			_ = zip.Close() // into memory
			c.Send(200, "application/octet-stream", text.Bytes())
			return
		}
		if token == "" || c.Header.Get("x-amz-access-token") != token || !c.Now().Before(expires) {
			fail(403, "Unauthorized", "Access to requested resource is denied.")
			return
		}
		switch id := strings.TrimPrefix(c.Path, "/reports/2021-06-30/reports/"); {
		case c.Method == "POST" && c.Path == "/reports/2021-06-30/reports":
			body, ok := c.JSON()
			if !ok || body["reportType"] != "GET_FLAT_FILE_ALL_ORDERS_DATA_BY_LAST_UPDATE_GENERAL" {
				fail(400, "InvalidInput", "Report Type is invalid.")
				return
			}
			c.Reply(202, Record{"reportId": fmt.Sprintf("5000%d", len(polls)+1)})
			polls[fmt.Sprintf("5000%d", len(polls)+1)] = 0
		case id != c.Path:
			n, ok := polls[id]
			if !ok {
				fail(404, "NotFound", "Report not found.")
				return
			}
			polls[id] = n + 1
			out := Record{"reportId": id, "processingStatus": []string{"IN_QUEUE", "IN_PROGRESS", "DONE"}[min(n, 2)]}
			if n >= 2 {
				out["reportDocumentId"] = "amzn1.spdoc.1"
			}
			c.Reply(200, out)
		case c.Path == "/reports/2021-06-30/documents/amzn1.spdoc.1":
			other := strings.Replace(c.Base, "127.0.0.1", "localhost", 1)
			c.Reply(200, Record{"reportDocumentId": "amzn1.spdoc.1", "url": other + "/documents/report.txt?X-Amz-Signature=ab12", "compressionAlgorithm": "GZIP"})
		default:
			fail(404, "NotFound", "The resource was not found.")
		}
	}
	api.Change = func() { add(1200) }
	api.Want = func() map[string]map[string]any {
		return map[string]map[string]any{"orders": byKey(orders, "order-id")}
	}
	return api
}

// OpenAI plays a batch: a file that is uploaded is left out; the batch is asked
// for, polled, and its output is JSON lines behind a file's id; the list of
// batches pages by `after`, the last id, and `has_more`
// (platform.openai.com/docs, "Batch API").
func OpenAI() *API {
	const token = "sk-proj-0123456789abcdefghijklmnop"
	polls := 0
	var results []Record
	for i := range 500 {
		results = append(results, Record{"id": fmt.Sprintf("batch_req_%d", i), "custom_id": fmt.Sprintf("request-%d", i), "response": Record{"status_code": 200, "body": Record{"output": fmt.Sprintf("Answer\n%d", i)}}, "error": nil})
	}
	api := &API{
		Name:        "openai-batch",
		Env:         func(base string) map[string]string { return map[string]string{"OPENAI_API": base + "/v1"} },
		Credentials: `{"OpenAI": {"type": "bearer", "token": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		fail := func(status int, kind, message string) {
			c.Reply(status, Record{"error": Record{"message": message, "type": kind, "param": nil, "code": nil}})
		}
		if !c.Bearer(token) {
			fail(401, "invalid_request_error", "Incorrect API key provided")
			return
		}
		switch c.Method + " " + c.Path {
		case "POST /v1/batches":
			body, ok := c.JSON()
			if !ok || body["input_file_id"] == nil || body["endpoint"] != "/v1/responses" || body["completion_window"] != "24h" {
				fail(400, "invalid_request_error", "Missing required parameter")
				return
			}
			polls = 0
			c.Reply(200, Record{"id": "batch_abc123", "object": "batch", "status": "validating", "output_file_id": nil})
		case "GET /v1/batches/batch_abc123":
			polls++
			status := []string{"validating", "in_progress", "finalizing", "completed"}[min(polls, 3)]
			out := Record{"id": "batch_abc123", "object": "batch", "status": status, "output_file_id": nil}
			if status == "completed" {
				out["output_file_id"] = "file-cvaTdG"
			}
			c.Reply(200, out)
		case "GET /v1/files/file-cvaTdG/content":
			var lines bytes.Buffer
			for _, r := range results {
				lines.Write(jsonOf(r))
				lines.WriteByte('\n')
			}
			c.Send(200, "application/octet-stream", lines.Bytes())
		default:
			fail(404, "invalid_request_error", "Invalid URL")
		}
	}
	api.Change = func() {
		results[0]["response"] = Record{"status_code": 200, "body": Record{"output": "Another answer"}}
	}
	api.Want = func() map[string]map[string]any {
		return map[string]map[string]any{"answers": byKey(results, "custom_id")}
	}
	return api
}

// X plays recent posts of a user: `meta.next_token` and `meta.newest_id`, from
// which the next run begins with `since_id`; a page without posts has no `data`;
// limits in x-rate-limit-* with a reset in seconds since 1970, 429 without a
// Retry-After (docs.x.com, "Pagination", "Rate limits").
func X() *API {
	const token = "AAAAAAAAAAAAAAAAAAAAAMLheAAAAAAA0"
	var posts []Record // newest first
	add := func(n int) {
		posts = append([]Record{{"id": fmt.Sprintf("19%017d", n), "text": fmt.Sprintf("Post %d", n)}}, posts...)
	}
	for n := range 330 {
		add(n)
	}
	limit := &window{limit: 3, every: 15 * time.Minute}
	api := &API{
		Name:        "x",
		Env:         func(base string) map[string]string { return map[string]string{"X_API": base, "X_USER": "2244994945"} },
		Credentials: `{"X": {"type": "bearer", "token": "` + token + `"}}`,
	}
	api.Handle = func(c *Call) {
		left := limit.take(c.Now())
		headers := []string{"x-rate-limit-limit", "3", "x-rate-limit-remaining", fmt.Sprint(max(left, 0)), "x-rate-limit-reset", fmt.Sprint(limit.ends.Unix())}
		size, ok := c.Int("max_results", 10)
		switch {
		case left < 0:
			c.Reply(429, Record{"title": "Too Many Requests", "detail": "Too Many Requests", "type": "about:blank", "status": 429}, headers...)
			return
		case !c.Bearer(token):
			c.Reply(401, Record{"title": "Unauthorized", "type": "about:blank", "status": 401}, headers...)
			return
		case c.Path != "/2/users/2244994945/tweets" || !ok || size < 5 || size > 100:
			c.Reply(400, Record{"title": "Invalid Request", "detail": "One or more parameters to your request was invalid."}, headers...)
			return
		}
		at := 0
		if next, sent := c.Arg("pagination_token"); sent {
			if _, err := fmt.Sscanf(next, "7140dibdnow9c7btw%d", &at); err != nil {
				c.Reply(400, Record{"title": "Invalid Request", "errors": []Record{{"message": "The `pagination_token` query parameter value is not valid"}}}, headers...)
				return
			}
		}
		since := c.Query.Get("since_id")
		if c.Query.Has("since_id") && since == "" {
			c.Reply(400, Record{"title": "Invalid Request"}, headers...)
			return
		}
		var all []Record
		for _, p := range posts {
			if p["id"].(string) > since {
				all = append(all, p)
			}
		}
		page := clip(all, at, size)
		meta := Record{"result_count": len(page)}
		out := Record{"meta": meta}
		if len(page) > 0 {
			out["data"] = page
			meta["newest_id"], meta["oldest_id"] = page[0]["id"], page[len(page)-1]["id"]
		}
		if at+size < len(all) {
			meta["next_token"] = fmt.Sprintf("7140dibdnow9c7btw%d", at+size)
		}
		c.Reply(200, out, headers...)
	}
	api.Change = func() { add(330) }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"posts": byKey(posts, "id")} }
	api.Again = func(calls []*Call) error {
		return EachHas(calls, "/2/users/2244994945/tweets", "since_id", "1900000000000000329")
	}
	return api
}

// GoogleSheets plays the values of a range: rows as arrays, the header in the
// first, trailing empty cells left out; a service account signs a JWT for its
// token (developers.google.com/sheets, "Read multiple ranges"; RFC 7523). The
// test makes the key.
func GoogleSheets(key *ServiceAccount) *API {
	rows := [][]any{{"id", "name", "amount"}}
	for i := range 50 {
		row := []any{fmt.Sprint(i + 1), fmt.Sprintf("Row %d", i+1), float64(i) / 4}
		if i%10 == 9 {
			row = row[:2]
		}
		rows = append(rows, row)
	}
	token := ""
	api := &API{Name: "google-sheets", Credentials: `{"Sheets": ` + key.File("${GOOGLE_TOKEN_URL}") + `}`}
	api.Env = func(base string) map[string]string {
		return map[string]string{"SHEETS_API": base, "SHEET": "1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms", "GOOGLE_TOKEN_URL": base + "/token"}
	}
	api.Handle = func(c *Call) {
		if c.Path == "/token" {
			form, err := url.ParseQuery(string(c.Body))
			if err == nil && form.Get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer" {
				err = fmt.Errorf("grant_type is %s", form.Get("grant_type"))
			}
			if err == nil {
				err = key.Verify(form.Get("assertion"), c.Base+"/token", c.Now())
			}
			if err != nil {
				c.Reply(400, Record{"error": "invalid_grant", "error_description": err.Error()})
				return
			}
			token = fmt.Sprintf("ya29.c.b0Aaekm1K-%d", c.Now().Unix())
			c.Reply(200, Record{"access_token": token, "expires_in": 3599, "token_type": "Bearer"})
			return
		}
		if token == "" || !c.Bearer(token) {
			c.Reply(401, Record{"error": Record{"code": 401, "message": "Request had invalid authentication credentials.", "status": "UNAUTHENTICATED"}})
			return
		}
		if c.Path != "/v4/spreadsheets/1BxiMVs0XRA5nFMdKvBdBZjgmUUqptlbs74OgvE2upms/values/Orders!A:C" {
			c.Reply(404, Record{"error": Record{"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}})
			return
		}
		c.Reply(200, Record{"range": "Orders!A1:C1000", "majorDimension": "ROWS", "values": rows})
	}
	api.Change = func() { rows = append(rows, []any{"51", "Row 51", 12.5}) }
	api.Want = func() map[string]map[string]any {
		out := map[string]any{}
		for _, r := range rows[1:] {
			record := Record{"id": r[0], "name": r[1], "amount": nil}
			if len(r) > 2 {
				record["amount"] = r[2]
			}
			out[r[0].(string)] = record
		}
		return map[string]map[string]any{"orders": out}
	}
	return api
}
