package mock

import (
	"encoding/base64"
	"fmt"
	"strconv"
	"strings"
)

// Stripe plays lists of charges: newest first, `starting_after` the last id,
// `has_more`, at most 100 a page, `created[gte]` in seconds, the key as basic
// user or bearer, 429 with an error object (docs.stripe.com/api/pagination).
func Stripe() *API {
	const key = "sk_test_4eC39HqLyjWDarjtT1zdp7dc"
	start := int64(1_767_225_600) // 2026-01-01
	var charges []Record
	add := func(n int) {
		id := fmt.Sprintf("ch_%05d", n)
		charges = append([]Record{{"id": id, "object": "charge", "amount": float64(100 + n), "currency": "eur", "created": float64(start + int64(n)*60)}}, charges...)
	}
	for n := range 250 {
		add(n)
	}
	api := &API{
		Name:        "stripe",
		Env:         func(base string) map[string]string { return map[string]string{"STRIPE_API": base} },
		Credentials: `{"Stripe": {"type": "bearer", "token": "` + key + `"}}`,
	}
	fail := func(c *Call, status int, kind, message string) {
		c.Reply(status, Record{"error": Record{"type": kind, "message": message}})
	}
	api.Handle = func(c *Call) {
		basic := "Basic " + base64.StdEncoding.EncodeToString([]byte(key+":"))
		if !c.Bearer(key) && c.Header.Get("Authorization") != basic {
			fail(c, 401, "invalid_request_error", "Invalid API Key provided")
			return
		}
		if c.Path != "/v1/charges" || c.Method != "GET" {
			fail(c, 404, "invalid_request_error", "Unrecognized request URL")
			return
		}
		size, ok := c.Int("limit", 10)
		if !ok || size < 1 || size > 100 {
			fail(c, 400, "invalid_request_error", "Invalid integer: limit must be between 1 and 100")
			return
		}
		from := int64(0)
		for name, v := range c.Query {
			switch name {
			case "limit", "starting_after":
			case "created[gte]":
				n, err := strconv.ParseInt(v[0], 10, 64)
				if err != nil {
					fail(c, 400, "invalid_request_error", "Invalid timestamp: must be an integer Unix timestamp in the past")
					return
				}
				from = n
			default:
				fail(c, 400, "invalid_request_error", "Received unknown parameter: "+name)
				return
			}
		}
		begin := 0
		if after, sent := c.Arg("starting_after"); sent {
			begin = -1
			for i, x := range charges {
				if x["id"] == after {
					begin = i + 1
				}
			}
			if begin < 0 {
				fail(c, 400, "invalid_request_error", "No such charge: '"+strings.TrimSpace(after)+"'")
				return
			}
		}
		items := []Record{}
		more := false
		for _, x := range charges[begin:] {
			if int64(x["created"].(float64)) < from {
				continue
			}
			if len(items) == size {
				more = true
				break
			}
			items = append(items, x)
		}
		c.Reply(200, Record{"object": "list", "url": "/v1/charges", "has_more": more, "data": items})
	}
	api.Change = func() { add(20 * 1440) }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"charges": byKey(charges, "id")} }
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/v1/charges"); n != 1 {
			return fmt.Errorf("the second run has fetched %d pages, want 1", n)
		}
		return nil
	}
	return api
}
