package mock

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// Binance plays the account's trades: a query signed with HMAC-SHA256 whose
// `signature` comes last, a timestamp within recvWindow, `fromId` to go on, at
// most 1,000 a page, weights in X-MBX-USED-WEIGHT-1M and 429 with Retry-After
// beyond them (developers.binance.com, "Signed endpoint security").
func Binance() *API {
	const key = "vmPUZE6mv9SD5VNHk4HlWFsOr6aKE2zvsw0MuIgwCIPy6utIco14y7Ju91duEh8A"
	const secret = "NhqPtmdSJYdKjVHjA7PZj4Mge3R5YNiP1e3UZjInClVN65XAbvqqM6A7H5fATj0j"
	var trades []Record
	add := func(id int) {
		trades = append(trades, Record{"symbol": "BTCEUR", "id": float64(id), "price": fmt.Sprintf("%d.10000000", 40000+id), "qty": "0.00100000", "time": float64(1_767_225_600_000 + id*1000)})
	}
	for i := range 2300 {
		add(i + 1)
	}
	limit := &window{limit: 3, every: time.Minute}
	api := &API{
		Name: "binance",
		Env: func(base string) map[string]string {
			return map[string]string{"BINANCE_API": base, "BINANCE_KEY": key, "BINANCE_SECRET": secret}
		},
	}
	api.Handle = func(c *Call) {
		fail := func(status, code int, message string, headers ...string) {
			c.Reply(status, Record{"code": code, "msg": message}, headers...)
		}
		used := limit.limit - limit.take(c.Now())
		weight := []string{"X-MBX-USED-WEIGHT-1M", strconv.Itoa(used)}
		if used > limit.limit {
			fail(429, -1003, "Too much request weight used; current limit is 3 request weight per 1 MINUTE.", append(weight, "Retry-After", strconv.Itoa(int(limit.ends.Sub(c.Now())/time.Second)+1))...)
			return
		}
		if c.Header.Get("X-MBX-APIKEY") != key {
			fail(401, -2015, "Invalid API-key, IP, or permissions for action.", weight...)
			return
		}
		query, signature, found := strings.Cut(c.RawQuery, "&signature=")
		mac := hmac.New(sha256.New, []byte(secret))
		mac.Write([]byte(query))
		if !found || signature != hex.EncodeToString(mac.Sum(nil)) {
			fail(400, -1022, "Signature for this request is not valid.", weight...)
			return
		}
		at, err := strconv.ParseInt(c.Query.Get("timestamp"), 10, 64)
		if err != nil || at > c.Now().UnixMilli()+1000 || c.Now().UnixMilli()-at > 5000 {
			fail(400, -1021, "Timestamp for this request is outside of the recvWindow.", weight...)
			return
		}
		from, ok := c.Int("fromId", 0)
		size, ok2 := c.Int("limit", 500)
		if c.Path != "/api/v3/myTrades" || c.Query.Get("symbol") != "BTCEUR" || !ok || !ok2 || size > 1000 {
			fail(400, -1100, "Illegal characters found in a parameter.", weight...)
			return
		}
		all := []Record{}
		for _, x := range trades {
			if x["id"].(float64) >= float64(from) {
				all = append(all, x)
			}
		}
		c.Reply(200, clip(all, 0, size), weight...)
	}
	api.Change = func() { add(2301) }
	api.Want = func() map[string]map[string]any { return map[string]map[string]any{"trades": byKey(trades, "id")} }
	api.Again = func(calls []*Call) error {
		if n := Served(calls, "/api"); n > 2 {
			return fmt.Errorf("the second run has fetched %d pages, want at most 2", n)
		}
		return nil
	}
	return api
}
